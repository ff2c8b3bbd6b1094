//! BM25 (Robertson and Zaragoza 2009) over the passages that were read.

use std::collections::HashMap;

use super::wanted::Word;
use crate::words::{likeness, runs, stem};

const SATURATION: f64 = 1.2;
const LENGTH: f64 = 0.75;
/// What a word of the heading counts beside one of the text.
const HEADING: f64 = 0.5;

/// What the words weigh.
pub(super) struct Rank<'a> {
    words: Vec<(&'a Word, f64)>,
    mean_bytes: f64,
    /// What each word of the passages counts for: passages have most of theirs in common.
    known: HashMap<String, Vec<(usize, f64)>>,
}

/// A passage as it is ranked.
pub(super) struct Weighed<'a> {
    pub(super) text: &'a str,
    pub(super) heading: Option<&'a str>,
}

impl<'a> Rank<'a> {
    pub(super) fn new(words: impl Iterator<Item = (&'a Word, &'a f64)>, mean_bytes: f64) -> Self {
        let words = words.map(|(word, rarity)| (word, *rarity)).collect();
        Self { words, mean_bytes, known: HashMap::new() }
    }

    /// How well a passage fits, given the words (bits) that the index says it has: its stems and
    /// foldings know more than ours.
    #[expect(clippy::cast_precision_loss, reason = "bytes of a passage")]
    pub(super) fn score(&mut self, passage: &Weighed<'_>, known: u64, bonus: f64) -> f64 {
        let mut counts = vec![0.0; self.words.len()];
        self.count(passage.text, 1.0, &mut counts);
        self.count(passage.heading.unwrap_or_default(), HEADING, &mut counts);
        let length = 1.0 - LENGTH + LENGTH * passage.text.len() as f64 / self.mean_bytes;
        let weighed = self.words.iter().zip(&counts).enumerate().map(|(at, ((_, rarity), counted))| {
            let bits = u32::try_from(at).ok().and_then(|at| known.checked_shr(at));
            let is_known = bits.is_some_and(|bits| bits & 1 == 1);
            let count = if is_known { f64::max(*counted, HEADING) } else { *counted };
            rarity * count * (SATURATION + 1.0) / (count + SATURATION * length)
        });
        weighed.sum::<f64>() + bonus
    }

    fn count(&mut self, text: &str, each: f64, counts: &mut [f64]) {
        for run in runs(text) {
            if !self.known.contains_key(run) {
                self.known.insert(run.to_owned(), self.counts_for(run));
            }
            for (at, likeness) in self.known.get(run).into_iter().flatten() {
                if let Some(count) = counts.get_mut(*at) {
                    *count += each * likeness;
                }
            }
        }
    }

    fn counts_for(&self, run: &str) -> Vec<(usize, f64)> {
        let word = run.to_lowercase();
        let stem = stem(&word);
        let fits =
            self.words.iter().enumerate().map(|(at, (wanted, _))| match wanted.is_beginning_of(&word) {
                true => (at, 1.0),
                false => (at, likeness(&stem, &wanted.stem)),
            });
        fits.filter(|(_, likeness)| *likeness > 0.0).collect()
    }
}
