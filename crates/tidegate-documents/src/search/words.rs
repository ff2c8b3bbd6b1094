//! The words of a user's text.

const WORD_CHARS_MAX: usize = 64;

/// The first `limit` words of a text, each once. A word is a run of letters and digits, so a word
/// holds nothing that a query language could take for its own.
pub(crate) fn words(text: &str, limit: usize) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for run in text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()) {
        if found.len() >= limit {
            break;
        }
        let word: String = run.chars().take(WORD_CHARS_MAX).collect();
        if !found.contains(&word) {
            found.push(word);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn operators_of_a_query_language_are_words_or_nothing() {
        let found = words("\"alpha\" AND beta* NEAR(x, 2) -y col:z ^w", 32);
        assert_eq!(found, ["alpha", "AND", "beta", "NEAR", "x", "2", "y", "col", "z", "w"]);
    }

    #[test]
    fn a_word_counts_once_and_long_texts_are_cut() {
        assert_eq!(words("a b a c d", 3), ["a", "b", "c"]);
    }

    proptest! {
        #[test]
        fn words_are_short_few_and_hold_no_marks(text in any::<String>()) {
            let found = words(&text, 32);
            prop_assert!(found.len() <= 32);
            for word in found {
                prop_assert!(word.chars().count() <= WORD_CHARS_MAX);
                prop_assert!(word.chars().all(char::is_alphanumeric));
            }
        }
    }
}
