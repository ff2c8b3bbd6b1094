//! Who may read or write which stream.
//!
//! Owns: access rules, scopes of keys, owners of the server's own streams (`0-rulings.md` 16 of the
//! contract).
//! Must not: look at credentials; a principal comes in. Checked when a ticket is minted, when it is
//! opened, when it is resumed, and at each read.

mod decide;
mod subscribe;

use tidegate_gate::{Principal, Scope};
use tidegate_types::{ErrorCode, GenerationId, StreamPath, UserId};

use crate::AppState;
use crate::Who;
use crate::problem::Problem;
use crate::{conversations, documents};
use decide::{Grant, Verb, judge};
pub(crate) use subscribe::may_subscribe;

/// Refuses a principal that may not read the stream: 401 for nobody, 403 for others. The server's
/// own streams are 404 when what they belong to is not there.
pub(crate) async fn may_read(
    state: &AppState,
    principal: &Principal,
    path: &StreamPath,
) -> Result<(), Problem> {
    // Asked only on behalf of somebody known.
    let owner = match principal {
        Principal::Anonymous => None,
        Principal::User(_) | Principal::Service(_) => owner_of(state, path).await?,
    };
    may_read_of(state, principal, path, owner)
}

/// The same for a stream whose owner was asked for, see [`owner_of`].
pub(crate) fn may_read_of(
    state: &AppState,
    principal: &Principal,
    path: &StreamPath,
    owner: Option<UserId>,
) -> Result<(), Problem> {
    let rule = state.config().access_rule(path).map_or(Who::Nobody, |rule| rule.read);
    answer(judge(principal, path, Verb::Read, rule, owner), principal, path, Verb::Read)
}

/// Refuses a principal that may not create, append to, close or delete the stream.
pub(crate) fn may_write(state: &AppState, principal: &Principal, path: &StreamPath) -> Result<(), Problem> {
    let rule = state.config().access_rule(path).map_or(Who::Nobody, |rule| rule.write);
    answer(judge(principal, path, Verb::Write, rule, None), principal, path, Verb::Write)
}

/// Whether shared caches may keep what is read here.
pub(crate) fn is_public(state: &AppState, path: &StreamPath) -> bool {
    state.config().access_rule(path).is_some_and(|rule| rule.read == Who::Anyone)
}

fn answer(grant: Grant, principal: &Principal, path: &StreamPath, verb: Verb) -> Result<(), Problem> {
    match grant {
        Grant::Allowed => Ok(()),
        Grant::NoCredential => Err(ErrorCode::Unauthenticated.into()),
        Grant::Denied if matches!(principal, Principal::Service(_)) && !path.is_reserved() => {
            Err(Problem::new(ErrorCode::InsufficientScope).scope(format!("streams:{}:{path}", verb.scope())))
        }
        Grant::Denied => Err(ErrorCode::Forbidden.into()),
    }
}

/// Whose stream it is, for paths of the server itself; nobody's for all others.
pub(crate) async fn owner_of(state: &AppState, path: &StreamPath) -> Result<Option<UserId>, Problem> {
    if !path.is_reserved() {
        return Ok(None);
    }
    // Boxed: nearly all live reads are of other paths, and would hold room for it as long as they are opened.
    Box::pin(owner_of_own(state, path)).await
}

/// The same for paths of the server itself.
async fn owner_of_own(state: &AppState, path: &StreamPath) -> Result<Option<UserId>, Problem> {
    let mut segments = path.as_str().split('/');
    match (segments.next(), segments.next()) {
        (Some("users"), Some(id)) => Ok(id.parse().ok()),
        (Some("generations"), Some(id)) => {
            let id: GenerationId = id.parse().map_err(|_| Problem::new(ErrorCode::NotFound))?;
            let found = state.generations().lookup(&id).await;
            let found = found.map_err(|error| Problem::of_domain(&error, error.code()))?;
            Ok(Some(found.ok_or(ErrorCode::NotFound)?.owner_id))
        }
        (Some("conversations"), Some(id)) => conversations::owner_of(state, id).await.map(Some),
        (Some("documents"), Some(id)) => documents::owner_of(state, id).await.map(Some),
        _ => Err(ErrorCode::NotFound.into()),
    }
}

/// Whether the stream belongs to what a user asks for and a worker key of that user may ask for too.
fn is_asked_for(path: &StreamPath) -> bool {
    path.as_str().starts_with("conversations/") || path.as_str().starts_with("documents/")
}

/// Whether a key's scope covers the stream.
fn scope_covers(scope: &Scope, verb: Verb, path: &StreamPath) -> bool {
    match (scope, verb) {
        // Who may work on generations reads their records, so their streams too.
        (Scope::GenerationsWork, Verb::Read | Verb::Subscribe) => path.as_str().starts_with("generations/"),
        (Scope::StreamsRead(pattern), Verb::Read | Verb::Subscribe)
        | (Scope::StreamsWrite(pattern), Verb::Write) => pattern.matches(path),
        _ => false,
    }
}
