//! Who may subscribe: whoever may read everything that a subscription matches, and subscribe to it.
//!
//! Owns: what that means for a pattern, whose streams are yet to be made.
//! Must not: be the last word; each stream is asked for again before its owner is told of it.

use tidegate_gate::{Principal, Scope};
use tidegate_types::{ErrorCode, RESERVED_PREFIXES, StreamPath, StreamPattern};

use super::decide::Verb;
use super::{answer, may_read, owner_of};
use crate::access::decide::judge;
use crate::problem::Problem;
use crate::{AccessRule, AppState, Who};

/// Refuses a principal that may not subscribe to all of this.
pub(crate) async fn may_subscribe(
    state: &AppState,
    principal: &Principal,
    pattern: Option<&StreamPattern>,
    streams: &[StreamPath],
) -> Result<(), Problem> {
    for path in streams {
        may_read(state, principal, path).await?;
        let owner = owner_of(state, path).await?;
        let rule = state.config().access_rule(path).map_or(Who::Nobody, |rule| rule.subscribe);
        answer(judge(principal, path, Verb::Subscribe, rule, owner), principal, path, Verb::Subscribe)?;
    }
    match pattern {
        Some(pattern) if !may_match(principal, pattern, &state.config().access) => {
            Err(refusal(principal, pattern))
        }
        Some(_) | None => Ok(()),
    }
}

fn refusal(principal: &Principal, pattern: &StreamPattern) -> Problem {
    match principal {
        Principal::Anonymous => ErrorCode::Unauthenticated.into(),
        Principal::User(_) => ErrorCode::Forbidden.into(),
        Principal::Service(_) => {
            Problem::new(ErrorCode::InsufficientScope).scope(format!("streams:read:{}", pattern.as_str()))
        }
    }
}

/// Whether every path of the pattern is one that the principal may read and subscribe to, now and later.
pub(super) fn may_match(principal: &Principal, pattern: &StreamPattern, rules: &[AccessRule]) -> bool {
    if let Principal::Service(service) = principal {
        let covers = |scope: &Scope| matches!(scope, Scope::StreamsRead(mine) if mine.covers(pattern));
        if service.scopes.iter().any(covers) {
            return true;
        }
    }
    // Rules never open the server's own streams.
    if RESERVED_PREFIXES.contains(&pattern.first_segment()) {
        return false;
    }
    for rule in rules.iter().filter(|rule| rule.path.may_overlap(pattern)) {
        if !lets_in(rule.read, principal) || !lets_in(rule.subscribe, principal) {
            return false;
        }
        if rule.path.covers(pattern) {
            return true;
        }
    }
    false
}

fn lets_in(who: Who, principal: &Principal) -> bool {
    match principal {
        Principal::Anonymous => who == Who::Anyone,
        Principal::User(_) => matches!(who, Who::Anyone | Who::User),
        Principal::Service(_) => who != Who::Nobody,
    }
}
