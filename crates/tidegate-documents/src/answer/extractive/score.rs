//! How well a sentence fits a question.

use super::words::{Terms, alike, split};

/// What the words of a question weigh: rare ones more.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    words: Vec<(String, f64)>,
    total: f64,
}

/// A sentence's fit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fit {
    /// How good it is; comparable within one question.
    pub(super) score: f64,
    /// The weight of the question's words that it has, as a part of all: 0 to 1.
    pub(super) coverage: f64,
}

impl Weights {
    /// Weighs the question's words by how few of the sentences have them.
    pub(super) fn of<'a>(terms: &Terms, sentences: impl Iterator<Item = &'a [String]> + Clone) -> Self {
        let count = sentences.clone().count().max(1);
        let weigh = |word: &String| {
            let having = sentences.clone().filter(|sentence| has(sentence, word)).count();
            (word.clone(), weight(count, having))
        };
        let words: Vec<(String, f64)> = terms.words().iter().map(weigh).collect();
        let total = words.iter().map(|(_, weight)| weight).sum::<f64>().max(f64::MIN_POSITIVE);
        Self { words, total }
    }

    /// The fit of a sentence under a heading. What the heading says counts half.
    pub(super) fn fit(&self, sentence: &[String], heading: &[String]) -> Fit {
        let mut covered = 0.0;
        for (word, weight) in &self.words {
            covered += match (has(sentence, word), has(heading, word)) {
                (true, _) => *weight,
                (false, true) => weight / 2.0,
                (false, false) => 0.0,
            };
        }
        let coverage = covered / self.total;
        let score = coverage * (1.0 + self.neighbours(sentence)) * fitting_length(sentence.len());
        Fit { score, coverage }
    }

    /// A small bonus for the question's words standing side by side as in the question.
    fn neighbours(&self, sentence: &[String]) -> f64 {
        let pairs = self.words.windows(2).filter(|pair| {
            let [(first, _), (second, _)] = pair else { return false };
            sentence.windows(2).any(|w| matches!(w, [a, b] if alike(a, first) && alike(b, second)))
        });
        pairs.map(|_| 0.15).sum::<f64>().min(0.45)
    }
}

/// The words of a sentence.
pub(super) fn words_of(text: &str) -> Vec<String> {
    split(text).collect()
}

fn has(words: &[String], wanted: &str) -> bool {
    words.iter().any(|word| alike(word, wanted))
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
