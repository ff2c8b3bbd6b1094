//! A sentence that may be quoted: prose, with its place in a document.

use std::ops::Range;
use std::sync::Arc;

use crate::Passage;
use crate::sentences::sentences;
use crate::words::words;

/// Shorter ones say little, longer ones are lists and tables.
const WORDS: std::ops::RangeInclusive<usize> = 5..=70;
/// Of what is not space, this much is letters in prose; code and tables have less.
const LETTERS_MIN: f64 = 0.72;

/// A sentence, exactly as it stands in its document.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    /// Which of the job's documents.
    pub(super) document: usize,
    pub(super) page: Option<u32>,
    pub(super) heading: Option<Arc<str>>,
    pub(super) text: String,
    /// Its bytes in the document's text.
    pub(super) place: Range<usize>,
    /// How far into its document it stands, 0 to 1.
    pub(super) depth: f64,
}

/// The sentences of a passage that are prose.
pub(super) fn of_passage(passage: &Passage, document: usize, depth: f64) -> Vec<Sentence> {
    let heading: Option<Arc<str>> = passage.heading.as_deref().map(Arc::from);
    sentences(&passage.text)
        .into_iter()
        .filter_map(|range| {
            let text = passage.text.get(range.clone())?;
            is_prose(text).then(|| Sentence {
                document,
                page: passage.page,
                heading: heading.clone(),
                text: text.to_owned(),
                place: passage.start + range.start..passage.start + range.end,
                depth,
            })
        })
        .collect()
}

/// The sentence on one line, as it is shown; the citation keeps the exact bytes.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_prose(text: &str) -> bool {
    let ended = text.trim_end_matches(['"', '”', '’', '\'', ')', ']', '»', '*', '_']);
    if !ended.ends_with(['.', '!', '?', '…', ':', ';', '。', '！', '？']) || text.contains('|') {
        return false;
    }
    let begins = text.chars().find(|c| c.is_alphanumeric());
    if !begins.is_some_and(|c| c.is_uppercase() || c.is_numeric() || !c.is_lowercase()) {
        return false;
    }
    let (mut letters, mut others) = (0_u32, 0_u32);
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        if c.is_alphabetic() { letters += 1 } else { others += 1 }
    }
    let part = f64::from(letters) / f64::from((letters + others).max(1));
    part >= LETTERS_MIN && WORDS.contains(&words(text).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_told_from_headings_tables_and_code() {
        assert!(is_prose("A ticket opens one stream once, within sixty seconds."));
        assert!(is_prose("“Acknowledged means on disk,” says the page (and it does)."));
        for other in [
            "What makes it different",
            "| call | answer | and so on and so forth. |",
            "let x = y.map(|z| z + 1).collect::<Vec<_>>() && a[0] == b[1];",
            "and then it went on to the next one.",
            "Too short.",
        ] {
            assert!(!is_prose(other), "{other}");
        }
    }
}
