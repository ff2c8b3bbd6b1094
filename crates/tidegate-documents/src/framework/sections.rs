//! From ranked sentences to the sections of an article: by the documents' own headings where they have
//! them, else by what sentences are about.

use std::collections::HashMap;

use super::pick::pick;
use super::rank::Candidate;
use super::sentence::Sentence;
use super::terms::says_something;
use crate::words::words;

/// Sentences of the opening paragraph.
const OPENING: usize = 2;
/// Sentences of a section.
const EACH: usize = 4;
/// Of so many sentences sections are made.
const POOL: usize = 200;
/// A section that is not at least this much about one thing gathers nothing more.
const NEAR: f64 = 0.08;
const HEADING_CHARS: usize = 80;

/// A section: its heading and the numbers of its sentences, in the order of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Section {
    pub(super) heading: Option<String>,
    pub(super) sentences: Vec<usize>,
}

/// An opening without a heading, then at most so many sections.
pub(super) fn sections(sentences: &[Sentence], ranked: &[Candidate], count: usize) -> Vec<Section> {
    let pool = ranked.get(..ranked.len().min(POOL)).unwrap_or_default();
    let opening: Vec<&Candidate> =
        pick(pool, OPENING, &[]).into_iter().filter_map(|at| pool.get(at)).collect();
    let used: Vec<usize> = opening.iter().map(|candidate| candidate.sentence).collect();
    let rest: Vec<Candidate> =
        pool.iter().filter(|candidate| !used.contains(&candidate.sentence)).cloned().collect();
    let mut groups = by_heading(sentences, &rest);
    if groups.len() < 2 {
        groups = by_subject(sentences, &rest, count);
    }
    groups.sort_by(|a, b| worth(&b.1).total_cmp(&worth(&a.1)));
    groups.truncate(count);
    let mut done = opening.clone();
    let mut made = vec![Section { heading: None, sentences: in_order(&opening) }];
    let chosen: Vec<(String, Vec<Candidate>)> = groups;
    for (heading, members) in &chosen {
        let picked: Vec<&Candidate> =
            pick(members, EACH, &done).into_iter().filter_map(|at| members.get(at)).collect();
        if !picked.is_empty() {
            made.push(Section { heading: Some(heading.clone()), sentences: in_order(&picked) });
            done.extend(picked);
        }
    }
    // The opening first, then as the documents have it.
    if let Some(body) = made.get_mut(1..) {
        body.sort_by_key(|section| section.sentences.first().copied());
    }
    made
}

fn in_order(candidates: &[&Candidate]) -> Vec<usize> {
    let mut numbers: Vec<usize> = candidates.iter().map(|candidate| candidate.sentence).collect();
    numbers.sort_unstable();
    numbers
}

/// What the best sentences of a group are worth together.
fn worth(members: &[Candidate]) -> f64 {
    members.iter().take(EACH).map(|candidate| candidate.score).sum()
}

fn by_heading(sentences: &[Sentence], pool: &[Candidate]) -> Vec<(String, Vec<Candidate>)> {
    let mut groups: Vec<(String, Vec<Candidate>)> = Vec::new();
    let mut places: HashMap<(usize, &str), usize> = HashMap::new();
    for candidate in pool {
        let Some(sentence) = sentences.get(candidate.sentence) else { continue };
        let Some(heading) = sentence.heading.as_deref().filter(|heading| !heading.trim().is_empty()) else {
            continue;
        };
        let at = *places.entry((sentence.document, heading)).or_insert_with(|| {
            groups.push((heading.trim().chars().take(HEADING_CHARS).collect(), Vec::new()));
            groups.len() - 1
        });
        if let Some((_, members)) = groups.get_mut(at) {
            members.push(candidate.clone());
        }
    }
    groups
}

/// Around the most different good sentences, each other one goes to the likest.
fn by_subject(sentences: &[Sentence], pool: &[Candidate], count: usize) -> Vec<(String, Vec<Candidate>)> {
    let seeds = pick(pool, count, &[]);
    let mut groups: Vec<Vec<Candidate>> =
        seeds.iter().filter_map(|at| pool.get(*at)).map(|seed| vec![seed.clone()]).collect();
    for (at, candidate) in pool.iter().enumerate() {
        if seeds.contains(&at) {
            continue;
        }
        let likest = groups
            .iter_mut()
            .filter_map(|group| {
                let likeness = group.first()?.vector.likeness(&candidate.vector);
                Some((likeness, group))
            })
            .filter(|(likeness, _)| *likeness >= NEAR)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, group)) = likest {
            group.push(candidate.clone());
        }
    }
    groups.into_iter().map(|members| (subject(sentences, &members), members)).collect()
}

/// The words that most of a group's sentences share, as a heading.
fn subject(sentences: &[Sentence], members: &[Candidate]) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for candidate in members.iter().take(EACH * 2) {
        let Some(sentence) = sentences.get(candidate.sentence) else { continue };
        let mut seen: Vec<String> = words(&sentence.text).filter(|word| says_something(word)).collect();
        seen.sort_unstable();
        seen.dedup();
        for word in seen {
            match counts.iter_mut().find(|(known, _)| *known == word) {
                Some((_, count)) => *count += 1,
                None => counts.push((word, 1)),
            }
        }
    }
    // Long words first among equals: they say more.
    counts.sort_by(|a, b| {
        b.1.cmp(&a.1).then(b.0.chars().count().cmp(&a.0.chars().count())).then(a.0.cmp(&b.0))
    });
    let picked: Vec<String> = counts.into_iter().take(3).map(|(word, _)| word).collect();
    let heading = match picked.as_slice() {
        [a, b, c] => format!("{a}, {b} and {c}"),
        other => other.join(" and "),
    };
    let mut chars = heading.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
