//! Choosing among good sentences, so that no two say the same (maximal marginal relevance).

use super::rank::Candidate;

/// How much a sentence's own worth counts beside what it adds.
const WORTH: f64 = 0.7;
/// Two sentences this alike are one.
const SAME: f64 = 0.72;

/// At most so many of the candidates, as positions in the list, in the order in which they were chosen.
pub(super) fn pick(candidates: &[Candidate], count: usize, chosen_before: &[&Candidate]) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    // How like the likest of the chosen ones each candidate is, kept up to date instead of recounted.
    let mut likest: Vec<f64> = candidates
        .iter()
        .map(|candidate| {
            let before = chosen_before.iter().map(|other| candidate.vector.likeness(&other.vector));
            before.fold(0.0, f64::max)
        })
        .collect();
    while chosen.len() < count {
        let open = candidates
            .iter()
            .zip(&likest)
            .enumerate()
            .filter(|(at, (_, likest))| **likest < SAME && !chosen.contains(at));
        let valued = open.map(|(at, (candidate, likest))| {
            (at, candidate, WORTH * candidate.score - (1.0 - WORTH) * likest)
        });
        // The first of equals, so that the same documents give the same result.
        let best = valued.reduce(|best, next| if next.2 > best.2 { next } else { best });
        let Some((at, best, _)) = best else { break };
        chosen.push(at);
        for (candidate, likest) in candidates.iter().zip(&mut likest) {
            *likest = likest.max(candidate.vector.likeness(&best.vector));
        }
    }
    chosen
}
