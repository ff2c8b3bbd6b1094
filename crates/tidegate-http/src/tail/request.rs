//! What a route asks of a tail.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, Method};
use tidegate_events::TypeFilter;
use tidegate_gate::{ClientFacts, StreamKind};
use tidegate_types::{ErrorCode, StreamPath, UserId};

use super::start::{Start, StartQuery, read_start};
use crate::AppState;
use crate::credential::{Facts, StreamCredential};
use crate::edge::RequestInfo;
use crate::extract::query_pairs;
use crate::problem::Problem;
use crate::server::SocketProgress;

/// What every stream route reads from its request: credential, start, client and socket.
#[derive(Clone, Debug)]
pub(crate) struct TailArgs {
    /// What opens the stream.
    pub(crate) credential: StreamCredential,
    /// Where the request says to start.
    pub(crate) start: Start,
    /// The client.
    pub(crate) facts: ClientFacts,
    /// The state of the socket that the request came by.
    pub(crate) socket: SocketProgress,
    /// Memory for the answer's headers.
    pub(crate) answer: HeaderMap,
}

/// One live read, as a route describes it.
#[derive(Clone, Debug)]
pub(crate) struct TailRequest {
    /// What the request itself says.
    pub(crate) args: TailArgs,
    /// The stream.
    pub(crate) path: StreamPath,
    /// Which cap counts it.
    pub(crate) kind: StreamKind,
    /// Where to start when the request does not say.
    pub(crate) default_start: DefaultStart,
    /// Which bytes a record becomes.
    pub(crate) framing: TailFraming,
    /// Which events go out; offsets advance over the others. The default lets all through.
    pub(crate) filter: TypeFilter,
}

/// Where a tail starts when its request does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DefaultStart {
    /// The stream's first record.
    Beginning,
    /// A feed's rule: where this session's last feed connection ended if that is fresh, else where
    /// the ticket was made, else now.
    Feed,
}

/// Which bytes a record becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TailFraming {
    /// Section 6 of the contract.
    Events,
    /// The same, with progress as the front ends of "master mode" read it.
    MasterMode {
        /// Whose generation it is.
        owner: UserId,
    },
    /// The same, with progress as the front ends of "code generation" read it.
    Codegen,
    /// `live=sse` of the Durable Streams protocol.
    DurableStreams {
        /// The least cursor that controls may carry.
        cursor: u64,
    },
}

impl TailRequest {
    /// The events of a stream from its beginning: a generation's, a conversation's, any stream's.
    pub(crate) fn of_stream(args: TailArgs, path: StreamPath) -> Self {
        Self {
            args,
            path,
            kind: StreamKind::Stream,
            default_start: DefaultStart::Beginning,
            framing: TailFraming::Events,
            filter: TypeFilter::default(),
        }
    }

    /// A user's feed, filtered.
    pub(crate) fn of_feed(args: TailArgs, path: StreamPath, filter: TypeFilter) -> Self {
        let kind = StreamKind::Feed;
        Self { kind, default_start: DefaultStart::Feed, filter, ..Self::of_stream(args, path) }
    }
}

impl TailFraming {
    /// Whether it is section 6 of the contract, in whatever words.
    pub(super) const fn is_events(self) -> bool {
        match self {
            Self::Events | Self::MasterMode { .. } | Self::Codegen => true,
            Self::DurableStreams { .. } => false,
        }
    }

    /// The word for it in the audit and the operator's list.
    pub(super) const fn transport(self) -> &'static str {
        match self {
            Self::Events | Self::MasterMode { .. } | Self::Codegen => "sse",
            Self::DurableStreams { .. } => "live-sse",
        }
    }
}

impl FromRequestParts<AppState> for TailArgs {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let socket = parts.extensions.get::<SocketProgress>().cloned().unwrap_or_default();
        Self::of(state, parts, parts.extensions.get(), socket).await
    }
}

impl TailArgs {
    /// Reads them. `info`: what is known of the request.
    pub(crate) async fn of(
        state: &AppState,
        parts: &Parts,
        info: Option<&RequestInfo>,
        socket: SocketProgress,
    ) -> Result<Self, Problem> {
        // A link checker's look must neither spend a ticket nor take a connection's slot.
        if parts.method == Method::HEAD {
            return Err(Problem::new(ErrorCode::MethodNotAllowed).detail("a stream has no HEAD"));
        }
        let start = {
            let pairs = query_pairs(parts.uri.query().unwrap_or_default())?;
            let named =
                |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| &**value);
            let query = StartQuery { last_event_id: named("last_event_id"), after: named("after") };
            read_start(&parts.headers, query)?
        };
        let credential = StreamCredential::of(state, parts, info).await?;
        let Facts(facts) = Facts::of(info, &parts.headers);
        Ok(Self { credential, start, facts, socket, answer: HeaderMap::new() })
    }
}
