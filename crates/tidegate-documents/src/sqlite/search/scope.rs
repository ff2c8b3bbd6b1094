//! Where is looked: the documents that a search may see, and how much text that is.

use rusqlite::{Connection, OptionalExtension as _, params};
use tidegate_db::DbError;

use crate::search::SearchQuery;
use crate::sqlite::passages::{document_word, owner_word};

/// Documents that are being read or removed; more of them at once are left to the check of each
/// passage.
const HIDDEN_MAX: i64 = 64;

/// The searchable documents of a search.
#[derive(Debug)]
pub(super) struct Scope {
    /// Words of the index that passages of these documents carry.
    within: String,
    /// Words of documents that are not ready.
    without: Option<String>,
    pub(super) passages: f64,
    /// How long a passage is on average.
    pub(super) mean_bytes: f64,
}

impl Scope {
    /// `None`: there is nothing to be searched.
    pub(super) fn of(conn: &Connection, query: &SearchQuery) -> Result<Option<Self>, DbError> {
        let found = match query.documents.is_empty() {
            true => everything(conn, query)?,
            false => named(conn, query)?,
        };
        let Some((within, without, passages, bytes)) = found else { return Ok(None) };
        if passages == 0 {
            return Ok(None);
        }
        let passages = number(passages);
        Ok(Some(Self { within, without, passages, mean_bytes: (number(bytes) / passages).max(1.0) }))
    }

    /// The index's text for passages of the scope that match.
    pub(super) fn matching(&self, words: &str) -> String {
        let found = format!("scope : ({}) AND {{text heading}} : ({words})", self.within);
        match &self.without {
            Some(without) => format!("({found}) NOT scope : ({without})"),
            None => found,
        }
    }
}

type Found = Option<(String, Option<String>, i64, i64)>;

fn everything(conn: &Connection, query: &SearchQuery) -> Result<Found, DbError> {
    let owner = query.owner.to_string();
    let (passages, bytes) = conn
        .prepare_cached(
            "SELECT coalesce(sum(passages), 0), coalesce(sum(text_bytes), 0) FROM documents
             WHERE owner_id = ?1 AND status = 'ready'",
        )?
        .query_row([&owner], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut hidden = conn.prepare_cached(
        "SELECT seq FROM documents WHERE status = 'processing' AND owner_id = ?1
         UNION ALL SELECT document FROM document_removals LIMIT ?2",
    )?;
    let hidden = hidden.query_map(params![owner, HIDDEN_MAX], |row| row.get::<_, i64>(0))?;
    let hidden: Vec<String> = hidden.map(|number| number.map(quoted)).collect::<Result<_, _>>()?;
    let without = (!hidden.is_empty()).then(|| hidden.join(" OR "));
    Ok(Some((format!("\"{}\"", owner_word(query.owner)), without, passages, bytes)))
}

fn named(conn: &Connection, query: &SearchQuery) -> Result<Found, DbError> {
    let (owner, mut within, mut passages, mut bytes) = (query.owner.to_string(), Vec::new(), 0_i64, 0_i64);
    let mut statement = conn.prepare_cached(
        "SELECT seq, passages, text_bytes FROM documents WHERE id = ?1 AND owner_id = ?2 AND status = 'ready'",
    )?;
    for id in &query.documents {
        let row = |row: &rusqlite::Row<'_>| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        };
        let Some((seq, more, text)) = statement.query_row(params![id.to_string(), owner], row).optional()?
        else {
            continue;
        };
        let word = quoted(seq);
        if !within.contains(&word) {
            within.push(word);
            passages = passages.saturating_add(more);
            bytes = bytes.saturating_add(text);
        }
    }
    Ok((!within.is_empty()).then(|| (within.join(" OR "), None, passages, bytes)))
}

fn quoted(number: i64) -> String {
    format!("\"{}\"", document_word(number))
}

#[expect(clippy::cast_precision_loss, reason = "sizes for weights")]
const fn number(count: i64) -> f64 {
    count as f64
}
