//! Who may do what with a document: 404 when it is absent, 403 when it is another's.
//!
//! Owns: the rule for records, passages and files. Must not: let an operator read what people
//! upload; a role is no reason.

use tidegate_documents::{Document, Documents};
use tidegate_gate::{Principal, Scope};
use tidegate_types::{DocumentId, ErrorCode, UserId};

use crate::AppState;
use crate::generations::acts_for;
use crate::problem::Problem;

/// The document, if the caller may read it.
///
/// # Errors
/// 401, 403 or 404.
pub(crate) async fn readable(state: &AppState, caller: &Principal, id: &str) -> Result<Document, Problem> {
    let document = lookup(state, caller, id).await?;
    may_read(caller, &document).map(|()| document)
}

/// The document, if it is the caller's own.
///
/// # Errors
/// 401, 403 or 404.
pub(crate) async fn own(state: &AppState, caller: &Principal, id: &str) -> Result<Document, Problem> {
    let document = lookup(state, caller, id).await?;
    if acts_for(caller)? == document.owner_id { Ok(document) } else { Err(foreign()) }
}

/// Whose document it is.
///
/// # Errors
/// 404.
pub(crate) async fn owner_of(state: &AppState, id: &str) -> Result<UserId, Problem> {
    let found = state.documents().lookup(&parse_id(id)?).await?;
    Ok(found.ok_or_else(absent)?.owner_id)
}

fn may_read(caller: &Principal, document: &Document) -> Result<(), Problem> {
    let owner = document.owner_id;
    match caller {
        Principal::User(user) if user.user_id == owner => Ok(()),
        Principal::Service(key) if key.owner.is_some_and(|of| of != owner) => Err(foreign()),
        Principal::Service(key)
            if key.scopes.iter().any(|scope| opens(scope, document.id, key.owner == Some(owner))) =>
        {
            Ok(())
        }
        Principal::Service(_) => {
            let scope = format!("streams:read:{}", Documents::stream_path(document.id));
            Err(Problem::new(ErrorCode::InsufficientScope).detail("The key may not read this.").scope(scope))
        }
        Principal::User(_) => Err(foreign()),
        Principal::Anonymous => Err(ErrorCode::Unauthenticated.into()),
    }
}

/// A user's worker key reads its user's documents; an operator's key what its scope names.
fn opens(scope: &Scope, id: DocumentId, is_owners: bool) -> bool {
    match scope {
        Scope::GenerationsWork => is_owners,
        Scope::StreamsRead(pattern) => pattern.matches(&Documents::stream_path(id)),
        Scope::EventsPublish | Scope::StreamsWrite(_) => false,
    }
}

async fn lookup(state: &AppState, caller: &Principal, id: &str) -> Result<Document, Problem> {
    if matches!(caller, Principal::Anonymous) {
        return Err(ErrorCode::Unauthenticated.into());
    }
    state.documents().lookup(&parse_id(id)?).await?.ok_or_else(absent)
}

/// Reads an id of the path; one that cannot exist is not there.
///
/// # Errors
/// 404.
pub(crate) fn parse_id(id: &str) -> Result<DocumentId, Problem> {
    id.parse().map_err(|_| absent())
}

fn absent() -> Problem {
    Problem::new(ErrorCode::NotFound).detail("There is no such document.")
}

fn foreign() -> Problem {
    Problem::new(ErrorCode::Forbidden).detail("This document belongs to somebody else.")
}
