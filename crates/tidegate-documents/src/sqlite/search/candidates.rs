//! Which passages are worth reading: those with the rarest of the words, and those with several.

use std::collections::HashMap;

use rusqlite::{Connection, params};
use tidegate_db::DbError;

use super::POSTINGS;
use super::scope::Scope;
use super::wanted::{Wanted, Word, bit, joined};
use crate::search::Matching;
use crate::words::is_common;

/// Words whose passages are noted: the longest, which are the rarest more often than not.
const NOTED: usize = 8;
/// Words that stand everywhere are looked for together, so many of them.
const TOGETHER: usize = 4;
/// Words that are looked for as the beginning of others.
const BEGINNINGS: usize = 4;
/// What a word counts that only begins like one of the question.
const BEGINNING: f64 = 0.5;

/// A passage that may be answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Candidate {
    pub(super) passage: i64,
    /// Which words (bits, in their order) the index says that it has.
    pub(super) known: u64,
    /// For what no single word says: the words as they were typed.
    pub(super) bonus: f64,
    worth: f64,
}

/// Passages, and how rare each word is among all that may be searched.
#[derive(Debug)]
pub(super) struct Candidates {
    pub(super) found: Vec<Candidate>,
    pub(super) rarities: Vec<f64>,
}

impl Candidates {
    /// Keeps the best by what is known of them; the earliest of equals.
    pub(super) fn keep_best(&mut self, most: usize) {
        self.found.sort_by(|a, b| b.worth.total_cmp(&a.worth).then(a.passage.cmp(&b.passage)));
        self.found.truncate(most);
    }
}

pub(super) fn find(conn: &Connection, scope: &Scope, wanted: &Wanted) -> Result<Candidates, DbError> {
    let mut search = Search { conn, scope, wanted, found: HashMap::new(), rarities: Vec::new() };
    search.rarities = vec![scope.rarity(None); wanted.words.len()];
    match wanted.query.matching {
        Matching::All => search.all()?,
        Matching::Any => search.any()?,
    }
    let found = search.found.into_values().collect();
    Ok(Candidates { found, rarities: search.rarities })
}

struct Search<'a> {
    conn: &'a Connection,
    scope: &'a Scope,
    wanted: &'a Wanted,
    found: HashMap<i64, Candidate>,
    rarities: Vec<f64>,
}

impl<'a> Search<'a> {
    fn all(&mut self) -> Result<(), DbError> {
        let wanted: &'a Wanted = self.wanted;
        let words = &wanted.words;
        // One word weighs what it weighs.
        if words.len() > 1 {
            for (at, word) in self.longest() {
                // What stands everywhere weighs next to nothing; counting it costs most.
                if !is_common(&word.text) {
                    let having = self.ids(&word.whole())?.len();
                    self.weigh(at, having);
                }
            }
        }
        let every: Vec<usize> = (0..words.len()).collect();
        if let Some(phrase) = wanted.phrase() {
            let bonus = self.rarities.iter().sum::<f64>() / 2.0;
            let ids = self.ids(phrase)?;
            self.note(&ids, &every, 1.0, bonus);
        }
        let ids = self.ids(&joined(words.iter().map(Word::whole), " AND "))?;
        self.note(&ids, &every, 1.0, 0.0);
        Ok(())
    }

    fn any(&mut self) -> Result<(), DbError> {
        let mut everywhere = Vec::new();
        for (at, word) in self.longest() {
            let ids = self.ids(&word.whole())?;
            self.weigh(at, ids.len());
            if ids.len() >= POSTINGS {
                everywhere.push(at);
            } else {
                self.note(&ids, &[at], 1.0, 0.0);
            }
        }
        everywhere.truncate(TOGETHER);
        self.together(&everywhere)?;
        if self.found.len() < self.wanted.query.limit {
            self.beginnings()?;
        }
        Ok(())
    }

    /// Words that stand everywhere: passages with all of them, else with two that follow each other,
    /// else with any.
    fn together(&mut self, everywhere: &[usize]) -> Result<(), DbError> {
        let enough = self.found.len().saturating_add(self.wanted.query.limit);
        let pairs: Vec<&[usize]> = everywhere.windows(2).filter(|_| everywhere.len() > 2).collect();
        let singles = everywhere.chunks(1).filter(|_| everywhere.len() > 1);
        for words in std::iter::once(everywhere).chain(pairs).chain(singles) {
            if words.is_empty() || self.found.len() >= enough {
                return Ok(());
            }
            let text = words.iter().filter_map(|at| self.wanted.words.get(*at)).map(Word::whole);
            let ids = self.ids(&joined(text, " AND "))?;
            self.note(&ids, words, 1.0, 0.0);
        }
        Ok(())
    }

    fn beginnings(&mut self) -> Result<(), DbError> {
        let longest = self.longest();
        for (at, word) in longest.into_iter().take(BEGINNINGS) {
            let Some(beginning) = word.beginning() else { continue };
            let ids = self.ids(&beginning)?;
            self.note(&ids, &[at], BEGINNING, 0.0);
        }
        Ok(())
    }

    /// The longest words with their places, longest first.
    fn longest(&self) -> Vec<(usize, &'a Word)> {
        let wanted: &'a Wanted = self.wanted;
        let mut words: Vec<(usize, &'a Word)> = wanted.words.iter().enumerate().collect();
        words.sort_by_key(|(at, word)| (std::cmp::Reverse(word.stem.chars().count()), *at));
        words.truncate(NOTED);
        words
    }

    /// The first passages that match.
    fn ids(&self, words: &str) -> Result<Vec<i64>, DbError> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT rowid FROM passages_fts WHERE passages_fts MATCH ?1 LIMIT ?2")?;
        let most = i64::try_from(POSTINGS).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![self.scope.matching(words), most], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn weigh(&mut self, at: usize, having: usize) {
        let rarity = self.scope.rarity(Some(having));
        if let Some(own) = self.rarities.get_mut(at) {
            *own = rarity;
        }
    }

    fn note(&mut self, ids: &[i64], words: &[usize], share: f64, bonus: f64) {
        for id in ids {
            let candidate =
                self.found.entry(*id).or_insert(Candidate { passage: *id, ..Candidate::default() });
            for at in words {
                let bit = bit(*at);
                if candidate.known & bit == 0 {
                    candidate.worth += share * self.rarities.get(*at).copied().unwrap_or(0.0);
                }
                // What only begins like a word is looked at again in the text.
                candidate.known |= if share < 1.0 { 0 } else { bit };
            }
            if bonus > candidate.bonus {
                candidate.worth += bonus - candidate.bonus;
                candidate.bonus = bonus;
            }
        }
    }
}

impl Scope {
    /// The weight of a word that so many passages have (Robertson and Sparck Jones, never below 0);
    /// one that stands everywhere, or was not counted, is taken for a word of every second passage.
    fn rarity(&self, having: Option<usize>) -> f64 {
        let half = self.passages / 2.0;
        let having = match having {
            Some(having) if having < POSTINGS => u32::try_from(having).map_or(half, f64::from),
            _ => half,
        };
        (1.0 + (self.passages - having + 0.5).max(0.5) / (having + 0.5)).ln()
    }
}
