//! Cutting text into passages: of one page and under one heading, at the end of a sentence where
//! there is one, each with its place in the whole text.

use std::ops::Range;

use text_splitter::{ChunkConfig, TextSplitter};

use super::child::Stop;
use super::line::Line;
use super::{Bounds, child::Say};
use crate::NewPassage;

/// Characters of a passage: as many as the first, at most the second.
const PASSAGE_CHARS: Range<usize> = 400..1_000;
/// A section of more text than this is cut before it ends, at a paragraph.
const SECTION_BYTES: usize = 65_536;
const BATCH_BYTES: usize = 131_072;
const BATCH_PASSAGES: usize = 256;
const HEADING_CHARS: usize = 200;
const BREAK: &str = "\n\n";

/// Where a piece of text stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    page: Option<u32>,
    heading: Option<String>,
}

/// Takes paragraphs in, says passages.
pub(super) struct Passages<'a, S> {
    say: &'a mut S,
    bounds: Bounds,
    splitter: TextSplitter<text_splitter::Characters>,
    place: Place,
    section: String,
    batch: Vec<NewPassage>,
    batch_bytes: usize,
    /// Passages made so far.
    ordinal: u32,
    /// The end of the last passage in the whole text.
    end: usize,
    /// What came before this paragraph in the whole text but belongs to no passage yet.
    is_first: bool,
}

impl<'a, S: Say> Passages<'a, S> {
    pub(super) fn new(say: &'a mut S, bounds: Bounds) -> Self {
        Self {
            say,
            bounds,
            splitter: TextSplitter::new(ChunkConfig::new(PASSAGE_CHARS)),
            place: Place::default(),
            section: String::new(),
            batch: Vec::new(),
            batch_bytes: 0,
            ordinal: 0,
            end: 0,
            is_first: true,
        }
    }

    /// Says something that is not a passage, after those that came before it.
    pub(super) fn say(&mut self, line: &Line) -> Result<(), Stop> {
        self.say.say(line)
    }

    /// From here on it is another page, with the heading of the page before.
    pub(super) fn page(&mut self, page: u32) -> Result<(), Stop> {
        self.cut()?;
        self.place.page = Some(page);
        Ok(())
    }

    /// From here on it stands under another heading, which is text too.
    pub(super) fn heading(&mut self, heading: &str) -> Result<(), Stop> {
        let heading = clean(heading);
        let one_line = heading.split_whitespace().collect::<Vec<_>>().join(" ");
        if one_line.is_empty() {
            return Ok(());
        }
        self.cut()?;
        self.place.heading = Some(one_line.chars().take(HEADING_CHARS).collect());
        self.paragraph(&one_line)
    }

    /// The next paragraph.
    pub(super) fn paragraph(&mut self, text: &str) -> Result<(), Stop> {
        let text = clean(text);
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        if self.section.len() + text.len() > SECTION_BYTES {
            self.cut()?;
        }
        if !self.section.is_empty() {
            self.section.push_str(BREAK);
        }
        self.section.push_str(text);
        Ok(())
    }

    /// The end: what is left becomes passages. Answers how many there are in all.
    pub(super) fn finish(mut self) -> Result<u32, Stop> {
        self.cut()?;
        self.flush()?;
        Ok(self.ordinal)
    }

    /// Ends the section: its text becomes passages.
    fn cut(&mut self) -> Result<(), Stop> {
        let section = std::mem::take(&mut self.section);
        if section.is_empty() {
            return Ok(());
        }
        let start = if self.is_first { 0 } else { self.end + BREAK.len() };
        let mut lead_from = None;
        for Range { start: from, end: to } in self.cuts(&section) {
            let lead = match lead_from {
                None if self.is_first => section.get(..from).unwrap_or_default().to_owned(),
                None => format!("{BREAK}{}", section.get(..from).unwrap_or_default()),
                Some(before) => section.get(before..from).unwrap_or_default().to_owned(),
            };
            lead_from = Some(to);
            let text = section.get(from..to).unwrap_or_default().to_owned();
            self.push(lead, text, start + from)?;
        }
        Ok(())
    }

    /// Where a section is cut. A run without any space is cut by its length: looking for the ends of its
    /// sentences would take as long as its length, for each piece of it.
    fn cuts(&self, section: &str) -> Vec<Range<usize>> {
        let mut cuts = Vec::new();
        let mut from = 0;
        for run in long_runs(section) {
            self.cut_prose(section, from..run.start, &mut cuts);
            let mut at = run.start;
            while at < run.end {
                let next = run.end.min(section.floor_char_boundary(at + PASSAGE_CHARS.end));
                cuts.push(at..next);
                at = next;
            }
            from = run.end;
        }
        self.cut_prose(section, from..section.len(), &mut cuts);
        cuts
    }

    fn cut_prose(&self, section: &str, range: Range<usize>, cuts: &mut Vec<Range<usize>>) {
        let prose = section.get(range.clone()).unwrap_or_default();
        for (at, chunk) in self.splitter.chunk_indices(prose) {
            let from = range.start + at;
            cuts.push(from..from + chunk.len());
        }
    }

