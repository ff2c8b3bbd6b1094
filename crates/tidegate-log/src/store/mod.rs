//! Where streams are kept.

pub(crate) mod sqlite;

/// A store of streams.
#[async_trait::async_trait]
pub trait LogStore: Send + Sync + std::fmt::Debug + 'static {}
