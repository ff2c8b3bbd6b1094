//! The life of a record and of its file: listing, reading the file back, deleting.

mod delete;
mod files;
mod list;

pub(crate) use files::{Files, Incoming, open_stored};
