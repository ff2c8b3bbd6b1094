//! Whose subscription may see what, asked of whoever knows users.

use async_trait::async_trait;
use tidegate_types::{ErrorCode, StreamPath};

use crate::Owner;

/// What the owner of a subscription may do now. Asked before each wake is told, so that a revoked
/// key or a changed rule ends what it once allowed.
#[async_trait]
pub trait Reach: Send + Sync {
    /// Which of these streams the owner may read, in their order; all `false` if the owner is gone.
    ///
    /// # Errors
    /// It can't be told now.
    async fn readable(&self, owner: &Owner, paths: &[StreamPath]) -> Result<Vec<bool>, ErrorCode>;

    /// Whether the owner may append to this stream.
    ///
    /// # Errors
    /// It can't be told now.
    async fn may_append(&self, owner: &Owner, path: &StreamPath) -> Result<bool, ErrorCode>;
}
