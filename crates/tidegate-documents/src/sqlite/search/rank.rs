//! BM25 (Robertson and Zaragoza 2009) over the passages that were read.

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
}

/// A passage as it is ranked.
pub(super) struct Weighed<'a> {
    pub(super) text: &'a str,
    pub(super) heading: Option<&'a str>,
}

impl<'a> Rank<'a> {
    pub(super) fn new(words: impl Iterator<Item = (&'a Word, &'a f64)>, mean_bytes: f64) -> Self {
        Self { words: words.map(|(word, rarity)| (word, *rarity)).collect(), mean_bytes }
    }

    /// How well a passage fits, given the words (bits) that the index says it has: its stems and
    /// foldings know more than ours.
    #[expect(clippy::cast_precision_loss, reason = "bytes of a passage")]
    pub(super) fn score(&self, passage: &Weighed<'_>, known: u64, bonus: f64) -> f64 {
        let mut counts = vec![0.0; self.words.len()];
        self.count(passage.text, 1.0, &mut counts);
        self.count(passage.heading.unwrap_or_default(), HEADING, &mut counts);
        let length = 1.0 - LENGTH + LENGTH * passage.text.len() as f64 / self.mean_bytes;
        let weighed = self.words.iter().zip(&counts).enumerate().map(|(at, ((_, rarity), counted))| {
            let is_known =
                u32::try_from(at).ok().and_then(|at| known.checked_shr(at)).is_some_and(|bits| bits & 1 == 1);
            let count = if is_known { f64::max(*counted, HEADING) } else { *counted };
            rarity * count * (SATURATION + 1.0) / (count + SATURATION * length)
        });
        weighed.sum::<f64>() + bonus
    }

    fn count(&self, text: &str, each: f64, counts: &mut [f64]) {
        for word in runs(&text.to_lowercase()) {
            // Most words of a text are none of these: a look at the first letter saves the rest.
            let first = word.chars().next();
            if !self.words.iter().any(|(wanted, _)| wanted.stem.chars().next() == first) {
                continue;
            }
            let word = stem(word);
            for ((wanted, _), count) in self.words.iter().zip(counts.iter_mut()) {
                let likeness = match wanted.is_open && word.starts_with(&wanted.stem) {
                    true => 1.0,
                    false => likeness(&word, &wanted.stem),
                };
                *count += each * likeness;
            }
        }
    }
}
