//! The life of a record and of its file: listing, reading the file back, deleting.

mod content;
mod delete;
mod files;
mod list;

pub use content::Content;
pub(crate) use files::{Files, Incoming, open_stored};
