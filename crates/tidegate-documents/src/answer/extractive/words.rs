//! The words of a question that matter.

use crate::answer::Exchange;

/// Words that stand in every question and say nothing about its subject.
const COMMON: &[&str] = &[
    "a",
    "about",
    "above",
    "after",
    "again",
    "all",
    "also",
    "am",
    "an",
    "and",
    "any",
    "are",
    "as",
    "at",
    "be",
    "because",
    "been",
    "before",
    "being",
    "below",
    "between",
    "both",
    "but",
    "by",
    "can",
    "could",
    "define",
    "describe",
    "did",
    "do",
    "does",
    "doing",
    "document",
    "documents",
    "down",
    "during",
    "each",
    "every",
    "explain",
    "few",
    "file",
    "find",
    "for",
    "from",
    "further",
    "give",
    "had",
    "has",
    "have",
    "having",
    "he",
    "her",
    "here",
    "him",
    "his",
    "how",
    "i",
    "if",
    "in",
    "into",
    "is",
    "it",
    "its",
    "just",
    "know",
    "let",
    "list",
    "many",
    "may",
    "me",
    "mean",
    "means",
    "might",
    "more",
    "most",
    "much",
    "must",
    "my",
    "name",
    "no",
    "nor",
    "not",
    "now",
    "of",
    "off",
    "on",
    "once",
    "only",
    "or",
    "other",
    "our",
    "out",
    "over",
    "own",
    "please",
    "said",
    "same",
    "say",
    "says",
    "shall",
    "she",
    "should",
    "show",
    "so",
    "some",
    "such",
    "summarise",
    "summarize",
    "tell",
    "text",
    "than",
    "that",
    "the",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "this",
    "those",
    "through",
    "to",
    "too",
    "under",
    "until",
    "up",
    "us",
    "very",
    "want",
    "was",
    "we",
    "were",
    "what",
    "when",
    "where",
    "which",
    "while",
    "who",
    "whom",
    "whose",
    "why",
    "will",
    "with",
    "would",
    "you",
    "your",
];

/// Words of a question at most.
const TERMS_MAX: usize = 24;

/// The words of a question that matter, each once, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    words: Vec<String>,
}

impl Terms {
    /// The question's own words; one that has none ("and why?") borrows those of the question before.
    pub(super) fn of(message: &str, before: Option<&Exchange>) -> Self {
        let words = content_words(message);
        match before {
            Some(before) if words.is_empty() => Self { words: content_words(&before.message) },
            _ => Self { words },
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn words(&self) -> &[String] {
        &self.words
    }

    pub(super) fn as_query(&self) -> String {
        self.words.join(" ")
    }
}

fn content_words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in split(text) {
        if words.len() >= TERMS_MAX {
            break;
        }
        if !COMMON.contains(&word.as_str()) && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// Runs of letters and digits, in lower case.
pub(super) fn split(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()).map(str::to_lowercase)
}

/// Whether two words are forms of one another: equal, or alike but for a short ending. Rough on
/// purpose, and the same for every language.
pub(super) fn alike(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let digits = |word: &str| word.bytes().any(|byte| byte.is_ascii_digit());
    if digits(a) || digits(b) {
        return false;
    }
    let common = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let (long, short) = (a.chars().count().max(b.chars().count()), a.chars().count().min(b.chars().count()));
    let ending = long - common;
    // "ticket" and "tickets", "refuse" and "refused", but not "ten" and "tent".
    short >= 4 && common >= 4 && short - common <= 1 && ending <= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_keeps_the_words_of_its_subject() {
        let terms = Terms::of("How long does a ticket live, please?", None);
        assert_eq!(terms.words(), ["long", "ticket", "live"]);
    }

    #[test]
    fn a_question_without_a_subject_is_about_the_one_before() {
        let before = Exchange { message: "How do tickets work?".into(), answer: String::new() };
        assert_eq!(Terms::of("And why?", Some(&before)).words(), ["tickets", "work"]);
    }

    #[test]
    fn forms_of_a_word_are_alike_and_other_words_are_not() {
        assert!(alike("ticket", "tickets") && alike("refuse", "refused") && alike("lease", "leases"));
        assert!(!alike("ten", "tent") && !alike("2019", "2018") && !alike("stream", "strong"));
        assert!(!alike("record", "recovered"));
    }
}
