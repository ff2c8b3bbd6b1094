//! Opening a tail: who, from where, within which caps.
//!
//! Owns: the order of the checks. Caps and grants come before a ticket is spent, so that a refused
//! connect never costs one; an overloaded node answers 200, since a browser's own reader dies for
//! good on anything else.
//! Must not: decide about tickets or caps; the gate does.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use secrecy::ExposeSecret as _;
use tidegate_gate::{
    ClientFacts, Connection, EndReason, EnterError, NewConnection, OpenedLease, Principal, StreamKind,
    StreamRef, TicketPreview, TicketRequest,
};
use tidegate_log::{Found, Gap, StreamInfo, Tail as LogTail};
use tidegate_types::{ErrorCode, LeaseId, Offset, ReadFrom, StreamPath};
use tokio::time::Instant;

use super::held::Held;
use super::opened::Tail;
use super::write::{Greeting, Writer};
use super::{Counted, DefaultStart, RETRY_MS, TailBody, TailRequest, expiry, head};
use crate::AppState;
use crate::access;
use crate::credential::StreamCredential;
use crate::framing::encode_end;
use crate::ops::Redemption;
use crate::problem::Problem;
use crate::tickets;
use crate::wire::refuse_gap;

/// When a browser comes back to a node that is too busy for it.
const BUSY_RETRY_MS: (u32, u32) = (15_000, 30_000);

/// Who asks for a connection's slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) kind: StreamKind,
    pub(crate) path: &'a StreamPath,
    pub(crate) facts: &'a ClientFacts,
    /// The word for the way of reading in the audit and the operator's list.
    pub(crate) transport: &'static str,
    pub(crate) lease: Option<LeaseId>,
}

/// Asks the gate for a slot. Call `opened` on it once the read begins.
pub(crate) fn admit(state: &AppState, reader: Reader<'_>) -> Result<Connection, Problem> {
    let admitted = state.gate().admit(NewConnection {
        principal: reader.principal.clone(),
        kind: reader.kind,
        stream: reader.path.clone(),
        address: reader.facts.address,
        lease: reader.lease,
        transport: reader.transport,
        request_id: reader.facts.request_id.clone(),
    });
    admitted.map_err(|refused| {
        state.metrics().connection_refused(refused.code);
        refused.into()
    })
}

/// A stream as tickets know it.
pub(crate) fn stream_ref(info: &StreamInfo) -> StreamRef {
    StreamRef { path: info.path.clone(), id: info.id.get() }
}

/// Who was let in, and by what.
struct Entrance {
    principal: Principal,
    connection: Connection,
    lease: Option<OpenedLease>,
}

/// Why nothing was opened.
enum Turned {
    /// Not an error of the client: it is told when to come back.
    Away(EndReason, (u32, u32)),
    Refused(Problem),
}

