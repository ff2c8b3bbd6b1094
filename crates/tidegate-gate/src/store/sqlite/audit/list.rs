//! Reading the audit, filtered and a page at a time.
//!
//! Owns: the walk from batch to batch: what a batch's times and filter rule out is not unpacked.
//! Must not: keep a reader for long: a filter that fits little is looked for in slices, and others read between.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tidegate_db::{Db, DbError};
use tidegate_types::Timestamp;

use super::{BODY, Bounds, COLUMNS, HASHES, TERMS, signed};
use crate::audit::{
    AuditEntry, AuditFilter, AuditOrder, AuditPage, HASH_BYTES, Unpacked, Word, may_hold, unpack,
};
use crate::store::sqlite::corrupt;

/// Batches that one slice passes at most.
const SLICE_BATCHES: i64 = 4_096;
/// Events that one slice unpacks before it gives its reader back.
const SLICE_EVENTS: usize = 16_384;

pub(in super::super) async fn list(
    db: &Db,
    filter: AuditFilter,
    page: AuditPage,
) -> Result<Vec<AuditEntry>, DbError> {
    let wanted = Arc::new(Wanted::new(filter));
    let mut found = Vec::new();
    let mut from = Some(page.cursor);
    while let Some(cursor) = from.filter(|_| found.len() < page.limit) {
        let rest = AuditPage { cursor, limit: page.limit - found.len(), ..page };
        let wanted = Arc::clone(&wanted);
        let slice = db.read(move |conn| slice(conn, &wanted, rest)).await?;
        found.extend(slice.found);
        from = slice.next.map(Some);
    }
    Ok(found)
}

/// A filter with its words as they are stored.
struct Wanted {
    kind: Option<&'static str>,
    /// One value in both shapes: as an actor and as a bare id.
    user: Option<(String, String)>,
    stream: Option<String>,
    since: i64,
    until: i64,
    words: Vec<Word>,
}

impl Wanted {
    fn new(filter: AuditFilter) -> Self {
        let kind = filter.kind.map(crate::audit::AuditKind::as_str);
        let stream = filter.stream.map(|stream| stream.as_str().to_owned());
        let words = kind.map(Word::kind).into_iter().chain(stream.as_deref().map(Word::stream)).collect();
        Self {
            kind,
            user: filter.user.map(|user| (format!("user:{user}"), user.to_string())),
            stream,
            since: filter.since.map_or(i64::MIN, Timestamp::as_millis),
            until: filter.until.map_or(i64::MAX, Timestamp::as_millis),
            words,
        }
    }

    /// Whether a batch must be looked into.
    fn may_be_in(&self, bounds: Bounds, terms: Option<&[u8]>) -> bool {
        if bounds.last_at < self.since || bounds.first_at >= self.until {
            return false;
        }
        terms.is_none_or(|terms| {
            self.words.iter().all(|word| may_hold(terms, *word))
                && self.user.as_ref().is_none_or(|(actor, id)| {
                    may_hold(terms, Word::actor(actor)) || may_hold(terms, Word::subject(id))
                })
        })
    }

    fn takes(&self, event: &Unpacked) -> bool {
        let by_or_to = |(actor, id): &(String, String)| {
            event.actor == *actor || event.subject.as_deref() == Some(id.as_str())
        };
        self.kind.is_none_or(|kind| event.kind == kind)
            && self.user.as_ref().is_none_or(by_or_to)
            && self.stream.as_ref().is_none_or(|stream| event.stream.as_ref() == Some(stream))
            && event.at >= self.since
            && event.at < self.until
    }
}

/// What a slice found, and the cursor with which the next one goes on, if there is more.
struct Slice {
    found: Vec<AuditEntry>,
    next: Option<u64>,
}

