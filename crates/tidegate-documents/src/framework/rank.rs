//! Ranking: which sentences carry the documents, and which carry what was asked for.
//!
//! A sentence is good when it is near to what all of them are about (centroid), when good sentences
//! are like it (TextRank, Mihalcea and Tarau 2004), when it has the words of the wish, and a little when
//! it stands early, as most texts say first what they are about. Pure and deterministic.

use super::report::share;
use super::sentence::Sentence;
use super::terms::{Vector, Vocabulary};

/// Of so many sentences the likeness of all pairs is looked at.
const CANDIDATES: usize = 400;
const DAMPING: f64 = 0.85;
const ROUNDS: usize = 40;
const SETTLED: f64 = 1e-6;

/// A sentence that may be chosen.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Its number among the sentences.
    pub(super) sentence: usize,
    pub(super) vector: Vector,
    /// 0 to 1.
    pub(super) score: f64,
}

/// The best sentences, best first.
pub(super) fn rank(sentences: &[Sentence], wish: &str) -> Vec<Candidate> {
    let vocabulary = Vocabulary::of(sentences.iter().map(|sentence| sentence.text.as_str()));
    let wish = vocabulary.vector(wish);
    let vectors: Vec<Vector> = sentences.iter().map(|sentence| vocabulary.vector(&sentence.text)).collect();
    let centre = Vector::middle(vectors.iter());
    let mut candidates: Vec<Candidate> = vectors
        .into_iter()
        .enumerate()
        .filter(|(_, vector)| !vector.is_empty())
        .map(|(sentence, vector)| {
            let score = vector.likeness(&centre) + 2.0 * vector.likeness(&wish);
            Candidate { sentence, vector, score }
        })
        .collect();
    best_first(&mut candidates);
    candidates.truncate(CANDIDATES);
    let central = normal(text_rank(&candidates));
    let near = normal(candidates.iter().map(|candidate| candidate.vector.likeness(&centre)).collect());
    let wished = normal(candidates.iter().map(|candidate| candidate.vector.likeness(&wish)).collect());
    let weight = if wish.is_empty() { 0.0 } else { 0.45 };
    for (at, candidate) in candidates.iter_mut().enumerate() {
        let of = |values: &[f64]| values.get(at).copied().unwrap_or(0.0);
        let early = sentences.get(candidate.sentence).map_or(0.0, |sentence| 1.0 - sentence.depth);
        let own = 0.5 * of(&central) + 0.35 * of(&near) + 0.15 * early;
        candidate.score = (1.0 - weight) * own + weight * of(&wished);
    }
    best_first(&mut candidates);
    candidates
}

fn best_first(candidates: &mut [Candidate]) {
    // Equal ones in the order of the text: the same documents give the same result.
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.sentence.cmp(&b.sentence)));
}

/// How much each sentence is borne out by the others.
fn text_rank(candidates: &[Candidate]) -> Vec<f64> {
    let count = candidates.len();
    let links: Vec<Vec<(usize, f64)>> = candidates
        .iter()
        .enumerate()
        .map(|(at, candidate)| {
            let others = candidates.iter().enumerate().filter(|(other, _)| *other != at);
            let alike = others.map(|(other, b)| (other, candidate.vector.likeness(&b.vector)));
            alike.filter(|(_, likeness)| *likeness > 0.05).collect()
        })
        .collect();
    let sums: Vec<f64> = links.iter().map(|links| links.iter().map(|(_, weight)| weight).sum()).collect();
    let even = share(1, count);
    let mut ranks = vec![even; count];
    for _ in 0..ROUNDS {
        let next: Vec<f64> = links
            .iter()
            .map(|links| {
                // Likeness is mutual, so who a sentence links to is who links to it.
                let passed = links.iter().map(|(from, weight)| {
                    let (rank, sum) = (ranks.get(*from).unwrap_or(&0.0), sums.get(*from).unwrap_or(&0.0));
                    if *sum > 0.0 { rank * weight / sum } else { 0.0 }
                });
                (1.0 - DAMPING) * even + DAMPING * passed.sum::<f64>()
            })
            .collect();
        let moved: f64 = next.iter().zip(&ranks).map(|(a, b)| (a - b).abs()).sum();
        ranks = next;
        if moved < SETTLED {
            break;
        }
    }
    ranks
}

/// The values so that the greatest is 1.
fn normal(values: Vec<f64>) -> Vec<f64> {
    let most = values.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 { values } else { values.into_iter().map(|value| value / most).collect() }
}
