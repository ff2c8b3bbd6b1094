//! The index, asked.
//!
//! Owns: the one place where a query text for FTS5 is made: from words that hold letters and digits
//! only, each in quotes. Must not: pass a user's text on.

use std::ops::Range;

use rusqlite::{Connection, named_params};
use tidegate_db::DbError;
use tidegate_types::DocumentId;

use super::passages::{COLUMNS, document_word, owner_word, passage};
use super::{count, number_of, read};
use crate::search::{Hit, Matching, SearchQuery, words};

/// Marks around a found word. Extraction removes control characters, so no text holds them.
const OPEN: char = '\u{2}';
const CLOSE: char = '\u{3}';

/// What is looked for, in words.
#[derive(Debug)]
pub(super) struct Wanted {
    query: SearchQuery,
    text: String,
}

impl Wanted {
    /// `None` when the text has no words.
    pub(super) fn of(query: &SearchQuery, words_max: usize) -> Option<Self> {
        let words = words(&query.text, words_max);
        // Who types ends in a space only after a whole word.
        let is_open = query.text.ends_with(char::is_alphanumeric);
        let last = words.len().checked_sub(1)?;
        let quoted = words.iter().enumerate().map(|(at, word)| match query.matching {
            Matching::All if at == last && is_open => format!("\"{word}\" *"),
            Matching::All | Matching::Any => format!("\"{word}\""),
        });
        let joint = match query.matching {
            Matching::All => " AND ",
            Matching::Any => " OR ",
        };
        let text = quoted.collect::<Vec<_>>().join(joint);
        Some(Self { query: query.clone(), text })
    }
}

pub(super) fn search(conn: &Connection, wanted: &Wanted) -> Result<Vec<Hit>, DbError> {
    let Some(scope) = scope(conn, &wanted.query)? else { return Ok(Vec::new()) };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS}, d.id, f.rank, highlight(passages_fts, 0, char(2), char(3))
         FROM passages_fts f
         CROSS JOIN passages p ON p.id = f.rowid
         CROSS JOIN documents d ON d.seq = p.document
         WHERE passages_fts MATCH :match AND f.rank MATCH 'bm25(1.0, 0.5, 0.0)'
            AND d.owner_id = :owner AND d.status = 'ready'
         ORDER BY f.rank LIMIT :limit"
    ))?;
    let mut rows = statement.query(named_params! {
        ":match": format!("scope : ({scope}) AND {{text heading}} : ({})", wanted.text),
        ":owner": wanted.query.owner.to_string(),
        ":limit": count(wanted.query.limit),
    })?;
    let mut hits = Vec::new();
    while let Some(row) = rows.next()? {
        let document_id = read::id(&row.get::<_, String>(7)?)?;
        let marked = row.get::<_, String>(9)?;
        hits.push(Hit {
            passage: passage(row, document_id)?,
            // SQLite's is the better the smaller.
            score: -row.get::<_, f64>(8)?,
            highlights: highlights(&marked),
        });
    }
    Ok(hits)
}

/// The words that passages of the wanted documents carry. `None`: none of them is there.
fn scope(conn: &Connection, query: &SearchQuery) -> Result<Option<String>, DbError> {
    if query.documents.is_empty() {
        return Ok(Some(format!("\"{}\"", owner_word(query.owner))));
    }
    let numbers = query.documents.iter().map(|id: &DocumentId| number_of(conn, *id));
    let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
    let mut words: Vec<String> =
        numbers.into_iter().flatten().map(|number| format!("\"{}\"", document_word(number))).collect();
    words.sort_unstable();
    words.dedup();
    Ok((!words.is_empty()).then(|| words.join(" OR ")))
}

/// Byte ranges of the marked words, as they stand without the marks.
fn highlights(marked: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut at, mut open) = (0_usize, None);
    for c in marked.chars() {
        match c {
            OPEN => open = Some(at),
            CLOSE => found.extend(open.take().map(|start| start..at)),
            _ => at += c.len_utf8(),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::highlights;

    #[test]
    fn ranges_count_bytes_of_the_text_without_marks() {
        assert_eq!(highlights("grüne \u{2}Tür\u{3} und \u{2}Tor\u{3}"), [7..11, 16..19]);
    }
}