    fn push(&mut self, lead: String, text: String, start: usize) -> Result<(), Stop> {
        self.is_first = false;
        self.end = start + text.len();
        if self.end as u64 > self.bounds.text_bytes {
            return Err(Stop::too_much(format!("it has more than {} bytes of text", self.bounds.text_bytes)));
        }
        if u64::from(self.ordinal) >= self.bounds.passages {
            return Err(Stop::too_much(format!("it has more than {} passages", self.bounds.passages)));
        }
        self.batch_bytes += text.len() + lead.len();
        let Place { page, heading } = self.place.clone();
        self.batch.push(NewPassage { ordinal: self.ordinal, page, heading, lead, text, start });
        self.ordinal += 1;
        if self.batch_bytes >= BATCH_BYTES || self.batch.len() >= BATCH_PASSAGES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Stop> {
        self.batch_bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() { Ok(()) } else { self.say.say(&Line::Passages(batch)) }
    }
}

/// Runs without a space that are longer than a passage.
fn long_runs(section: &str) -> impl Iterator<Item = Range<usize>> {
    let mut end = 0;
    section.split(char::is_whitespace).filter_map(move |run| {
        let start = end;
        let space = section.get(start + run.len()..).and_then(|rest| rest.chars().next());
        end = start + run.len() + space.map_or(0, char::len_utf8);
        (run.len() > PASSAGE_CHARS.end).then(|| start..start + run.len())
    })
}

/// Without characters that no reader wants: controls but line ends and tabs, marks of byte order,
/// line ends as one character.
fn clean(text: &str) -> std::borrow::Cow<'_, str> {
    let odd = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{FEFF}' | '\u{FFFE}');
    if !text.contains(odd) {
        return text.into();
    }
    let unix = text.replace("\r\n", "\n").replace(['\r', '\u{c}', '\u{b}', '\u{85}'], "\n");
    unix.chars().filter(|c| !odd(*c)).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::child::Collect;
    use proptest::prelude::*;
    use tidegate_types::Limits;

    fn passages(paragraphs: &[String]) -> Vec<NewPassage> {
        let mut collect = Collect::default();
        let mut passages = Passages::new(&mut collect, Bounds::of(&Limits::default()));
        for (at, paragraph) in paragraphs.iter().enumerate() {
            if at % 3 == 0 {
                passages.page(u32::try_from(at).unwrap() + 1).unwrap();
            }
            if at % 5 == 4 {
                passages.heading(paragraph).unwrap();
            } else {
                passages.paragraph(paragraph).unwrap();
            }
        }
        passages.finish().unwrap();
        collect.passages()
    }

    fn whole(passages: &[NewPassage]) -> String {
        passages.iter().flat_map(|passage| [passage.lead.as_str(), passage.text.as_str()]).collect()
    }

    #[test]
    fn a_long_paragraph_is_cut_at_sentences() {
        let sentence = "The tide gate shuts against the flow back, and Dr. Smith agrees. ";
        let found = passages(&[sentence.repeat(100)]);
        assert!(found.len() > 5);
        for passage in &found {
            assert!(passage.text.len() <= 1_000);
            assert!(passage.text.ends_with('.'), "{}", passage.text);
        }
    }

    #[test]
    fn a_run_without_spaces_is_cut_by_its_length_and_prose_around_it_is_not() {
        let run = "é".repeat(1_300);
        let found = passages(&[format!("Before it. {run} After it.")]);
        let texts: Vec<&str> = found.iter().map(|passage| passage.text.as_str()).collect();
        assert_eq!((texts[0], texts.last()), ("Before it.", Some(&"After it.")));
        assert_eq!(texts[1..texts.len() - 1].concat(), run);
        assert_eq!(whole(&found), format!("Before it. {run} After it."));
    }

    #[test]
    fn passages_keep_to_their_page_and_heading() {
        let found = passages(&["one".into(), "two".into(), "three".into(), "four".into(), "Head".into()]);
        let places: Vec<_> = found.iter().map(|p| (p.page, p.heading.as_deref(), p.text.as_str())).collect();
        assert_eq!(
            places,
            [
                (Some(1), None, "one\n\ntwo\n\nthree"),
                (Some(4), None, "four"),
                (Some(4), Some("Head"), "Head")
            ]
        );
        assert_eq!(whole(&found), "one\n\ntwo\n\nthree\n\nfour\n\nHead");
    }

    #[test]
    fn more_text_than_allowed_is_refused() {
        let mut collect = Collect::default();
        let bounds = Bounds { text_bytes: 50, ..Bounds::of(&Limits::default()) };
        let mut passages = Passages::new(&mut collect, bounds);
        passages.paragraph(&"word ".repeat(40)).unwrap();
        assert!(passages.finish().is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_passage_is_the_bytes_that_it_says(
            paragraphs in proptest::collection::vec("(\\PC{0,40}[ .\n\t]{0,3}){0,60}", 0..8)
        ) {
            let found = passages(&paragraphs);
            let text = whole(&found);
            for (at, passage) in found.iter().enumerate() {
                prop_assert_eq!(passage.ordinal as usize, at);
                prop_assert_eq!(text.get(passage.start..passage.end()), Some(passage.text.as_str()));
                prop_assert!(passage.text.chars().count() <= 1_000);
            }
        }
    }
}
