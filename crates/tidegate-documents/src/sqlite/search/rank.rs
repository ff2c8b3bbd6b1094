//! BM25 (Robertson and Zaragoza 2009) over the passages that were read.

use std::collections::HashMap;
use std::ops::Range;

use super::wanted::{Word, bit};
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
            let is_known = known & bit(at) != 0;
            let count = if is_known { f64::max(*counted, HEADING) } else { *counted };
            rarity * count * (SATURATION + 1.0) / (count + SATURATION * length)
        });
        weighed.sum::<f64>() + bonus
    }

    /// Where the words stand in a text: whole words, or where there are none those that only begin like one.
    /// `None` when the index says of a word (bits) that it is there and it isn't seen here.
    pub(super) fn marks(&mut self, text: &str, known: u64) -> Option<Vec<Range<usize>>> {
        let (mut whole, mut begun, mut seen) = (Vec::new(), Vec::new(), 0_u64);
        let mut at = 0_usize;
        for run in runs(text) {
            // Runs are pieces of the text, in their order.
            at += text.get(at..)?.find(run)?;
            let range = at..at.checked_add(run.len())?;
            at = range.end;
            let counts = self.fitting(run);
            for word in counts.iter().filter(|(_, likeness)| *likeness >= 1.0).map(|(word, _)| *word) {
                seen |= bit(word);
            }
            match counts.iter().map(|(_, likeness)| *likeness).fold(0.0, f64::max) {
                likeness if likeness >= 1.0 => whole.push(range),
                likeness if likeness > 0.0 => begun.push(range),
                _ => {}
            }
        }
        let marks = if whole.is_empty() { begun } else { whole };
        (known & !seen == 0 && !marks.is_empty()).then_some(marks)
    }

    fn count(&mut self, text: &str, each: f64, counts: &mut [f64]) {
        for run in runs(text) {
            for (at, likeness) in self.fitting(run) {
                if let Some(count) = counts.get_mut(*at) {
                    *count += each * likeness;
                }
            }
        }
    }

    /// Which words a run counts for, and how much.
    fn fitting(&mut self, run: &str) -> &[(usize, f64)] {
        if !self.known.contains_key(run) {
            self.known.insert(run.to_owned(), self.counts_for(run));
        }
        self.known.get(run).map_or(&[], Vec::as_slice)
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
