//! Who may do what with a generation: 404 when it is absent, 403 when it is another's.
//!
//! Owns: the rule for records, and in whose name a caller acts.
//! Must not: answer with anything of a record before the rule has held.

use tidegate_gate::{Principal, Role, Scope};
use tidegate_generations::{Generation, Generations};
use tidegate_types::{ErrorCode, GenerationId, UserId};

use crate::AppState;
use crate::problem::Problem;

/// The generation, if the caller may read it.
///
/// # Errors
/// 401, 403 or 404.
pub(crate) async fn readable(state: &AppState, caller: &Principal, id: &str) -> Result<Generation, Problem> {
    let record = lookup(state, caller, id).await?;
    may_read(caller, &record).map(|()| record)
}

/// The generation, if it is the caller's own.
///
/// # Errors
/// 401, 403 or 404.
pub(crate) async fn own(state: &AppState, caller: &Principal, id: &str) -> Result<Generation, Problem> {
    let record = lookup(state, caller, id).await?;
    if acts_for(caller)? == record.owner_id { Ok(record) } else { Err(foreign()) }
}

/// The user in whose name the caller creates and ends generations: a user's own, or that of the
/// worker key that a user made.
///
/// # Errors
/// 401 for nobody, 403 for a key that acts for no user.
pub(crate) fn acts_for(caller: &Principal) -> Result<UserId, Problem> {
    match caller {
        Principal::User(user) => Ok(user.user_id),
        Principal::Service(key) => key
            .owner
            .filter(|_| key.scopes.contains(&Scope::GenerationsWork))
            .ok_or_else(|| Problem::new(ErrorCode::Forbidden).detail("This key acts in no user's name.")),
        Principal::Anonymous => Err(ErrorCode::Unauthenticated.into()),
    }
}

/// Whether the caller may read the record and its stream.
///
/// # Errors
/// 401 or 403.
pub(crate) fn may_read(caller: &Principal, record: &Generation) -> Result<(), Problem> {
    match caller {
        Principal::User(user) if user.user_id == record.owner_id || user.role == Role::Admin => Ok(()),
        Principal::User(_) => Err(foreign()),
        Principal::Service(key) if key.owner.is_some_and(|owner| owner != record.owner_id) => Err(foreign()),
        Principal::Service(key) if key.scopes.iter().any(|scope| opens(scope, &record.id)) => Ok(()),
        Principal::Service(_) => {
            let scope = format!("streams:read:{}", Generations::stream_path(&record.id));
            Err(Problem::new(ErrorCode::InsufficientScope).detail("The key may not read this.").scope(scope))
        }
        Principal::Anonymous => Err(ErrorCode::Unauthenticated.into()),
    }
}

fn opens(scope: &Scope, id: &GenerationId) -> bool {
    match scope {
        Scope::GenerationsWork => true,
        Scope::StreamsRead(pattern) => pattern.matches(&Generations::stream_path(id)),
        Scope::EventsPublish | Scope::StreamsWrite(_) => false,
    }
}

async fn lookup(state: &AppState, caller: &Principal, id: &str) -> Result<Generation, Problem> {
    if matches!(caller, Principal::Anonymous) {
        return Err(ErrorCode::Unauthenticated.into());
    }
    state.generations().lookup(&parse_id(id)?).await?.ok_or_else(absent)
}

/// Reads an id of the path; one that cannot exist is not there.
///
/// # Errors
/// 404.
pub(crate) fn parse_id(id: &str) -> Result<GenerationId, Problem> {
    id.parse().map_err(|_| absent())
}

pub(crate) fn absent() -> Problem {
    Problem::new(ErrorCode::NotFound).detail("There is no such generation.")
}

fn foreign() -> Problem {
    Problem::new(ErrorCode::Forbidden).detail("This generation belongs to somebody else.")
}
