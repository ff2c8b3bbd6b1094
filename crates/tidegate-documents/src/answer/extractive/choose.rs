//! Which sentences make the answer.

use std::cmp::Ordering;

use tidegate_types::DocumentId;

use super::score::{Place, Weights, stems_of};
use super::terms::Terms;
use crate::Hit;
use crate::sentences::sentences;

/// Sentences of one answer at most.
const SENTENCES: usize = 4;
/// A best sentence that has less of the question's weight than this is no answer.
const COVERAGE_MIN: f64 = 0.4;
/// And so much of that has to stand in the sentence itself.
const OWN_MIN: f64 = 0.2;
/// A further sentence has to be this good beside the best one.
const BESIDE_BEST: f64 = 0.6;
/// A sentence that repeats more than this of one that was chosen adds nothing.
const REPEATED: f64 = 0.7;

/// A sentence with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quote {
    pub(super) document_id: DocumentId,
    pub(super) page: Option<u32>,
    pub(super) heading: Option<String>,
    pub(super) text: String,
    /// Where it begins in the document's text, in bytes.
    pub(super) start: usize,
}

struct Candidate {
    quote: Quote,
    stems: Vec<String>,
    /// The rank of its passage, from 0.
    rank: usize,
    score: f64,
}

/// A passage that was found: the stems of its heading and of its text, its sentences' places.
struct Found {
    heading: Vec<String>,
    text: Vec<String>,
}

/// The best sentences, best first; none when none of them answers.
pub(super) fn choose(terms: &Terms, hits: &[Hit]) -> Vec<Quote> {
    let (passages, mut candidates) = read(hits);
    let weights = Weights::of(terms, candidates.iter().map(|candidate| candidate.stems.as_slice()));
    let words_min = if terms.stems().len() > 2 { 2 } else { 1 };
    candidates.retain_mut(|candidate| {
        let Some(Found { heading, text }) = passages.get(candidate.rank) else { return false };
        let fit = weights.fit(Place {
            text: &candidate.quote.text,
            sentence: &candidate.stems,
            heading,
            passage: text,
        });
        candidate.score = fit.score * rank_factor(candidate.rank);
        fit.coverage >= COVERAGE_MIN && fit.own >= OWN_MIN && fit.words >= words_min
    });
    candidates.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal));
    let best = candidates.first().map_or(0.0, |candidate| candidate.score);
    let mut chosen: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        if chosen.len() >= SENTENCES || candidate.score < best * BESIDE_BEST {
            break;
        }
        if !chosen.iter().any(|other| repeats(&candidate.stems, &other.stems)) {
            chosen.push(candidate);
        }
    }
    chosen.into_iter().map(|candidate| candidate.quote).collect()
}

fn read(hits: &[Hit]) -> (Vec<Found>, Vec<Candidate>) {
    let (mut passages, mut candidates) = (Vec::new(), Vec::new());
    for (rank, hit) in hits.iter().enumerate() {
        let passage = &hit.passage;
        let heading = passage.heading.as_deref().map(stems_of).unwrap_or_default();
        passages.push(Found { heading, text: stems_of(&passage.text) });
        for range in sentences(&passage.text) {
            let text = passage.text.get(range.clone()).unwrap_or_default();
            let quote = Quote {
                document_id: passage.document_id,
                page: passage.page,
                heading: passage.heading.clone(),
                text: text.to_owned(),
                start: passage.start.saturating_add(range.start),
            };
            candidates.push(Candidate { stems: stems_of(text), quote, rank, score: 0.0 });
        }
    }
    (passages, candidates)
}

/// Passages that fit the question well lend their sentences a little.
fn rank_factor(rank: usize) -> f64 {
    match rank {
        0 => 1.15,
        1..=3 => 1.08,
        _ => 1.0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "words of a sentence")]
fn repeats(stems: &[String], other: &[String]) -> bool {
    let shared = stems.iter().filter(|stem| other.contains(stem)).count();
    shared as f64 > REPEATED * stems.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Passage;
    use tidegate_types::{OsEntropy, Timestamp};

    fn hit(ordinal: u32, start: usize, text: &str) -> Hit {
        let passage = Passage {
            id: i64::from(ordinal),
            document_id: DocumentId::generate(Timestamp::from_millis(1), &OsEntropy),
            ordinal,
            page: Some(ordinal + 1),
            heading: None,
            text: text.to_owned(),
            start,
            end: start + text.len(),
        };
        Hit { passage, score: 1.0, highlights: Vec::new() }
    }

    fn answers(question: &str, hits: &[Hit]) -> Vec<String> {
        choose(&Terms::of(question, None), hits).into_iter().map(|quote| quote.text).collect()
    }

    const TICKETS: &str = "Tickets are opaque. A ticket lives for 60 seconds. The sea is wide.";

    #[test]
    fn the_sentence_that_answers_comes_first_with_its_place() {
        let hits = [hit(0, 100, TICKETS), hit(1, 900, "Leases survive their tickets.")];
        let quotes = choose(&Terms::of("How long does a ticket live?", None), &hits);
        assert_eq!(quotes[0].text, "A ticket lives for 60 seconds.");
        assert_eq!((quotes[0].start, quotes[0].page), (120, Some(1)));
    }

    #[test]
    fn a_question_about_something_else_has_no_answer() {
        assert_eq!(answers("What does the cook put into the soup?", &[hit(0, 0, TICKETS)]), [""; 0]);
        assert_eq!(answers("", &[hit(0, 0, TICKETS)]), [""; 0]);
        assert_eq!(answers("ticket", &[]), [""; 0]);
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        let hits = [hit(0, 0, TICKETS), hit(1, 500, TICKETS)];
        let found = answers("How many seconds does a ticket live?", &hits);
        assert_eq!(found.iter().filter(|text| text.contains("60 seconds")).count(), 1);
    }
}
