//! A command's output as progress: lines out of chunks, percentages and counts out of lines.
//!
//! Pure: no IO, no time. Bounded: a line is cut at 2,000 bytes, a report carries at most 100 lines
//! of 64 KiB in all, so that the server takes every report whatever the command prints.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

const LINE_BYTES_MAX: usize = 4_096;
const TEXT_BYTES_MAX: usize = 2_000;
const REPORT_LINES_MAX: usize = 100;
const REPORT_BYTES_MAX: usize = 65_536;

/// A piece of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A line that stays.
    Line(String),
    /// A state of a line that is being redrawn (`\r`).
    Redrawn(String),
}

/// Splits a stream of bytes into pieces, whatever the chunks.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    buffer: Vec<u8>,
    after_return: bool,
    skipping: bool,
}

impl Splitter {
    /// Takes a chunk and returns the pieces that it completes.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for byte in chunk {
            if self.after_return {
                self.after_return = false;
                // `\r\n` is one line end; anything else after `\r` starts a redraw.
                let piece = if *byte == b'\n' { self.take(Piece::Line) } else { self.take(Piece::Redrawn) };
                pieces.extend(piece);
                if *byte == b'\n' {
                    continue;
                }
            }
            match byte {
                b'\n' => pieces.extend(self.take(Piece::Line)),
                b'\r' => self.after_return = true,
                _ if self.buffer.len() < LINE_BYTES_MAX => self.buffer.push(*byte),
                _ => self.skipping = true,
            }
        }
        pieces
    }

    /// What is left when the stream ends.
    pub(crate) fn finish(&mut self) -> Option<Piece> {
        self.take(Piece::Line)
    }

    fn take(&mut self, kind: fn(String) -> Piece) -> Option<Piece> {
        let bytes = std::mem::take(&mut self.buffer);
        let skipped = std::mem::take(&mut self.skipping);
        let text = String::from_utf8_lossy(&bytes);
        let text: String =
            console::strip_ansi_codes(&text).chars().filter(|c| !c.is_control() || *c == '\t').collect();
        let text = cut(text.trim_end(), TEXT_BYTES_MAX, skipped);
        (!text.is_empty()).then(|| kind(text))
    }
}

/// The text within a number of bytes; an ellipsis says that something is missing.
fn cut(text: &str, bytes_max: usize, is_part: bool) -> String {
    let end = text.floor_char_boundary(bytes_max);
    let mut kept = text.get(..end).unwrap_or_default().to_owned();
    if is_part || kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

/// How far a line says the work is, 0 to 1: `42%`, `3/10` or `3 of 10`.
#[must_use]
pub(crate) fn progress_of(line: &str) -> Option<f64> {
    percentage(line).or_else(|| ratio(line))
}

fn percentage(line: &str) -> Option<f64> {
    let (before, _) = line.rsplit_once('%')?;
    let value = number_at_end(before.trim_end())?;
    (0.0..=100.0).contains(&value).then_some(value / 100.0)
}

fn ratio(line: &str) -> Option<f64> {
    let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || "()[]{},:;".contains(c)).collect();
    let slashed = words.iter().rev().find_map(|word| {
        let (done, all) = word.split_once('/')?;
        share(done.parse().ok()?, all.parse().ok()?)
    });
    let spelt = || {
        words.windows(3).rev().find_map(|three| match three {
            [done, "of" | "/", all] => share(done.parse().ok()?, all.parse().ok()?),
            _ => None,
        })
    };
    slashed.or_else(spelt)
}

fn share(done: f64, all: f64) -> Option<f64> {
    (all > 0.0 && done >= 0.0 && done <= all && all.is_finite()).then(|| done / all)
}

fn number_at_end(text: &str) -> Option<f64> {
    let digits = text.bytes().rev().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let start = text.len().checked_sub(digits)?;
    let before = text.get(..start)?.chars().next_back();
    // `-5%` and `v2%` say nothing about progress.
    if before.is_some_and(|c| c == '-' || c.is_alphanumeric()) {
        return None;
    }
    text.get(start..)?.parse().ok()
}

/// What is to be reported next: everything since the last report, folded together.
#[derive(Debug, Default)]
pub(crate) struct Digest {
    progress: Option<f64>,
    message: Option<String>,
    lines: VecDeque<String>,
    bytes: usize,
    dropped: u64,
    changed: bool,
}

/// One report.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report {
    /// How far, 0 to 1.
    pub progress: Option<f64>,
    /// The newest piece.
    pub message: Option<String>,
    /// The lines since the last report.
    pub lines: Vec<String>,
    /// Lines that did not fit.
    pub dropped: u64,
}