fn slice(conn: &mut Connection, wanted: &Wanted, page: AuditPage) -> Result<Slice, DbError> {
    // The looks for the first batch and the walk from there see one state.
    let tx = conn.transaction()?;
    let (from, compare, direction) = match page.order {
        AuditOrder::NewestFirst => (page.cursor.map_or(i64::MAX, signed), "<", "DESC"),
        AuditOrder::OldestFirst => (oldest_wanted(&tx, wanted, page.cursor)?, ">=", "ASC"),
    };
    let mut statement = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit_batches WHERE first_seq {compare} ?1 ORDER BY first_seq {direction} LIMIT ?2"
    ))?;
    let mut rows = statement.query(params![from, SLICE_BATCHES])?;
    let (mut found, mut unpacked, mut passed, mut next) = (Vec::new(), 0, 0, None);
    while let Some(row) = rows.next()? {
        let bounds = Bounds::of(row)?;
        if page.order == AuditOrder::NewestFirst && bounds.last_at < wanted.since {
            return Ok(Slice { found, next: None });
        }
        if wanted.may_be_in(bounds, row.get_ref(TERMS)?.as_blob_or_null().unwrap_or(None)) {
            unpacked += collect(row, bounds, wanted, page, &mut found)?;
        }
        passed += 1;
        next = Some(match page.order {
            AuditOrder::NewestFirst => bounds.first_seq,
            AuditOrder::OldestFirst => bounds.last_seq,
        });
        if found.len() >= page.limit || unpacked >= SLICE_EVENTS {
            return Ok(Slice { found, next });
        }
    }
    Ok(Slice { found, next: next.filter(|_| passed >= SLICE_BATCHES) })
}

/// Takes what is wanted of one batch. Answers how many events it holds.
fn collect(
    row: &Row<'_>,
    bounds: Bounds,
    wanted: &Wanted,
    page: AuditPage,
    found: &mut Vec<AuditEntry>,
) -> Result<usize, DbError> {
    let body = row.get_ref(BODY)?.as_str().ok().and_then(unpack);
    let events = body.ok_or_else(|| corrupt("batch of the audit"))?;
    let (hashes, _) = row.get_ref(HASHES)?.as_blob().unwrap_or_default().as_chunks::<HASH_BYTES>();
    let count = events.len();
    let numbered = (bounds.first_seq..).zip(events).enumerate();
    let unseen = |seq: u64| match page.order {
        AuditOrder::NewestFirst => page.cursor.is_none_or(|cursor| seq < cursor),
        AuditOrder::OldestFirst => page.cursor.is_none_or(|cursor| seq > cursor),
    };
    let mut taken: Vec<AuditEntry> = numbered
        .filter(|(_, (seq, event))| unseen(*seq) && wanted.takes(event))
        .map(|(at, (seq, event))| entry(seq, event, hashes.get(at)))
        .collect();
    if page.order == AuditOrder::NewestFirst {
        taken.reverse();
    }
    taken.truncate(page.limit.saturating_sub(found.len()));
    found.extend(taken);
    Ok(count)
}

fn entry(seq: u64, event: Unpacked, hash: Option<&[u8; HASH_BYTES]>) -> AuditEntry {
    AuditEntry {
        seq,
        at: Timestamp::from_millis(event.at),
        kind: event.kind,
        actor: event.actor,
        subject: event.subject,
        address: event.address,
        request_id: event.request_id,
        stream: event.stream,
        detail: serde_json::from_str(&event.detail).unwrap_or(serde_json::Value::String(event.detail)),
        hash: hash.map(hexadecimal).unwrap_or_default(),
    }
}

fn hexadecimal(hash: &[u8; HASH_BYTES]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    hash.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The batch with which a walk from the oldest begins: that of the row behind the cursor, or the first that
/// may be late enough.
fn oldest_wanted(conn: &Connection, wanted: &Wanted, cursor: Option<u64>) -> Result<i64, DbError> {
    let mut holding = conn.prepare_cached(
        "SELECT first_seq, last_seq, first_at, last_at FROM audit_batches
         WHERE first_seq <= ?1 ORDER BY first_seq DESC LIMIT 1",
    )?;
    let mut batch_of = |seq: u64| holding.query_row([signed(seq)], Bounds::of).optional();
    let behind = cursor.map_or(0, |cursor| cursor.saturating_add(1));
    let (mut low, mut high) = (batch_of(behind)?.map_or(0, |batch| batch.first_seq), u64::MAX);
    if wanted.since == i64::MIN {
        return Ok(signed(low));
    }
    // The latest times so far never fall, so the first that is late enough is found by halves.
    high = batch_of(high)?.map_or(low, |last| last.first_seq.max(low));
    while low < high {
        let middle = low + (high - low) / 2;
        match batch_of(middle)? {
            Some(batch) if batch.last_at >= wanted.since && batch.first_seq >= low => high = batch.first_seq,
            Some(batch) if batch.last_at >= wanted.since => high = low,
            Some(batch) => low = batch.last_seq.max(middle) + 1,
            None => low = middle + 1,
        }
    }
    Ok(signed(low))
}
