//! How well a sentence fits a question.

use super::terms::Terms;
use crate::words::{likeness, stem, words};

/// What the heading's words, and those of the passage around, count beside the sentence's own.
const HEADING: f64 = 0.5;
const AROUND: f64 = 0.25;

/// What a word that the documents do not have weighs beside those that they have on average.
const UNKNOWN: f64 = 0.7;
/// What a sentence with a number is better by where a quantity is asked for.
const NUMBER: f64 = 1.2;
/// Commands, tables and the like say less than prose.
const NO_PROSE: f64 = 0.7;

/// What the words of a question weigh: rare ones more.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    words: Vec<(String, f64)>,
    total: f64,
    asks_how_much: bool,
}

/// The stems of a sentence, of the heading above it and of its whole passage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) text: &'a str,
    pub(super) sentence: &'a [String],
    pub(super) heading: &'a [String],
    pub(super) passage: &'a [String],
}

/// A sentence's fit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fit {
    /// How good it is; comparable within one question.
    pub(super) score: f64,
    /// The weight of the question's words that it has, as a part of all: 0 to 1.
    pub(super) coverage: f64,
    /// The same by its own words alone.
    pub(super) own: f64,
    /// How many of the question's words it has, or stand around it.
    pub(super) words: usize,
}

impl Weights {
    /// Weighs the question's words by how few of the sentences have them. Words that none has say that
    /// the documents use others, not how rare they are: they weigh a little less than the others.
    pub(super) fn of<'a>(terms: &Terms, sentences: impl Iterator<Item = &'a [String]> + Clone) -> Self {
        let count = sentences.clone().count().max(1);
        let weigh = |word: &String| {
            let having = sentences.clone().filter(|sentence| has(sentence, word) > 0.0).count();
            (word.clone(), (having > 0).then(|| weight(count, having)))
        };
        let words: Vec<(String, Option<f64>)> = terms.stems().iter().map(weigh).collect();
        let (sum, known) = words
            .iter()
            .filter_map(|(_, weight)| *weight)
            .fold((0.0, 0.0), |(sum, n), weight| (sum + weight, n + 1.0));
        let mean = if known > 0.0 { sum / known } else { 1.0 };
        let words: Vec<(String, f64)> =
            words.into_iter().map(|(word, weight)| (word, weight.unwrap_or(mean * UNKNOWN))).collect();
        let total = words.iter().map(|(_, weight)| weight).sum::<f64>().max(f64::MIN_POSITIVE);
        Self { words, total, asks_how_much: terms.asks_how_much }
    }

    /// The fit of a sentence in its place.
    pub(super) fn fit(&self, place: Place<'_>) -> Fit {
        let (mut covered, mut own, mut words) = (0.0, 0.0, 0);
        for (word, weight) in &self.words {
            let fits = has(place.sentence, word);
            let lent = (HEADING * has(place.heading, word)).max(AROUND * has(place.passage, word));
            own += fits * weight;
            covered += fits.max(lent) * weight;
            words += usize::from(fits.max(lent) > 0.0);
        }
        let (coverage, own) = (covered / self.total, own / self.total);
        let mut score =
            coverage * (1.0 + self.neighbours(place.sentence)) * fitting_length(place.sentence.len());
        if self.asks_how_much && place.text.contains(|c: char| c.is_ascii_digit()) {
            score *= NUMBER;
        }
        if !is_prose(place.text) {
            score *= NO_PROSE;
        }
        Fit { score, coverage, own, words }
    }

    /// A small bonus for the question's words standing side by side as in the question.
    fn neighbours(&self, sentence: &[String]) -> f64 {
        let pairs = self.words.windows(2).filter(|pair| {
            let [(first, _), (second, _)] = pair else { return false };
            sentence.windows(2).any(|w| matches!(w, [a, b] if a == first && b == second))
        });
        pairs.map(|_| 0.15).sum::<f64>().min(0.45)
    }
}

/// Whether most of a sentence is letters.
fn is_prose(text: &str) -> bool {
    let (mut letters, mut marks) = (0_usize, 0_usize);
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        match c.is_alphabetic() {
            true => letters += 1,
            false => marks += 1,
        }
    }
    letters > marks.saturating_mul(5)
}

/// The stems of a sentence's words.
pub(super) fn stems_of(text: &str) -> Vec<String> {
    words(text).map(|word| stem(&word)).collect()
}

/// How well the best of some words fits: 0 to 1.
fn has(stems: &[String], wanted: &str) -> f64 {
    stems.iter().map(|stem| likeness(stem, wanted)).fold(0.0, f64::max)
}

#[expect(clippy::cast_precision_loss, reason = "sentences of a few passages")]
fn weight(count: usize, having: usize) -> f64 {
    (1.0 + count as f64 / (having as f64 + 0.5)).ln()
}

/// Headings and fragments say little, walls of text hide what they say.
fn fitting_length(words: usize) -> f64 {
    match words {
        0..=2 => 0.3,
        3..=4 => 0.7,
        5..=45 => 1.0,
        46..=80 => 0.8,
        _ => 0.6,
    }
}
