//! What the owner of a subscription may do now: the same questions that a request of theirs would meet.

use async_trait::async_trait;
use tidegate_gate::{AuthError, Principal};
use tidegate_subscriptions::{Owner, Reach};
use tidegate_types::{ErrorCode, StreamPath};

use super::owner::principal_of;
use crate::AppState;
use crate::access;
use crate::problem::Problem;
use crate::state::WeakState;

/// Asks the gate and the access rules.
pub(crate) struct EdgeReach(WeakState);

impl EdgeReach {
    pub(crate) fn new(state: &AppState) -> Self {
        Self(state.downgrade())
    }

    fn state(&self) -> Result<AppState, ErrorCode> {
        self.0.upgrade().ok_or(ErrorCode::Draining)
    }
}

/// The owner as they stand now; `None` when the key was revoked or the account is gone.
async fn present(state: &AppState, owner: &Owner) -> Result<Option<Principal>, ErrorCode> {
    let Some(principal) = principal_of(owner) else { return Ok(None) };
    match state.gate().reauthorize(&principal).await {
        Ok(principal) => Ok(Some(principal)),
        Err(AuthError::Invalid | AuthError::Expired | AuthError::Disabled) => Ok(None),
        Err(error @ AuthError::Db(_)) => Err(error.code()),
    }
}

/// A refusal is an answer; a failure is not.
fn is_allowed(answer: Result<(), Problem>) -> Result<bool, ErrorCode> {
    match answer {
        Ok(()) => Ok(true),
        Err(problem) if problem.code().status() < 500 => Ok(false),
        Err(problem) => Err(problem.code()),
    }
}

#[async_trait]
impl Reach for EdgeReach {
    async fn readable(&self, owner: &Owner, paths: &[StreamPath]) -> Result<Vec<bool>, ErrorCode> {
        let state = self.state()?;
        let Some(principal) = present(&state, owner).await? else {
            return Ok(vec![false; paths.len()]);
        };
        let mut readable = Vec::with_capacity(paths.len());
        for path in paths {
            readable.push(is_allowed(access::may_read(&state, &principal, path).await)?);
        }
        Ok(readable)
    }

    async fn may_append(&self, owner: &Owner, path: &StreamPath) -> Result<bool, ErrorCode> {
        let state = self.state()?;
        match present(&state, owner).await? {
            Some(principal) => is_allowed(access::may_write(&state, &principal, path)),
            None => Ok(false),
        }
    }
}
