//! From a question that was taken to its answer: streamed, named, or waited for.
//!
//! Owns: what all routes that ask have in common. A question with an idempotency key is asked once;
//! asking again reads the same answer from its beginning.

use std::time::Duration;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use http::header::LOCATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use tidegate_documents::{Ask, AskError, Asked, Conversations, IfBusy, Turn};
use tidegate_gate::Principal;
use tidegate_types::ConversationId;
use tokio::time::Instant;

use super::mode::Mode;
use super::view::TurnView;
use crate::AppState;
use crate::idempotency::idempotent;
use crate::problem::Problem;
use crate::tail::{TailArgs, TailRequest, respond};

/// A record of a turn that was just taken is small.
const TAKEN_BYTES_MAX: usize = 2_097_152;
/// How long a caller who wants the whole answer waits for it.
const WHOLE: Duration = Duration::from_secs(120);

/// How the asker reads: what it sent besides the question.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(super) mode: Mode,
    args: TailArgs,
    headers: HeaderMap,
}

impl FromRequestParts<AppState> for Reading {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let mode = Mode::from_request_parts(parts, state).await?;
        let args = TailArgs::from_request_parts(parts, state).await?;
        Ok(Self { mode, args, headers: parts.headers.clone() })
    }
}

impl Reading {
    /// Whether events were asked for by name.
    pub(crate) fn wants_events(&self) -> bool {
        let accepts = self.headers.get_all(http::header::ACCEPT).iter();
        accepts.filter_map(|value| value.to_str().ok()).any(|value| value.contains("text/event-stream"))
    }

    /// The same, always in this response.
    pub(crate) fn streamed(self) -> Self {
        Self { mode: Mode::Stream, ..self }
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) enum Asking {
    New(Ask),
    Again { turn: u32, answerer: Option<String>, if_busy: IfBusy },
}

/// A question on its way.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The route's template.
    pub(crate) route: &'static str,
    pub(crate) conversation: ConversationId,
    pub(crate) asking: Asking,
    /// What two requests with one idempotency key must have in common.
    pub(crate) same: Vec<u8>,
}

/// Asks, and answers as the asker wants it.
///
/// # Errors
/// The question is not taken. When it was taken and only can't be streamed here, the refusal has a
/// `Location`.
pub(crate) async fn answer_turn(
    state: &AppState,
    caller: &Principal,
    reading: Reading,
    question: Question,
) -> Result<Response, Problem> {
    let accepted = take(state, caller, &reading.headers, question).await?;
    match reading.mode {
        Mode::Later => Ok(([("preference-applied", "respond-async")], accepted).into_response()),
        Mode::Stream => stream(state, reading.args, accepted).await,
    }
}

/// Asks and waits for the whole answer; 202 when it takes too long.
///
/// # Errors
/// The question is not taken.
pub(crate) async fn answer_whole(
    state: &AppState,
    caller: &Principal,
    reading: Reading,
    question: Question,
) -> Result<Response, Problem> {
    let accepted = take(state, caller, &reading.headers, question).await?;
    let taken = taken(accepted).await?;
    let turn = wait_for(state, &taken).await?;
    let status = if turn.status.is_finished() { StatusCode::OK } else { StatusCode::ACCEPTED };
    let view = TurnView::from(turn);
    Ok((status, [(LOCATION, view.stream_url.clone())], Json(view)).into_response())
}

/// Takes the question, once for each idempotency key.
async fn take(
    state: &AppState,
    caller: &Principal,
    headers: &HeaderMap,
    question: Question,
) -> Result<Response, Problem> {
    let conversations = state.conversations().clone();
    let Question { route, conversation, asking, same } = question;
    let work = || async move {
        let asked = ask(&conversations, conversation, asking).await?;
        let view = TurnView::from(asked.turn);
        let location = view.stream_url.clone();
        Ok::<_, Problem>((StatusCode::ACCEPTED, [(LOCATION, location)], Json(view)))
    };
    idempotent(state, caller, route, headers, &same, work).await
}

async fn ask(conversations: &Conversations, id: ConversationId, asking: Asking) -> Result<Asked, AskError> {
    match asking {
        Asking::New(ask) => conversations.ask(id, ask).await,
        Asking::Again { turn, answerer, if_busy } => {
            conversations.regenerate(id, turn, answerer, if_busy).await
        }
    }
}

/// The members of a taken turn that lead to its stream.
#[derive(Debug, Deserialize)]
struct Taken {
    id: String,
    conversation_id: ConversationId,
    stream_url: String,
}

async fn taken(accepted: Response) -> Result<Taken, Problem> {
    let bytes = to_bytes(accepted.into_body(), TAKEN_BYTES_MAX).await;
    let bytes = bytes.map_err(|error| Problem::internal(&error))?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::internal(&error))
}

impl Taken {
    fn number(&self) -> Result<u32, Problem> {
        self.id.parse().map_err(|_| Problem::internal(&"a turn without a number"))
    }
}

async fn stream(state: &AppState, args: TailArgs, accepted: Response) -> Result<Response, Problem> {
    let taken = taken(accepted).await?;
    let path = Conversations::stream_path(taken.conversation_id, taken.number()?);
    let location = HeaderValue::try_from(&taken.stream_url).map_err(|error| Problem::internal(&error))?;
    match respond(state, TailRequest::of_stream(args, path)).await {
        Ok(mut response) => {
            response.headers_mut().insert(LOCATION, location);
            Ok(response)
        }
        // The answer is being written all the same, and can be read there.
        Err(problem) => Err(problem.header(LOCATION, location)),
    }
}

async fn wait_for(state: &AppState, taken: &Taken) -> Result<Turn, Problem> {
    let (id, number) = (taken.conversation_id, taken.number()?);
    let path = Conversations::stream_path(id, number);
    let deadline = Instant::now() + WHOLE;
    loop {
        let turn = state.conversations().turn(id, number).await?;
        let turn = turn.ok_or_else(super::access::absent_turn)?;
        let left = deadline.saturating_duration_since(Instant::now());
        if turn.status.is_finished() || left.is_zero() || state.is_draining() {
            return Ok(turn);
        }
        tokio::select! {
            news = state.log().wait_past(&path, turn.offset, left) => { news?; }
            () = state.shutdown().cancelled() => {}
        }
    }
}
