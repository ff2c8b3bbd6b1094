//! Events packed into batches, as they are stored: what one write holds is one batch, up to a bound.
//!
//! Owns: the packed form (a JSON array of arrays, 32 bytes of hash for each event beside it) and the end of the
//! chain, which each batch moves on.
//! Must not: know a table.

use serde::Deserialize;
use tidegate_db::DbError;

use super::row::Fields;
use super::terms::{filter_of, words_of};
use super::{AuditRow, chain_hash};

/// Events of one batch at most.
const BATCH_EVENTS: usize = 256;
/// Bytes after which a batch takes no further event.
const BATCH_BYTES: usize = 64 * 1_024;
/// What the packed form of an event usually takes.
const USUAL_BYTES: usize = 320;
/// Bytes of one hash.
pub(crate) const HASH_BYTES: usize = 32;

/// Where the chain ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainEnd {
    /// Number of the last event.
    pub(crate) seq: u64,
    pub(crate) hash: [u8; HASH_BYTES],
    /// The latest time of any event so far, in milliseconds.
    pub(crate) at: i64,
}

/// Events that follow each other, packed.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    /// The earliest time in it.
    pub(crate) first_at: i64,
    /// The latest time in it or in any before: these never fall.
    pub(crate) last_at: i64,
    pub(crate) terms: Vec<u8>,
    pub(crate) hashes: Vec<u8>,
    pub(crate) body: String,
}

impl Batch {
    /// Packs as many of these rows as one batch takes, and moves the end of the chain behind them. Answers the
    /// rest, too. `None` for no rows.
    pub(crate) fn pack<'r>(
        end: &mut ChainEnd,
        rows: &'r [AuditRow],
    ) -> Result<Option<(Self, &'r [AuditRow])>, DbError> {
        let most = rows.len().min(BATCH_EVENTS);
        let mut body = Vec::with_capacity(most.saturating_mul(USUAL_BYTES));
        let mut hashes = Vec::with_capacity(most.saturating_mul(HASH_BYTES));
        let mut words = Vec::with_capacity(most.saturating_mul(4));
        let mut scratch = Vec::with_capacity(2 * USUAL_BYTES);
        let (first_seq, mut first_at, mut count) = (end.seq + 1, i64::MAX, 0);
        for row in rows.iter().take(most) {
            if body.len() >= BATCH_BYTES {
                break;
            }
            let fields = row.fields();
            body.push(if count == 0 { b'[' } else { b',' });
            write_fields(&mut body, &fields)?;
            words.extend(words_of(&fields));
            first_at = first_at.min(fields.at);
            let seq = end.seq + 1;
            let hash = chain_hash(&mut scratch, &end.hash, seq, &fields);
            hashes.extend_from_slice(&hash);
            *end = ChainEnd { seq, hash, at: end.at.max(fields.at) };
            count += 1;
        }
        let Some((_, rest)) = rows.split_at_checked(count).filter(|_| count > 0) else { return Ok(None) };
        body.push(b']');
        let body = String::from_utf8(body).map_err(|error| unpackable(&error))?;
        let (last_seq, last_at, terms) = (end.seq, end.at, filter_of(words));
        Ok(Some((Self { first_seq, last_seq, first_at, last_at, terms, hashes, body }, rest)))
    }
}

fn write_fields(body: &mut Vec<u8>, fields: &Fields<'_>) -> Result<(), DbError> {
    let Fields { at, kind, actor, subject, address, request_id, stream, detail } = *fields;
    body.push(b'[');
    write_other(body, &at)?;
    let texts = [Some(kind), Some(actor), subject, address, request_id, stream, Some(detail)];
    for text in texts {
        body.push(b',');
        match text {
            None => body.extend_from_slice(b"null"),
            Some(text) => match form_of(text) {
                Form::Plain => {
                    body.push(b'"');
                    body.extend_from_slice(text.as_bytes());
                    body.push(b'"');
                }
                Form::Quotes => write_quoting(body, text),
                Form::Other => write_other(body, &text)?,
            },
        }
    }
    body.push(b']');
    Ok(())
}

/// What JSON makes of a text.
enum Form {
    /// As it is: most are ids and words.
    Plain,
    /// A backslash before each quote: the details are JSON themselves.
    Quotes,
    Other,
}

fn form_of(text: &str) -> Form {
    let (plain, other) = text.bytes().fold((true, false), |(plain, other), byte| {
        (plain & (byte != b'"'), other | (byte < b' ') | (byte == b'\\'))
    });
    match (plain, other) {
        (_, true) => Form::Other,
        (true, false) => Form::Plain,
        (false, false) => Form::Quotes,
    }
}

fn write_quoting(body: &mut Vec<u8>, text: &str) {
    body.push(b'"');
    for (at, piece) in text.as_bytes().split(|byte| *byte == b'"').enumerate() {
        if at > 0 {
            body.extend_from_slice(b"\\\"");
        }
        body.extend_from_slice(piece);
    }
    body.push(b'"');
}

fn write_other(body: &mut Vec<u8>, value: &impl serde::Serialize) -> Result<(), DbError> {
    serde_json::to_writer(body, value).map_err(|error| unpackable(&error))
}

fn unpackable(error: &dyn std::error::Error) -> DbError {
    DbError::Bug(format!("events can't be packed: {error}"))
}

/// One event as it was unpacked.
#[derive(Debug, Deserialize)]
pub(crate) struct Unpacked {
    pub(crate) at: i64,
    pub(crate) kind: String,
    pub(crate) actor: String,
    pub(crate) subject: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) stream: Option<String>,
    pub(crate) detail: String,
}

impl Unpacked {
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields {
            at: self.at,
            kind: &self.kind,
            actor: &self.actor,
            subject: self.subject.as_deref(),
            address: self.address.as_deref(),
            request_id: self.request_id.as_deref(),
            stream: self.stream.as_deref(),
            detail: &self.detail,
        }
    }
}

/// The events of a batch; `None` if it can't be read.
pub(crate) fn unpack(body: &str) -> Option<Vec<Unpacked>> {
    serde_json::from_str(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Actor, AuditEvent, AuditKind};
    use serde_json::json;
    use tidegate_types::Timestamp;

    fn rows(count: usize, text: &str) -> Vec<AuditRow> {
        let event = AuditEvent::new(AuditKind::Admin, Actor::Operator).detail(json!({ "text": text }));
        (0..count).map(|n| event.clone().subject(n).at(Timestamp::from_millis(5))).collect()
    }

    fn sizes(mut rows: &[AuditRow]) -> Vec<usize> {
        let mut end = ChainEnd { seq: 0, hash: [0; 32], at: 9 };
        let mut sizes = Vec::new();
        while let Some((batch, rest)) = Batch::pack(&mut end, rows).unwrap() {
            let events = unpack(&batch.body).unwrap();
            assert_eq!((batch.first_at, batch.last_at), (5, 9));
            assert_eq!(batch.hashes.len(), events.len() * HASH_BYTES);
            assert_eq!(batch.last_seq - batch.first_seq + 1, events.len() as u64);
            events.iter().zip(rows).for_each(|(event, row)| assert_eq!(event.fields(), row.fields()));
            sizes.push(events.len());
            rows = rest;
        }
        sizes
    }

    #[test]
    fn a_batch_is_bounded_by_its_events_and_by_its_bytes() {
        assert_eq!(sizes(&rows(600, "\"quoted\" \\ \u{1} é")), [256, 256, 88]);
        assert_eq!(sizes(&rows(50, &"x".repeat(4_000))), [17, 17, 16]);
        assert_eq!(sizes(&[]), [0; 0]);
    }
}