impl Report {
    /// What goes beside stage, progress and message.
    #[must_use]
    pub(crate) fn extras(&self) -> Map<String, Value> {
        let mut extras = Map::new();
        if !self.lines.is_empty() {
            extras.insert("lines".to_owned(), json!(self.lines));
        }
        if self.dropped > 0 {
            extras.insert("lines_dropped".to_owned(), json!(self.dropped));
        }
        extras
    }
}

impl Digest {
    /// Adds a piece.
    pub(crate) fn add(&mut self, piece: Piece) {
        let text = match &piece {
            Piece::Line(text) | Piece::Redrawn(text) => text,
        };
        self.progress = progress_of(text).or(self.progress);
        self.message = Some(text.clone());
        self.changed = true;
        if let Piece::Line(text) = piece {
            self.bytes += text.len();
            self.lines.push_back(text);
            while self.lines.len() > REPORT_LINES_MAX || self.bytes > REPORT_BYTES_MAX {
                let oldest = self.lines.pop_front().unwrap_or_default();
                self.bytes = self.bytes.saturating_sub(oldest.len());
                self.dropped += 1;
            }
        }
    }

    /// What to report now, if anything is new. Progress and message stay for the next heartbeat.
    pub(crate) fn take(&mut self) -> Option<Report> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        self.bytes = 0;
        Some(Report {
            progress: self.progress,
            message: self.message.clone(),
            lines: self.lines.drain(..).collect(),
            dropped: std::mem::take(&mut self.dropped),
        })
    }

    /// The last state again, to show that the command is alive.
    #[must_use]
    pub(crate) fn repeat(&self) -> Report {
        Report { progress: self.progress, message: self.message.clone(), lines: Vec::new(), dropped: 0 }
    }

    /// The newest piece.
    #[must_use]
    pub(crate) fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_and_counts_become_progress() {
        for (line, expected) in [
            ("42%", Some(0.42)),
            ("  7.5 % done", Some(0.075)),
            ("[3/10] compiling", Some(0.3)),
            ("step 3 of 10", Some(0.3)),
            ("10/10", Some(1.0)),
            ("Downloading 1.5/3.0 MB", Some(0.5)),
            ("100% tests, 3/10 files", Some(1.0)),
            ("growth of -5%", None),
            ("110%", None),
            ("on 2026/11/21", None),
            ("a/b", None),
            ("11/10", None),
            ("", None),
        ] {
            assert_eq!(progress_of(line), expected, "{line:?}");
        }
    }

    #[test]
    fn chunks_redraws_and_colours_do_not_matter() {
        let output = "one\r\n 10%\r 20%\r\u{1b}[32m 30%\u{1b}[0m\nlast".as_bytes();
        let mut whole = Splitter::default();
        let mut expected = whole.feed(output);
        expected.extend(whole.finish());
        assert_eq!(
            expected,
            [
                Piece::Line("one".into()),
                Piece::Redrawn(" 10%".into()),
                Piece::Redrawn(" 20%".into()),
                Piece::Line(" 30%".into()),
                Piece::Line("last".into()),
            ]
        );
        let mut split = Splitter::default();
        let mut pieces: Vec<Piece> = output.chunks(1).flat_map(|chunk| split.feed(chunk)).collect();
        pieces.extend(split.finish());
        assert_eq!(pieces, expected);
    }

    #[test]
    fn an_endless_line_and_a_flood_of_lines_stay_bounded() {
        let mut splitter = Splitter::default();
        assert!(splitter.feed(&vec![b'x'; 1 << 20]).is_empty());
        assert!(splitter.buffer.len() <= LINE_BYTES_MAX);
        let mut digest = Digest::default();
        for n in 0..1_000 {
            digest.add(Piece::Line(format!("line {n}")));
        }
        let report = digest.take().unwrap();
        assert_eq!((report.lines.len(), report.dropped), (REPORT_LINES_MAX, 900));
        assert_eq!(report.message.as_deref(), Some("line 999"));
        assert_eq!(digest.take(), None);
    }

    #[test]
    fn junk_and_long_lines_stay_within_what_the_server_takes() {
        let mut splitter = Splitter::default();
        let mut junk = vec![0xff; 4_000];
        junk.push(b'\n');
        let mut digest = Digest::default();
        for _ in 0..200 {
            splitter.feed(&junk).into_iter().for_each(|piece| digest.add(piece));
        }
        let report = digest.take().unwrap();
        assert!(report.message.unwrap().len() <= 4_096);
        assert!(report.lines.iter().map(String::len).sum::<usize>() <= REPORT_BYTES_MAX);
        assert_eq!(report.lines.len() as u64 + report.dropped, 200);
    }
}
