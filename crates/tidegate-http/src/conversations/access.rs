//! Who may do what with a conversation: 404 when it is absent, 403 when it is another's.
//!
//! Owns: the rule for records and questions. Must not: let an operator read what people ask; a
//! role is no reason.

use tidegate_documents::Conversation;
use tidegate_gate::Principal;
use tidegate_types::{ConversationId, ErrorCode, UserId};

use crate::AppState;
use crate::generations::acts_for;
use crate::problem::Problem;

/// The conversation, if it is the caller's own.
///
/// # Errors
/// 401, 403 or 404.
pub(crate) async fn own(state: &AppState, caller: &Principal, id: &str) -> Result<Conversation, Problem> {
    let user = acts_for(caller)?;
    let found = state.conversations().lookup(parse_id(id)?).await?.ok_or_else(absent)?;
    if found.owner_id == user {
        return Ok(found);
    }
    Err(Problem::new(ErrorCode::Forbidden).detail("This conversation belongs to somebody else."))
}

/// Whose conversation it is.
///
/// # Errors
/// 404.
pub(crate) async fn owner_of(state: &AppState, id: &str) -> Result<UserId, Problem> {
    let found = state.conversations().lookup(parse_id(id)?).await?;
    Ok(found.ok_or_else(absent)?.owner_id)
}

/// Reads an id of the path; one that cannot exist is not there.
///
/// # Errors
/// 404.
pub(super) fn parse_id(id: &str) -> Result<ConversationId, Problem> {
    id.parse().map_err(|_| absent())
}

/// Reads a turn's number of the path.
///
/// # Errors
/// 404.
pub(super) fn parse_turn(turn: &str) -> Result<u32, Problem> {
    let digits = turn.bytes().all(|byte| byte.is_ascii_digit()) && !turn.starts_with('0');
    turn.parse().ok().filter(|_| digits).ok_or_else(absent_turn)
}

fn absent() -> Problem {
    Problem::new(ErrorCode::NotFound).detail("There is no such conversation.")
}

pub(super) fn absent_turn() -> Problem {
    Problem::new(ErrorCode::NotFound).detail("There is no such turn.")
}
