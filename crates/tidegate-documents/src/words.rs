//! Words: what texts are made of, for search, answers and briefs alike.
//!
//! Rule: the same for every language as far as it goes; endings and words that say nothing are those
//! of English, as in the index. Pure.

/// Words that stand in every text and say nothing about its subject.
const COMMON: &[&str] = &[
    "a", "about", "above", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at",
    "be", "because", "been", "before", "being", "below", "between", "both", "but", "by", "can", "could",
    "did", "do", "does", "doing", "down", "during", "each", "every", "few", "for", "from", "further", "had",
    "has", "have", "having", "he", "her", "here", "him", "his", "how", "i", "if", "in", "into", "is", "it",
    "its", "just", "may", "me", "might", "more", "most", "much", "must", "my", "no", "nor", "not", "now",
    "of", "off", "on", "once", "only", "or", "other", "our", "out", "over", "own", "same", "shall", "she",
    "should", "so", "some", "such", "than", "that", "the", "their", "them", "then", "there", "these", "they",
    "this", "those", "through", "to", "too", "under", "until", "up", "us", "very", "was", "we", "were",
    "what", "when", "where", "which", "while", "who", "whom", "whose", "why", "will", "with", "would", "you",
    "your",
];

/// Letters that a beginning has to have before it counts as one.
const BEGINNING_CHARS: usize = 4;
/// What a word that only begins like another counts beside one that is the same.
const BEGINNING: f64 = 0.5;

/// Runs of letters and digits, in lower case.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    runs(text).map(str::to_lowercase)
}

/// Runs of letters and digits, as they stand.
pub(crate) fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty())
}

/// Whether a word (in lower case) says nothing about a subject.
pub(crate) fn is_common(word: &str) -> bool {
    COMMON.binary_search(&word).is_ok()
}

/// What the forms of a word have in common. Rough on purpose: forms should meet, and most do;
/// words with digits stay as they are.
pub(crate) fn stem(word: &str) -> String {
    if word.bytes().any(|byte| byte.is_ascii_digit()) {
        return word.to_owned();
    }
    let word = singular(word);
    let word = without_tense(&word);
    without_ending(&word)
}

/// How well the stem of one word fits that of another: 1 when they are the same, a part when one
/// begins with the other ("config", "configuration"), else 0.
pub(crate) fn likeness(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let begins = long.starts_with(short) && short.chars().count() >= BEGINNING_CHARS;
    if begins && !short.bytes().any(|byte| byte.is_ascii_digit()) { BEGINNING } else { 0.0 }
}

fn letters(word: &str) -> usize {
    word.chars().count()
}

fn singular(word: &str) -> String {
    if letters(word) <= 3 {
        return word
            .strip_suffix('s')
            .filter(|rest| letters(rest) == 2 && !rest.ends_with(['s', 'u', 'i', 'a']))
            .unwrap_or(word)
            .to_owned();
    }
    if let Some(rest) = word.strip_suffix("ies") {
        return format!("{rest}y");
    }
    for ending in ["sses", "shes", "ches", "xes"] {
        if word.ends_with(ending) {
            return word.strip_suffix("es").unwrap_or(word).to_owned();
        }
    }
    match word.strip_suffix('s') {
        Some(rest) if !rest.ends_with(['s', 'u', 'i']) => rest.to_owned(),
        _ => word.to_owned(),
    }
}

fn without_tense(word: &str) -> String {
    for ending in ["ing", "ed"] {
        let Some(rest) = word.strip_suffix(ending) else { continue };
        let has_vowel = rest.contains(['a', 'e', 'i', 'o', 'u', 'y']);
        if letters(rest) < 2 || !has_vowel || rest.ends_with('e') {
            continue;
        }
        let mut chars = rest.chars().rev();
        let doubled =
            matches!((chars.next(), chars.next()), (Some(a), Some(b)) if a == b && !"aeioulsz".contains(a));
        let mut rest = rest.to_owned();
        if doubled {
            rest.pop();
        }
        return rest;
    }
    word.to_owned()
}

fn without_ending(word: &str) -> String {
    const ENDINGS: [&str; 10] =
        ["ization", "isation", "ation", "ition", "ment", "ness", "ion", "ate", "ize", "ise"];
    let mut word = word.strip_suffix("ly").filter(|rest| letters(rest) >= 4).unwrap_or(word);
    for ending in ENDINGS {
        if let Some(rest) = word.strip_suffix(ending)
            && letters(rest) >= 4
        {
            word = rest;
            break;
        }
    }
    let word = word.strip_suffix(['e', 'y']).filter(|rest| letters(rest) >= 2).unwrap_or(word);
    let word = word.strip_suffix('i').filter(|rest| letters(rest) >= 3).unwrap_or(word);
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fit(a: &str, b: &str) -> f64 {
        likeness(&stem(a), &stem(b))
    }

    #[test]
    fn common_words_are_in_order() {
        assert!(COMMON.is_sorted());
        assert!(is_common("the") && is_common("your") && !is_common("ticket"));
    }

    #[test]
    fn forms_of_a_word_meet() {
        for (a, b) in [
            ("ticket", "tickets"),
            ("refuse", "refused"),
            ("lease", "leases"),
            ("key", "keys"),
            ("log", "logged"),
            ("run", "running"),
            ("expire", "expiry"),
            ("retry", "retries"),
            ("delete", "deletion"),
            ("configure", "configuration"),
            ("authenticate", "authentication"),
            ("deploy", "deployment"),
            ("encrypt", "encryption"),
            ("plain", "plainly"),
            ("use", "using"),
            ("batch", "batches"),
        ] {
            assert!(fit(a, b) > 0.99, "{a} {} and {b} {}", stem(a), stem(b));
        }
    }

    #[test]
    fn other_words_do_not_and_beginnings_count_less() {
        for (a, b) in
            [("ten", "tent"), ("2019", "2018"), ("20", "2019"), ("stream", "strong"), ("record", "recovered")]
        {
            assert!(fit(a, b) < 0.01, "{a} and {b}");
        }
        assert!((fit("config", "configuration") - BEGINNING).abs() < 1e-9);
        assert!((fit("backed", "backup") - BEGINNING).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn every_word_fits_itself_in_any_language(word in "\\PC{1,20}") {
            for word in words(&word) {
                prop_assert!(fit(&word, &word) > 0.99);
            }
        }
    }
}
