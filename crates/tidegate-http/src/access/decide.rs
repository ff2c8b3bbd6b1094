//! The decision itself, without IO.
//!
//! Owns: how a rule, a scope and an owner add up.
//! Must not: let anybody but the server write below its own prefixes.

use tidegate_gate::Principal;
use tidegate_types::{StreamPath, UserId};

use super::scope_covers;
use crate::Who;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Read,
    Write,
}

impl Verb {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    Allowed,
    /// Nobody asks, and nobody may.
    NoCredential,
    Denied,
}

/// `rule` is the first matching rule's word for this verb; `owner` is known for reserved paths only.
pub(super) fn judge(
    principal: &Principal,
    path: &StreamPath,
    verb: Verb,
    rule: Who,
    owner: Option<UserId>,
) -> Grant {
    let allowed = match principal {
        Principal::Anonymous => rule == Who::Anyone,
        Principal::User(user) => {
            matches!(rule, Who::Anyone | Who::User) || (verb == Verb::Read && owner == Some(user.user_id))
        }
        Principal::Service(service) => {
            let scoped = service.scopes.iter().any(|scope| scope_covers(scope, verb, path));
            match (path.is_reserved(), verb) {
                (false, _) => rule != Who::Nobody || scoped,
                // A user's key reads what its user may read; an operator's key what its scope names.
                (true, Verb::Read) => scoped && (service.owner.is_none() || service.owner == owner),
                (true, Verb::Write) => false,
            }
        }
    };
    match (allowed, principal) {
        (true, _) => Grant::Allowed,
        (false, Principal::Anonymous) => Grant::NoCredential,
        (false, Principal::User(_) | Principal::Service(_)) => Grant::Denied,
    }
}
