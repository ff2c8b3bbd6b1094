//! Walking the whole chain, event by event.

use rusqlite::{Connection, Row};
use tidegate_db::{Db, DbError};

use super::{BODY, Bounds, COLUMNS, HASHES, TERMS, unsigned};
use crate::audit::{
    AuditKind, AuditVerdict, ChainEnd, HASH_BYTES, Unpacked, chain_hash, may_hold, unpack, words_of,
};

pub(in super::super) async fn verify(db: &Db) -> Result<AuditVerdict, DbError> {
    db.read(|conn| {
        // One snapshot for the ends and the batches between them.
        let tx = conn.transaction()?;
        verify_in(&tx)
    })
    .await
}

fn verify_in(conn: &Connection) -> Result<AuditVerdict, DbError> {
    let (base, head) = conn.query_row(
        "SELECT base_seq, base_hash, head_seq, head_hash, head_at FROM audit_chain",
        [],
        |row| {
            let base = ChainEnd { seq: unsigned(row.get(0)?), hash: row.get(1)?, at: i64::MIN };
            Ok((base, ChainEnd { seq: unsigned(row.get(2)?), hash: row.get(3)?, at: row.get(4)? }))
        },
    )?;
    let mut walk = Walk { end: base, count: 0, scratch: Vec::new() };
    let mut statement = conn.prepare(&format!("SELECT {COLUMNS} FROM audit_batches ORDER BY first_seq"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some((seq, reason)) = walk.batch(row)? {
            return Ok(AuditVerdict::Broken { seq, reason });
        }
    }
    let Walk { end, count, .. } = walk;
    if (end.seq, end.hash) != (head.seq, head.hash) {
        return Ok(AuditVerdict::Broken { seq: end.seq + 1, reason: "the last rows are missing" });
    }
    Ok(AuditVerdict::Intact { rows: count, head: end.seq })
}

/// The first row that does not fit, and why.
type Misfit = Option<(u64, &'static str)>;

struct Walk {
    end: ChainEnd,
    count: u64,
    /// Memory in which one row after the other is hashed.
    scratch: Vec<u8>,
}

impl Walk {
    /// Walks through one batch.
    fn batch(&mut self, row: &Row<'_>) -> rusqlite::Result<Misfit> {
        let bounds = Bounds::of(row)?;
        let first = self.end.seq + 1;
        if bounds.first_seq != first {
            return Ok(Some((first, "a row is missing")));
        }
        let Some(events) = row.get_ref(BODY)?.as_str().ok().and_then(unpack) else {
            return Ok(Some((first, "a batch of rows can't be read")));
        };
        let (hashes, stray) = row.get_ref(HASHES)?.as_blob().unwrap_or_default().as_chunks::<HASH_BYTES>();
        for (event, stored) in events.iter().zip(hashes) {
            if let Some(reason) = self.event(event, stored) {
                return Ok(Some((self.end.seq + 1, reason)));
            }
        }
        let whole = events.len() == hashes.len() && stray.is_empty() && !events.is_empty();
        if !whole || self.end.seq != bounds.last_seq {
            return Ok(Some((self.end.seq + 1, "a row is missing")));
        }
        let terms = row.get_ref(TERMS)?.as_blob_or_null().unwrap_or(Some(&[]));
        if hides(&events, bounds, terms) || bounds.last_at < self.end.at {
            return Ok(Some((first, "a batch hides a row from filters")));
        }
        self.end.at = bounds.last_at;
        Ok(None)
    }

    /// Walks past one event.
    fn event(&mut self, event: &Unpacked, stored: &[u8; HASH_BYTES]) -> Option<&'static str> {
        if AuditKind::from_word(&event.kind).is_none() {
            return Some("a row has an unknown kind");
        }
        let seq = self.end.seq + 1;
        let hash = chain_hash(&mut self.scratch, &self.end.hash, seq, &event.fields());
        if hash != *stored {
            return Some("a row was changed");
        }
        (self.end.seq, self.end.hash) = (seq, hash);
        self.count += 1;
        None
    }
}

/// Whether a filtered list would pass over an event of this batch.
fn hides(events: &[Unpacked], bounds: Bounds, terms: Option<&[u8]>) -> bool {
    events.iter().any(|event| {
        let timely = (bounds.first_at..=bounds.last_at).contains(&event.at);
        let named = terms.is_none_or(|terms| words_of(&event.fields()).all(|word| may_hold(terms, word)));
        !timely || !named
    })
}
