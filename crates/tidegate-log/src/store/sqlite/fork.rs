//! Forks: who points at whom, and where inherited records are.
//!
//! Owns: the count of forks of a stream, and the lineages that were followed once. Must not: copy a
//! record. A lineage never changes, so what is remembered of it can't be stale.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tidegate_db::rusqlite::{Connection, Result, params};
use tidegate_types::Offset;

use crate::store::Stored;
use crate::{Fork, StreamId};

/// Segments of all remembered lineages together (some 32 bytes each).
const SEGMENTS_MAX: usize = 65_536;

/// A run of inherited records: from the end of the one before it (or the start) up to `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The stream that holds them.
    pub(super) id: StreamId,
    pub(super) until: Offset,
    /// Bytes that count of the last one, if not all.
    pub(super) cut: Option<u64>,
}

/// Lineages that were followed once.
#[derive(Debug, Default)]
pub(super) struct Lineages(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    by_id: HashMap<StreamId, Arc<[Segment]>>,
    segments: usize,
}

impl Lineages {
    /// Where the inherited records of a fork are, in order.
    pub(super) fn of(&self, conn: &Connection, stored: &Stored, fork: &Fork) -> Result<Arc<[Segment]>> {
        let id = stored.info.id;
        if let Some(known) = self.lock().by_id.get(&id) {
            return Ok(Arc::clone(known));
        }
        let lineage: Arc<[Segment]> = follow(conn, fork, stored.info.is_json())?.into();
        let mut remembered = self.lock();
        if remembered.segments.saturating_add(lineage.len()) > SEGMENTS_MAX {
            *remembered = Remembered::default();
        }
        if remembered.by_id.insert(id, Arc::clone(&lineage)).is_none() {
            // One more for the entry itself.
            remembered.segments += lineage.len() + 1;
        }
        Ok(lineage)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a fork left the stream that it points at.
struct Link {
    source: StreamId,
    at: Offset,
    cut: Option<u64>,
}

/// Follows the chain up to a stream that is no fork. All of it has one media type.
fn follow(conn: &Connection, fork: &Fork, is_json: bool) -> Result<Vec<Segment>> {
    let mut statement = conn.prepare_cached(
        "SELECT fork_of, fork_offset, fork_sub_offset FROM streams WHERE id = ?1 AND fork_of IS NOT NULL",
    )?;
    let mut links = vec![Link { source: fork.source, at: fork.at, cut: fork.cut(is_json) }];
    let mut next = Some(fork.source);
    while let Some(id) = next {
        let mut rows = statement.query([id.get()])?;
        next = None;
        if let Some(row) = rows.next()? {
            let source = StreamId::new(row.get(0)?);
            let sub: u64 = row.get(2)?;
            let cut = (!is_json && sub > 0).then_some(sub);
            links.push(Link { source, at: super::offset(row, 1)?, cut });
            next = Some(source);
        }
    }
    Ok(join(&links))
}

/// The chain, nearest first, as runs of records.
fn join(links: &[Link]) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for link in links.iter().rev() {
        segments.push(Segment { id: link.source, until: Offset::MAX, cut: None });
        while let Some((last, before)) = segments.split_last_mut() {
            if before.last().map_or(Offset::START, |segment| segment.until) < link.at {
                if link.at < last.until {
                    *last = Segment { until: link.at, cut: None, ..*last };
                }
                last.cut = link.cut.into_iter().chain(last.cut).min();
                break;
            }
            segments.pop();
        }
    }
    segments
}

/// Counts a new fork.
pub(super) fn refer(conn: &Connection, fork: &Fork) -> Result<()> {
    conn.prepare_cached("UPDATE streams SET ref_count = ref_count + 1 WHERE id = ?1")?
        .execute([fork.source.get()])?;
    Ok(())
}

/// Where nobody points at a deleted stream any more, it lets go of its own source. That one is
/// looked at again by housekeeping: it may hold records that only this fork read.
pub(super) fn release(conn: &Connection, id: i64) -> Result<()> {
    let released = conn
        .prepare_cached(
            "UPDATE streams SET ref_count = ref_count - 1, purged = 0 \
             WHERE id = (SELECT fork_of FROM streams WHERE id = ?1 AND ref_count = 0)",
        )?
        .execute([id])?;
    if released > 0 {
        conn.prepare_cached("UPDATE streams SET fork_of = NULL WHERE id = ?1")?.execute([id])?;
    }
    Ok(())
}

/// The position up to which forks of the stream may read it.
pub(super) fn held_until(conn: &Connection, id: i64) -> Result<u64> {
    conn.prepare_cached("SELECT coalesce(max(fork_offset), 0) FROM streams WHERE fork_of = ?1")?
        .query_row(params![id], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(source: i64, at: u64, cut: Option<u64>) -> Link {
        Link { source: StreamId::new(source), at: Offset::new(at).unwrap(), cut }
    }

    fn joined(links: &[Link]) -> Vec<(i64, u64, Option<u64>)> {
        join(links).iter().map(|s| (s.id.get(), s.until.get(), s.cut)).collect()
    }

    #[test]
    fn a_chain_is_a_list_of_runs() {
        assert_eq!(joined(&[link(1, 5, None)]), [(1, 5, None)]);
        assert_eq!(joined(&[link(2, 8, None), link(1, 5, None)]), [(1, 5, None), (2, 8, None)]);
        assert_eq!(
            joined(&[link(2, 3, None), link(1, 5, None)]),
            [(1, 3, None)],
            "it leaves within what is inherited"
        );
        assert_eq!(
            joined(&[link(2, 5, None), link(1, 5, None)]),
            [(1, 5, None)],
            "nothing of the one between"
        );
        assert_eq!(joined(&[link(2, 0, None), link(1, 5, None)]), []);
    }

    #[test]
    fn a_part_of_a_record_of_which_a_part_is_inherited_is_the_smaller_part() {
        assert_eq!(joined(&[link(2, 1, Some(2)), link(1, 1, Some(4))]), [(1, 1, Some(2))]);
        assert_eq!(joined(&[link(2, 1, None), link(1, 1, Some(4))]), [(1, 1, Some(4))]);
        assert_eq!(joined(&[link(2, 2, Some(9)), link(1, 1, Some(4))]), [(1, 1, Some(4)), (2, 2, Some(9))]);
        assert_eq!(joined(&[link(2, 2, None), link(1, 3, Some(4))]), [(1, 2, None)]);
    }
}
