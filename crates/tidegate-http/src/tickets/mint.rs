//! Minting one ticket for one stream.

use tidegate_gate::{ClientFacts, MintError, Principal, StreamKind, TicketFor};
use tidegate_types::{ErrorCode, Secret, StreamPath, Timestamp};

use crate::AppState;
use crate::access;
use crate::problem::Problem;
use crate::tail::stream_ref;

/// A ticket and its times, for an answer.
#[derive(Debug)]
pub(crate) struct StreamTicket {
    /// The ticket.
    pub(crate) secret: Secret,
    /// Seconds until it can't be spent any more.
    pub(crate) expires_in: u64,
    /// When it was made.
    pub(crate) issued_at: Timestamp,
}

/// Mints a ticket for a stream that is there and that the principal may read.
///
/// # Errors
/// 401 for nobody, 403 or 404 as for a read, 429 when too many were asked for.
pub(crate) async fn mint(
    state: &AppState,
    principal: &Principal,
    path: &StreamPath,
    kind: StreamKind,
    facts: &ClientFacts,
) -> Result<StreamTicket, Problem> {
    let minted = mint_checked(state, principal, path, kind, facts).await;
    state.metrics().token_requested(minted.as_ref().err().map(Problem::code));
    minted
}

async fn mint_checked(
    state: &AppState,
    principal: &Principal,
    path: &StreamPath,
    kind: StreamKind,
    facts: &ClientFacts,
) -> Result<StreamTicket, Problem> {
    if matches!(principal, Principal::Anonymous) {
        return Err(ErrorCode::Unauthenticated.into());
    }
    access::may_read(state, principal, path).await?;
    let info = state.log().lookup(path).await?.ok_or(ErrorCode::NotFound)?;
    let start = (kind == StreamKind::Feed).then_some(info.tail);
    let wanted = TicketFor { stream: stream_ref(&info), kind, start };
    let minted = state.gate().mint_ticket(principal, wanted, facts).await?;
    Ok(StreamTicket {
        secret: minted.secret,
        expires_in: minted.expires_at.since(minted.issued_at).as_secs(),
        issued_at: minted.issued_at,
    })
}

impl From<MintError> for Problem {
    fn from(error: MintError) -> Self {
        let problem = Self::of_domain(&error, error.code());
        match error {
            MintError::RateLimited(after) => problem.retry_after(after.0),
            MintError::Anonymous | MintError::Stale | MintError::Db(_) => problem,
        }
    }
}
