//! The index, asked.
//!
//! A search is bounded, however many passages have its words: for each word the first
//! [`POSTINGS`] passages at most are noted, the best [`LOOKED_AT`] of those by rare words are read
//! and ranked with BM25, and only what is answered is marked. FTS5's own `bm25()` reads every match of
//! every word in the whole database, and lets the texts of others weigh in.
//!
//! Must not: pass a user's text on; see `wanted`.

mod candidates;
mod rank;
mod scope;
mod wanted;

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension as _, params};
use tidegate_db::DbError;
use tidegate_types::UserId;

use self::candidates::Candidate;
use self::rank::{Rank, Weighed};
use self::scope::Scope;
pub(super) use self::wanted::Wanted;
use super::passages::{COLUMNS, passage};
use super::read;
use crate::Passage;
use crate::search::Hit;

/// Passages that are noted for one word, or for several together.
const POSTINGS: usize = 640;
/// Passages that are read and ranked.
const LOOKED_AT: usize = 128;

/// Marks around a found word. Extraction removes control characters, so no text holds them.
const OPEN: char = '\u{2}';
const CLOSE: char = '\u{3}';

pub(super) fn search(conn: &Connection, wanted: &Wanted) -> Result<Vec<Hit>, DbError> {
    let Some(scope) = Scope::of(conn, &wanted.query)? else { return Ok(Vec::new()) };
    let mut candidates = candidates::find(conn, &scope, wanted)?;
    candidates.keep_best(LOOKED_AT);
    let mut rank = Rank::new(wanted.words.iter().zip(&candidates.rarities), scope.mean_bytes);
    let mut found: Vec<(f64, u64, Passage)> = Vec::new();
    for candidate in &candidates.found {
        if let Some(passage) = load(conn, candidate, wanted.query.owner)? {
            let text = Weighed { text: &passage.text, heading: passage.heading.as_deref() };
            found.push((rank.score(&text, candidate.known, candidate.bonus), candidate.known, passage));
        }
    }
    found.sort_by(|(a, _, one), (b, _, other)| b.total_cmp(a).then(one.id.cmp(&other.id)));
    found.truncate(wanted.query.limit);
    let marked = found.into_iter().map(|(score, known, passage)| {
        // Asking the index costs as much as a search, so it is asked only for what our stems don't see.
        let highlights = match rank.marks(&passage.text, known) {
            Some(marks) => marks,
            None => highlights(conn, wanted, passage.id)?,
        };
        Ok(Hit { passage, score, highlights })
    });
    marked.collect()
}

/// `None`: not the owner's, or not ready. The scope says so too; this is the second lock.
fn load(conn: &Connection, candidate: &Candidate, owner: UserId) -> Result<Option<Passage>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS}, d.id FROM passages p JOIN documents d ON d.seq = p.document
         WHERE p.id = ?1 AND d.owner_id = ?2 AND d.status = 'ready'"
    ))?;
    let mut rows = statement.query(params![candidate.passage, owner.to_string()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let document_id = read::id(&row.get::<_, String>(7)?)?;
    Ok(Some(passage(row, document_id)?))
}

/// Where the words stand in a passage, as the index sees them.
fn highlights(conn: &Connection, wanted: &Wanted, id: i64) -> Result<Vec<Range<usize>>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT highlight(passages_fts, 0, char(2), char(3)) FROM passages_fts
         WHERE passages_fts MATCH ?1 AND rowid = ?2",
    )?;
    for words in [wanted.any(), wanted.beginnings()] {
        let matching = format!("{{text heading}} : ({words})");
        let marked = statement.query_row(params![matching, id], |row| row.get::<_, String>(0)).optional()?;
        if let Some(marked) = marked {
            return Ok(ranges(&marked));
        }
    }
    Ok(Vec::new())
}

/// Byte ranges of the marked words, as they stand without the marks.
fn ranges(marked: &str) -> Vec<Range<usize>> {
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
    use super::ranges;

    #[test]
    fn ranges_count_bytes_of_the_text_without_marks() {
        assert_eq!(ranges("grüne \u{2}Tür\u{3} und \u{2}Tor\u{3}"), [7..11, 16..19]);
    }
}