impl<E: Into<Problem>> From<E> for Turned {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// Opens the tail and answers with its stream; 204 if it has nothing left to say.
pub(crate) async fn respond(state: &AppState, mut request: TailRequest) -> Result<Response, Problem> {
    respond_to(state, &mut request).await
}

/// The same by reference: a future that takes its arguments by value holds them twice.
pub(crate) async fn respond_to(state: &AppState, request: &mut TailRequest) -> Result<Response, Problem> {
    match open(state, request).await {
        Ok(response) => Ok(response),
        Err(Turned::Refused(problem)) => Err(problem),
        Err(Turned::Away(reason, (low, high))) => {
            let retry_ms = state.entropy().in_range(low, high);
            Ok(head::event_stream(Body::from(encode_end(reason.as_str(), Some(retry_ms))), HeaderMap::new()))
        }
    }
}

async fn open(state: &AppState, request: &mut TailRequest) -> Result<Response, Turned> {
    if state.is_draining() {
        return Err(turn_away(request, ErrorCode::Draining.into()));
    }
    let found = state.log().find_live(&request.path).await?;
    let entrance = enter(state, request, found.as_ref().map(Found::info)).await?;
    let found = found.ok_or(ErrorCode::NotFound)?;
    let from = match request.args.start.from {
        Some(from) => from,
        None => default_start(state, request, &entrance),
    };
    let tail = state.log().tail_of(found, from).await?;
    if !request.framing.is_events() {
        check_start(&tail, from)?;
    }
    // 204 stops every EventSource for good.
    if request.framing.is_events() && has_nothing_to_say(&tail, from) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let by_cookie = matches!(request.args.credential, StreamCredential::FeedCookie(_));
    let handle = entrance.lease.as_ref().filter(|_| by_cookie).map(|lease| &lease.handle);
    let cookie = handle.map(|handle| tickets::feed_cookie(state, handle));
    let content_type = tail.info().content_type.clone();
    let tail = start(state, request, entrance, tail);
    let memory = std::mem::take(&mut request.args.answer);
    let mut response =
        head::streaming(TailBody::new(state, tail, &request.args.socket), &content_type, memory);
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Lets the caller in, or says why not. An absent stream is told only to those who may know.
async fn enter(
    state: &AppState,
    request: &TailRequest,
    info: Option<&StreamInfo>,
) -> Result<Entrance, Turned> {
    let text = match &request.args.credential {
        StreamCredential::Principal(principal) => {
            access::may_read(state, principal, &request.path).await?;
            info.ok_or(ErrorCode::NotFound)?;
            let connection = admit_tail(state, request, principal)?;
            return Ok(Entrance { principal: principal.clone(), connection, lease: None });
        }
        StreamCredential::Ticket(text) | StreamCredential::FeedCookie(text) => text.expose_secret(),
    };
    if !request.framing.is_events() {
        return Err(Problem::new(ErrorCode::TicketInvalid)
            .detail("a ticket opens the events framing only")
            .into());
    }
    let stream = stream_ref(info.ok_or(ErrorCode::NotFound)?);
    enter_by_ticket(state, request, text, &stream).await
}

/// Grants and caps are asked inside of the write that spends the ticket, so all that must be waited for is
/// found out before; what it says is told to those only whose ticket is good.
async fn enter_by_ticket(
    state: &AppState,
    request: &TailRequest,
    text: &str,
    stream: &StreamRef,
) -> Result<Entrance, Turned> {
    let owner = access::owner_of(state, &request.path).await;
    let door = {
        let (state, path, facts) = (state.clone(), request.path.clone(), request.args.facts.clone());
        let (kind, transport) = (request.kind, request.framing.transport());
        move |bearer: &TicketPreview| {
            let principal = &bearer.principal;
            access::may_read_of(&state, principal, &path, owner?)?;
            let lease = Some(bearer.lease);
            admit(&state, Reader { principal, kind, path: &path, facts: &facts, transport, lease })
        }
    };
    let (tag, facts) = (request.args.start.tag.as_ref(), &request.args.facts);
    let ticket = TicketRequest { text, tag, stream, facts };
    let (lease, connection) = match state.gate().enter_by_ticket(ticket, door).await {
        Ok(entered) => entered,
        Err(EnterError::TurnedAway(problem)) => return Err(turn_away(request, problem)),
        Err(EnterError::Ticket(error)) => {
            state.metrics().ticket_presented(Redemption::Refused);
            return Err(error.into());
        }
    };
    state.metrics().ticket_presented(if lease.resumed { Redemption::Resumed } else { Redemption::Opened });
    Ok(Entrance { principal: lease.principal.clone(), connection, lease: Some(lease) })
}

fn admit_tail(state: &AppState, request: &TailRequest, principal: &Principal) -> Result<Connection, Turned> {
    let reader = Reader {
        principal,
        kind: request.kind,
        path: &request.path,
        facts: &request.args.facts,
        transport: request.framing.transport(),
        lease: None,
    };
    admit(state, reader).map_err(|problem| turn_away(request, problem))
}

/// What is the node's state and not the client's fault is no error to a reader of events.
fn turn_away(request: &TailRequest, problem: Problem) -> Turned {
    match problem.code() {
        ErrorCode::Overloaded if request.framing.is_events() => Turned::Away(EndReason::Limit, BUSY_RETRY_MS),
        ErrorCode::Draining if request.framing.is_events() => Turned::Away(EndReason::Drain, RETRY_MS),
        _ => Turned::Refused(problem),
    }
}

fn default_start(state: &AppState, request: &TailRequest, entrance: &Entrance) -> ReadFrom {
    if request.default_start == DefaultStart::Beginning {
        return ReadFrom::Start;
    }
    let ended = state.gate().last_feed_position(&entrance.principal, &request.path);
    let minted = || entrance.lease.as_ref().and_then(|lease| lease.minted_at_offset);
    ended.or_else(minted).map_or(ReadFrom::Tail, ReadFrom::At)
}

/// The protocol's clients have no word for a gap: a start that can't be read from is refused.
fn check_start(tail: &LogTail, from: ReadFrom) -> Result<(), Problem> {
    match from {
        ReadFrom::At(from) if from > tail.info().tail => {
            refuse_gap(Some(&Gap::CursorAhead { from, to: tail.info().tail }))
        }
        ReadFrom::At(from) if from < tail.info().start => {
            refuse_gap(Some(&Gap::Trimmed { from, to: tail.info().start }))
        }
        ReadFrom::At(_) | ReadFrom::Start | ReadFrom::Tail => Ok(()),
    }
}

fn has_nothing_to_say(tail: &LogTail, from: ReadFrom) -> bool {
    let info = tail.info();
    let ahead = matches!(from, ReadFrom::At(at) if at > info.tail);
    info.closed && tail.cursor() >= info.tail && !ahead
}

/// The tail, open from here on.
fn start(state: &AppState, request: &TailRequest, entrance: Entrance, tail: LogTail) -> Tail {
    let Entrance { principal, connection, lease } = entrance;
    connection.opened(lease.as_ref());
    let at = tail.cursor();
    connection.note_offsets(at, at);
    if lease.is_none() && matches!(request.args.start.from, Some(ReadFrom::At(_))) {
        state.metrics().reconnected();
    }
    let writer = Writer::new(
        request.framing,
        &tail.info().content_type,
        lease.map(|lease| lease.tag),
        request.filter.clone(),
    );
    let ping_seconds = state.config().ping_seconds;
    let greeting = Greeting { ping_seconds, retry_ms: state.entropy().in_range(RETRY_MS.0, RETRY_MS.1) };
    let hello = writer.hello(&request.path, at, is_up_to_date(&tail, at), greeting);
    let ends_at = expiry::ends_at(state.config().stream_auth, &principal);
    let expires = ends_at.map(|end| Instant::now() + end.since(state.clock().now()));
    let held = Held::new(connection, Counted::open(state.metrics()));
    Tail { log: tail, held, writer, first: at, expires, hello }
}

fn is_up_to_date(tail: &LogTail, at: Offset) -> bool {
    at >= tail.info().tail
}
