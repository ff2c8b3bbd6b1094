//! The words of a question that matter.

use crate::answer::Exchange;
use crate::words::{is_common, stem, words};

/// Words that people ask with: they say what to do, not about what.
const ASKING: &[&str] = &[
    "define",
    "describe",
    "document",
    "documents",
    "exactly",
    "explain",
    "file",
    "find",
    "get",
    "give",
    "happen",
    "happens",
    "know",
    "let",
    "list",
    "many",
    "mean",
    "means",
    "name",
    "need",
    "needs",
    "please",
    "said",
    "say",
    "says",
    "show",
    "someone",
    "something",
    "summarise",
    "summarize",
    "tell",
    "text",
    "thing",
    "things",
    "want",
    "wants",
    "work",
    "works",
];

/// What follows "how" where a quantity is asked for: "how long", "how many".
const QUANTITIES: &[&str] = &["big", "fast", "large", "long", "many", "much", "often", "old", "soon"];

/// Words of a question at most.
const TERMS_MAX: usize = 24;

/// The words of a question that matter, each once, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    words: Vec<String>,
    stems: Vec<String>,
    /// The question asks for a quantity.
    pub(super) asks_how_much: bool,
}

impl Terms {
    /// The question's own words; one that has none ("and why?") borrows those of the question before.
    pub(super) fn of(message: &str, before: Option<&Exchange>) -> Self {
        let own = Self::new(message);
        match before {
            Some(before) if own.words.is_empty() => Self::new(&before.message),
            _ => own,
        }
    }

    /// A question that has no other words ("What does it list?") is taken by those it asks with.
    fn new(text: &str) -> Self {
        let (mut own, mut asking, mut before) = (Vec::new(), Vec::new(), String::new());
        let mut terms = Self::default();
        for word in words(text) {
            let is_quantity = before == "how" && QUANTITIES.contains(&word.as_str());
            before.clone_from(&word);
            terms.asks_how_much |= is_quantity;
            if is_quantity || ASKING.contains(&word.as_str()) {
                asking.push(word);
            } else if !is_common(&word) {
                own.push(word);
            }
        }
        for word in if own.is_empty() { asking } else { own } {
            let stem = stem(&word);
            if terms.words.len() < TERMS_MAX && !terms.stems.contains(&stem) {
                terms.words.push(word);
                terms.stems.push(stem);
            }
        }
        terms
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// What the forms of each word have in common.
    pub(super) fn stems(&self) -> &[String] {
        &self.stems
    }

    pub(super) fn as_query(&self) -> String {
        self.words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(message: &str, before: Option<&Exchange>) -> String {
        Terms::of(message, before).as_query()
    }

    #[test]
    fn a_question_keeps_the_words_of_its_subject_each_once() {
        assert_eq!(query("How long does a ticket live, please? Tickets!", None), "ticket live");
        assert!(Terms::of("How long does it live?", None).asks_how_much);
        assert_eq!(query("What lives long?", None), "lives long");
        assert_eq!(query("What does it list?", None), "list");
    }

    #[test]
    fn a_question_without_a_subject_is_about_the_one_before() {
        let before = Exchange { message: "How do tickets open?".into(), answer: String::new() };
        assert_eq!(query("And why?", Some(&before)), "tickets open");
    }
}
