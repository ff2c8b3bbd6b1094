//! One event as it is stored: a time, a kind and six texts that lie in one piece of memory, since every opened
//! and ended stream makes rows.
//!
//! Owns: the bounds of a row's texts, and the fields that the chain and the packed form are made of.
//! Must not: know where rows are kept.

use std::fmt::Write as _;
use std::net::IpAddr;

use tidegate_types::Timestamp;
use uuid::Uuid;

use super::{Actor, AuditKind};

/// Longest `subject`, `request_id` and `detail` that are kept; longer ones are cut, so that no caller can
/// grow a row without bound.
const SUBJECT_BYTES: usize = 512;
const DETAIL_BYTES: usize = 4_096;
/// Cut JSON would not parse any more; this says so instead.
const DETAIL_CUT: &str = r#"{"cut":true}"#;
/// What the texts of nearly every row fit into.
const USUAL_BYTES: usize = 384;
/// Marks a text that a row does not have.
const ABSENT: usize = usize::MAX;

const ACTOR: usize = 0;
const SUBJECT: usize = 1;
const ADDRESS: usize = 2;
const REQUEST_ID: usize = 3;
const STREAM: usize = 4;
const DETAIL: usize = 5;

/// One row to be stored; its place in the chain is found when it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    pub(crate) at: Timestamp,
    pub(crate) kind: AuditKind,
    text: String,
    /// Where each text begins and ends.
    spans: [(usize, usize); 6],
}

/// Whom or what an event is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'s> {
    Id(Uuid),
    Text(&'s str),
}

/// The circumstances of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'c> {
    pub(crate) actor: Actor,
    pub(crate) subject: Option<Subject<'c>>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) request_id: Option<&'c str>,
    pub(crate) stream: Option<&'c str>,
}

impl AuditRow {
    /// A row; `detail` writes a JSON object behind what stands in the text already.
    pub(crate) fn new(
        at: Timestamp,
        kind: AuditKind,
        of: &Circumstances<'_>,
        detail: impl FnOnce(&mut String),
    ) -> Self {
        let mut row =
            Self { at, kind, text: String::with_capacity(USUAL_BYTES), spans: [(ABSENT, ABSENT); 6] };
        // A `String` takes whatever is written to it.
        row.put(ACTOR, |text| {
            let _ = of.actor.write_to(text);
        });
        match of.subject {
            Some(Subject::Id(id)) => row.put(SUBJECT, |text| push_id(text, id)),
            Some(Subject::Text(subject)) => row.put(SUBJECT, |text| text.push_str(cut(subject))),
            None => {}
        }
        if let Some(address) = of.address {
            // Writing to a text does not fail.
            row.put(ADDRESS, |text| {
                let _ = write!(text, "{address}");
            });
        }
        if let Some(request_id) = of.request_id {
            row.put(REQUEST_ID, |text| text.push_str(cut(request_id)));
        }
        if let Some(stream) = of.stream {
            row.put(STREAM, |text| text.push_str(stream));
        }
        row.put(DETAIL, |text| {
            let from = text.len();
            detail(text);
            if text.len() - from > DETAIL_BYTES {
                text.truncate(from);
                text.push_str(DETAIL_CUT);
            }
        });
        row
    }

    fn put(&mut self, which: usize, write: impl FnOnce(&mut String)) {
        let from = self.text.len();
        write(&mut self.text);
        if let Some(span) = self.spans.get_mut(which) {
            *span = (from, self.text.len());
        }
    }

    fn text(&self, which: usize) -> Option<&str> {
        let (from, to) = *self.spans.get(which)?;
        self.text.get(from..to)
    }

    /// What is stored of it.
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields {
            at: self.at.as_millis(),
            kind: self.kind.as_str(),
            actor: self.text(ACTOR).unwrap_or_default(),
            subject: self.text(SUBJECT),
            address: self.text(ADDRESS),
            request_id: self.text(REQUEST_ID),
            stream: self.text(STREAM),
            detail: self.text(DETAIL).unwrap_or_default(),
        }
    }
}

/// The fields of one stored event, in the order in which they are hashed and packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fields<'f> {
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    pub(crate) kind: &'f str,
    pub(crate) actor: &'f str,
    pub(crate) subject: Option<&'f str>,
    pub(crate) address: Option<&'f str>,
    pub(crate) request_id: Option<&'f str>,
    pub(crate) stream: Option<&'f str>,
    /// JSON.
    pub(crate) detail: &'f str,
}

fn push_id(text: &mut String, id: Uuid) {
    text.push_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(SUBJECT_BYTES)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::AuditEvent;
    use serde_json::json;

    #[test]
    fn long_texts_are_cut_at_a_character_and_a_long_detail_says_so() {
        let event = AuditEvent::new(AuditKind::Admin, Actor::Operator)
            .subject("é".repeat(SUBJECT_BYTES))
            .detail(json!({ "long": "x".repeat(DETAIL_BYTES) }));
        let row = event.at(Timestamp::from_millis(1));
        assert_eq!(row.fields().subject, Some("é".repeat(SUBJECT_BYTES / 2).as_str()));
        assert_eq!(row.fields().detail, DETAIL_CUT);
        assert_eq!((row.fields().address, row.fields().actor), (None, "operator"));
    }
}
