//! Sentences of a passage, with their places.

use std::ops::Range;

/// A sentence at most; longer runs (tables, code) are cut between words.
const BYTES_MAX: usize = 600;

/// The sentences of a text as byte ranges, in order, without the space around them.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        let next = chars.peek().map(|(_, next)| *next);
        if ends_sentence(text, start..end, c, next) {
            push(text, start..end, &mut found);
            start = end;
        }
    }
    push(text, start..text.len(), &mut found);
    found
}

fn ends_sentence(text: &str, so_far: Range<usize>, c: char, next: Option<char>) -> bool {
    match c {
        '.' | '!' | '?' | '…' => next.is_none_or(char::is_whitespace) && !is_abbreviation(text, so_far),
        '。' | '！' | '？' => true,
        // A blank line, a list item or a heading ends what came before.
        '\n' => matches!(next, Some('\n' | '-' | '*' | '#' | '|' | '>' | '•')),
        _ => false,
    }
}

/// "e.g.", "Dr.", "No. 5", "J. Smith": the dot belongs to the word.
fn is_abbreviation(text: &str, so_far: Range<usize>) -> bool {
    const SHORT: &[&str] =
        &["e.g.", "i.e.", "etc.", "vs.", "cf.", "dr.", "mr.", "mrs.", "ms.", "st.", "no.", "fig.", "approx."];
    let last = text.get(so_far).unwrap_or_default().split_whitespace().next_back().unwrap_or_default();
    let last = last.trim_start_matches(['(', '“', '"', '\'']);
    let is_initial = last.chars().count() == 2 && last.starts_with(char::is_uppercase);
    is_initial || SHORT.contains(&last.to_lowercase().as_str())
}

fn push(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let Some(raw) = text.get(range.clone()) else { return };
    let lead = raw.len() - raw.trim_start().len();
    let mut start = range.start + lead;
    let end = start + raw.trim().len();
    while end - start > BYTES_MAX {
        let cut = last_space(text, start, BYTES_MAX);
        if cut == start {
            break;
        }
        found.push(start..cut);
        let rest = text.get(cut..end).unwrap_or_default();
        start = cut + (rest.len() - rest.trim_start().len());
    }
    if end > start {
        found.push(start..end);
    }
}

/// The last place before `start + most` where a word ends; else a boundary of characters.
fn last_space(text: &str, start: usize, most: usize) -> usize {
    let end = text.floor_char_boundary(start + most);
    let window = text.get(start..end).unwrap_or_default();
    window.rfind(char::is_whitespace).filter(|at| *at > 0).map_or(end, |at| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        assert_eq!(
            texts("A ticket lives 60 s. It opens one stream, e.g. a feed! Dr. Smith asked: why?"),
            ["A ticket lives 60 s.", "It opens one stream, e.g. a feed!", "Dr. Smith asked: why?"]
        );
        assert_eq!(texts("Version 1.5 is out"), ["Version 1.5 is out"]);
        assert_eq!(
            texts("# Tickets\n\nThey are short.\n- one\n- two"),
            ["# Tickets", "They are short.", "- one", "- two"]
        );
    }

    proptest! {
        #[test]
        fn ranges_are_in_order_within_the_text_and_not_too_long(text in any::<String>()) {
            let mut last = 0;
            for range in sentences(&text) {
                prop_assert!(range.start >= last && range.end > range.start);
                prop_assert!(text.get(range.clone()).is_some());
                last = range.end;
            }
        }

        #[test]
        fn nothing_but_space_is_lost(text in "[a-z .!?\n#-]{0,400}") {
            let kept: String = texts(&text).concat().split_whitespace().collect();
            let all: String = text.split_whitespace().collect();
            prop_assert_eq!(kept, all);
        }
    }
}
