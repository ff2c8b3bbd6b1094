//! Plain text: UTF-8, or UTF-16 with its mark.

use std::borrow::Cow;

use crate::extract::child::{Say, Stop};
use crate::extract::line::Line;
use crate::extract::passages::Passages;

/// A paragraph at most.
const PARAGRAPH_BYTES: usize = 32_768;
/// Progress is told after so many bytes.
const STEP_BYTES: usize = 262_144;

pub(in crate::extract) fn read<S: Say>(bytes: &[u8], out: &mut Passages<'_, S>) -> Result<(), Stop> {
    let text = decode(bytes)?;
    out.say(&Line::Opened { pages: None })?;
    let (mut done, mut told) = (0_usize, 0_usize);
    for paragraph in paragraphs(&text) {
        out.paragraph(paragraph)?;
        done += paragraph.len();
        if done >= told + STEP_BYTES {
            told = done;
            out.say(&Line::Progress { done: done as u64, total: text.len() as u64 })?;
        }
    }
    Ok(())
}

/// The text of bytes that are text.
pub(in crate::extract) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Stop> {
    let refused = || Stop::Unprocessable("the text is neither UTF-8 nor UTF-16 with its mark".to_owned());
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, odd) = rest.as_chunks::<2>();
        let units = pairs.iter().copied().map(unit);
        let text = char::decode_utf16(units).collect::<Result<String, _>>();
        text.ok().filter(|_| odd.is_empty()).ok_or_else(refused)
    };
    let text = match bytes {
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)?),
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)?),
        [0xEF, 0xBB, 0xBF, rest @ ..] => std::str::from_utf8(rest).map_err(|_| refused())?.into(),
        all => std::str::from_utf8(all).map_err(|_| refused())?.into(),
    };
    if text.contains('\0') {
        return Err(Stop::Unprocessable("the text holds bytes that no text has".to_owned()));
    }
    Ok(text)
}

/// What stands between empty lines. A text without any is cut later, by its length.
fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = blank_line(rest).unwrap_or(rest.len());
        let (paragraph, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        rest = after;
        Some(paragraph)
    })
}

/// The end of the first empty line, which belongs to what stands before it.
fn blank_line(text: &str) -> Option<usize> {
    let mut at = 0;
    // So that no paragraph is larger than what is cut at once, whatever its lines are.
    let head = text.get(..text.floor_char_boundary(PARAGRAPH_BYTES)).unwrap_or_default();
    for line in head.split_inclusive('\n') {
        at += line.len();
        if line.trim().is_empty() && line.ends_with('\n') {
            return (at < text.len()).then_some(at);
        }
    }
    (head.len() < text.len()).then(|| last_break(head))
}

/// The best place to cut a text that goes on: after its last line, sentence or word.
fn last_break(head: &str) -> usize {
    let after = |mark: &str| head.rfind(mark).map(|at| at + mark.len());
    after("\n").or_else(|| after(". ")).or_else(|| after(" ")).unwrap_or(head.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_is_read_by_its_mark() {
        assert_eq!(decode(b"\xFF\xFEh\0\xE4\0").unwrap(), "hä");
        assert_eq!(decode(b"\xFE\xFF\0h\0\xE4").unwrap(), "hä");
        assert!(decode(b"\xFF\xFEh").is_err());
        assert!(decode(b"\xFF\xFE\x00\xD8").is_err(), "half of a pair");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert!(decode(b"caf\xE9").is_err());
        assert!(decode(b"a\0b").is_err());
    }

    #[test]
    fn a_text_that_is_one_line_is_cut_between_sentences() {
        let text = "The tide gate lets water through one way. ".repeat(5_000);
        let found: Vec<_> = paragraphs(&text).collect();
        assert_eq!(found.concat(), text);
        assert!(found.len() > 5);
        assert!(found.iter().all(|part| part.len() <= PARAGRAPH_BYTES && part.ends_with(". ")));
        let word = "é".repeat(40_000);
        assert_eq!(paragraphs(&word).collect::<String>(), word);
    }

    #[test]
    fn paragraphs_end_at_empty_lines() {
        let found: Vec<_> = paragraphs("a\nb\n\nc\r\n \r\nd").map(str::trim).collect();
        assert_eq!(found, ["a\nb", "c", "d"]);
    }
}
