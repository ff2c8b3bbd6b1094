//! What is looked for, in words.
//!
//! Owns: the one place where a query text for FTS5 is made: of words that hold letters and digits only,
//! each in quotes.

use crate::search::{Matching, SearchQuery};
use crate::words::{is_common, stem, words};

const WORD_CHARS_MAX: usize = 64;
/// A beginning of fewer letters says nothing, and costs most.
const BEGINNING_CHARS: usize = 2;
/// A word of fewer letters than this is not looked for as the beginning of others, unless it was typed
/// last.
const STEM_CHARS: usize = 4;

/// One word.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) stem: String,
    /// It may go on: whoever types has not ended it.
    is_open: bool,
}

/// What is looked for.
#[derive(Debug)]
pub(in crate::sqlite) struct Wanted {
    pub(super) query: SearchQuery,
    /// Those that count, each once.
    pub(super) words: Vec<Word>,
    /// All words as they were typed, if there are several.
    phrase: Option<String>,
}

impl Wanted {
    /// `None` when the text has no words.
    pub(in crate::sqlite) fn of(query: &SearchQuery, words_max: usize) -> Option<Self> {
        let typed = typed(&query.text, words_max);
        let last = typed.last()?.clone();
        // Who types ends in a space only after a whole word.
        let is_open = query.matching == Matching::All
            && query.text.ends_with(char::is_alphanumeric)
            && last.chars().count() >= BEGINNING_CHARS;
        let mut counting: Vec<&String> = Vec::new();
        for word in typed.iter().filter(|word| !is_common(word) || (is_open && **word == last)) {
            if !counting.contains(&word) {
                counting.push(word);
            }
        }
        if counting.is_empty() {
            for word in &typed {
                if !counting.contains(&word) {
                    counting.push(word);
                }
            }
        }
        let word =
            |text: &String| Word { text: text.clone(), stem: stem(text), is_open: is_open && *text == last };
        let words = counting.into_iter().map(word).collect();
        let phrase = (typed.len() > 1).then(|| {
            let end = if is_open { " *" } else { "" };
            format!("\"{}\"{end}", typed.join(" "))
        });
        Some(Self { query: query.clone(), words, phrase })
    }

    pub(super) fn phrase(&self) -> Option<&str> {
        self.phrase.as_deref()
    }

    /// Passages with any of the words.
    pub(super) fn any(&self) -> String {
        joined(self.words.iter().map(Word::whole), " OR ")
    }

    /// Passages with words that begin like one of them.
    pub(super) fn beginnings(&self) -> String {
        joined(self.words.iter().map(|word| word.beginning().unwrap_or_else(|| word.whole())), " OR ")
    }
}

impl Word {
    /// The word in any form.
    pub(super) fn whole(&self) -> String {
        let end = if self.is_open { " *" } else { "" };
        format!("\"{}\"{end}", self.text)
    }

    /// Whether it was typed as the beginning of this word (in lower case).
    pub(super) fn is_beginning_of(&self, word: &str) -> bool {
        self.is_open && word.starts_with(&self.text)
    }

    /// Words that begin like it; `None` when it is too short for that.
    pub(super) fn beginning(&self) -> Option<String> {
        let is_long = self.stem.chars().count() >= STEM_CHARS;
        is_long.then(|| format!("\"{}\" *", self.stem))
    }
}

/// The bit of a word by its place; words beyond 64 have none.
pub(super) fn bit(at: usize) -> u64 {
    u32::try_from(at).ok().and_then(|at| 1_u64.checked_shl(at)).unwrap_or(0)
}

pub(super) fn joined(words: impl Iterator<Item = String>, joint: &str) -> String {
    words.collect::<Vec<_>>().join(joint)
}

/// The first words of a text. A word holds nothing that a query language could take for its own.
fn typed(text: &str, limit: usize) -> Vec<String> {
    let short = |word: String| word.chars().filter(|c| c.is_alphanumeric()).take(WORD_CHARS_MAX).collect();
    words(text).map(short).filter(|word: &String| !word.is_empty()).take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tidegate_types::{OsEntropy, Timestamp, UserId};

    fn wanted(text: &str, matching: Matching) -> Option<Wanted> {
        let owner = UserId::generate(Timestamp::from_millis(1), &OsEntropy);
        let query = SearchQuery { owner, documents: Vec::new(), text: text.to_owned(), matching, limit: 9 };
        Wanted::of(&query, 8)
    }

    #[test]
    fn operators_of_a_query_language_are_words_or_nothing() {
        let found = typed("\"alpha\" AND beta* NEAR(x, 2) -y col:z ^w", 32);
        assert_eq!(found, ["alpha", "and", "beta", "near", "x", "2", "y", "col", "z", "w"]);
    }

    #[test]
    fn words_that_say_nothing_count_only_when_there_are_no_others() {
        let some = wanted("What is the lease of a lease", Matching::Any).unwrap();
        assert_eq!(some.any(), "\"lease\"");
        let none = wanted("to be or not to be ", Matching::All).unwrap();
        assert_eq!(none.words.len(), 4);
        assert_eq!(none.phrase(), Some("\"to be or not to be\""));
    }

    #[test]
    fn the_last_word_may_go_on_while_it_is_typed() {
        assert_eq!(wanted("tide ga", Matching::All).unwrap().any(), "\"tide\" OR \"ga\" *");
        assert_eq!(wanted("tide th", Matching::All).unwrap().any(), "\"tide\" OR \"th\" *");
        assert_eq!(wanted("tide ga ", Matching::All).unwrap().any(), "\"tide\" OR \"ga\"");
        assert_eq!(wanted("tide g", Matching::All).unwrap().any(), "\"tide\" OR \"g\"");
        assert_eq!(wanted("tide ga", Matching::Any).unwrap().any(), "\"tide\" OR \"ga\"");
    }

    proptest! {
        #[test]
        fn words_are_short_few_and_hold_no_marks(text in any::<String>()) {
            let found = typed(&text, 32);
            prop_assert!(found.len() <= 32);
            for word in found {
                prop_assert!(word.chars().count() <= WORD_CHARS_MAX);
                prop_assert!(word.chars().all(char::is_alphanumeric));
            }
        }
    }
}
