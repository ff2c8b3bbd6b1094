//! The audit in SQLite: a row for each batch of events. One file per verb.
//!
//! Owns: what the verbs share of a stored batch.
//! Must not: change a batch, or drop one that is not at the beginning of the chain.

mod append;
mod list;
mod trim;
mod verify;

use rusqlite::Row;

pub(super) use append::append;
pub(crate) use append::append_audit_in;
pub(super) use list::list;
pub(super) use trim::trim;
pub(super) use verify::verify;

use super::tickets::{signed, unsigned};

/// What a batch says of itself, in the order of the table.
const COLUMNS: &str = "first_seq, last_seq, first_at, last_at, terms, hashes, body";
const TERMS: usize = 4;
const HASHES: usize = 5;
const BODY: usize = 6;

/// The bounds of a batch.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    first_seq: u64,
    last_seq: u64,
    first_at: i64,
    last_at: i64,
}

impl Bounds {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            first_seq: unsigned(row.get(0)?),
            last_seq: unsigned(row.get(1)?),
            first_at: row.get(2)?,
            last_at: row.get(3)?,
        })
    }
}
