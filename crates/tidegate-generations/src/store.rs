//! What generations need of a database.

/// The tables of this crate.
pub trait GenerationStore: Send + Sync {}
