//! Words as numbers: how much of a text is about what.

use std::collections::HashMap;

use crate::words::{is_common, stem, words};

/// What people say around the subject of a wish, and words of other languages that say nothing. Others
/// are told by how many sentences have them.
const FILLERS: &[&str] = &[
    "brief",
    "das",
    "der",
    "des",
    "die",
    "document",
    "documents",
    "ein",
    "eine",
    "ist",
    "les",
    "one",
    "summarise",
    "summarize",
    "summary",
    "und",
    "une",
    "write",
];
const WORD_CHARS_MIN: usize = 3;

/// What a text is about: term numbers with weights, sorted by number, of length one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Vector(Vec<(u32, f64)>);

/// The terms of many sentences.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    numbers: HashMap<String, u32>,
    /// In how many sentences each term stands.
    having: Vec<u32>,
    sentences: u32,
}

/// The terms of a text: words that say something, without their usual endings.
fn terms(text: &str) -> impl Iterator<Item = String> + '_ {
    words(text).filter(|word| says_something(word)).map(|word| stem(&word))
}

pub(super) fn says_something(word: &str) -> bool {
    word.chars().count() >= WORD_CHARS_MIN && !is_common(word) && !FILLERS.contains(&word)
}

impl Vocabulary {
    /// Counts the terms of all sentences.
    pub(super) fn of<'a>(sentences: impl Iterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        for text in sentences {
            all.sentences += 1;
            let mut seen: Vec<u32> = terms(text).map(|term| all.number(term)).collect();
            seen.sort_unstable();
            seen.dedup();
            for number in seen {
                if let Some(count) = usize::try_from(number).ok().and_then(|at| all.having.get_mut(at)) {
                    *count += 1;
                }
            }
        }
        all
    }

    fn number(&mut self, term: String) -> u32 {
        let next = u32::try_from(self.having.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(term).or_insert_with(|| {
            self.having.push(0);
            next
        })
    }

    /// What a text is about, in terms of these sentences; terms that none of them has don't count.
    pub(super) fn vector(&self, text: &str) -> Vector {
        let mut counts: HashMap<u32, f64> = HashMap::new();
        for number in terms(text).filter_map(|term| self.numbers.get(&term).copied()) {
            *counts.entry(number).or_default() += 1.0;
        }
        let weighed =
            counts.into_iter().map(|(number, count)| (number, (1.0 + f64::ln(count)) * self.rarity(number)));
        Vector::new(weighed.collect())
    }

    fn rarity(&self, number: u32) -> f64 {
        let having = usize::try_from(number).ok().and_then(|at| self.having.get(at)).copied().unwrap_or(1);
        (1.0 + f64::from(self.sentences) / f64::from(having.max(1))).ln()
    }
}

impl Vector {
    fn new(mut weights: Vec<(u32, f64)>) -> Self {
        weights.sort_unstable_by_key(|(number, _)| *number);
        let length = weights.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
        if length > 0.0 {
            weights.iter_mut().for_each(|(_, weight)| *weight /= length);
        }
        Self(weights)
    }

    /// The middle of many.
    pub(super) fn middle<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let mut sums: HashMap<u32, f64> = HashMap::new();
        for (number, weight) in all.flat_map(|vector| &vector.0) {
            *sums.entry(*number).or_default() += weight;
        }
        Self::new(sums.into_iter().collect())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How much two texts are about the same, 0 to 1.
    pub(super) fn likeness(&self, other: &Self) -> f64 {
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut sum = 0.0;
        while let (Some((x, v)), Some((y, w))) = (a.peek(), b.peek()) {
            match x.cmp(y) {
                std::cmp::Ordering::Less => drop(a.next()),
                std::cmp::Ordering::Greater => drop(b.next()),
                std::cmp::Ordering::Equal => {
                    sum += v * w;
                    a.next();
                    b.next();
                }
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_meet_and_common_words_weigh_little() {
        let texts = [
            "The ticket opens a stream once.",
            "Tickets are spent when they open streams.",
            "A password is hashed slowly.",
            "The stream of a job ends with it.",
        ];
        let all = Vocabulary::of(texts.into_iter());
        let vectors: Vec<Vector> = texts.iter().map(|text| all.vector(text)).collect();
        assert!(vectors[0].likeness(&vectors[1]) > 0.5);
        assert!(vectors[0].likeness(&vectors[2]) < 0.01);
        assert!((vectors[0].likeness(&vectors[0]) - 1.0).abs() < 1e-9);
        assert!(all.vector("Write me a summary of the document").is_empty());
    }
}
