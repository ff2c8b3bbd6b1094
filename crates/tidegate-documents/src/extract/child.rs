//! The child's side: reads a file from standard input, says what it finds on standard output.
//!
//! Rule: its own limits stand before the first byte is read. Whatever a reader does wrong then ends
//! this process and nothing else.

use std::io::{self, Read as _, Write};

use super::line::Line;
use super::passages::Passages;
use super::{Bounds, confine, kinds};
use crate::MediaType;

/// Why the child stops early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The file is at fault.
    Unprocessable(String),
    /// Nobody listens any more.
    Deaf(io::Error),
}

impl Stop {
    pub(super) fn damaged(detail: impl std::fmt::Display) -> Self {
        Self::Unprocessable(format!("the document is damaged or incomplete ({detail})"))
    }

    pub(super) fn too_much(reason: impl std::fmt::Display) -> Self {
        Self::Unprocessable(format!("the document is too large: {reason}"))
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Deaf(error)
    }
}

/// Where lines go.
pub(crate) trait Say {
    fn say(&mut self, line: &Line) -> Result<(), Stop>;
}

struct Pipe<W>(W);

impl<W: Write> Say for Pipe<W> {
    fn say(&mut self, line: &Line) -> Result<(), Stop> {
        serde_json::to_writer(&mut self.0, line).map_err(io::Error::from)?;
        self.0.write_all(b"\n")?;
        Ok(self.0.flush()?)
    }
}

/// Keeps what is said, for tests.
#[cfg(test)]
#[derive(Debug, Default)]
pub(super) struct Collect(pub(super) Vec<Line>);

#[cfg(test)]
impl Say for Collect {
    fn say(&mut self, line: &Line) -> Result<(), Stop> {
        self.0.push(line.clone());
        Ok(())
    }
}

#[cfg(test)]
impl Collect {
    pub(super) fn passages(self) -> Vec<crate::NewPassage> {
        let passages = self.0.into_iter().filter_map(|line| match line {
            Line::Passages(passages) => Some(passages),
            _ => None,
        });
        passages.flatten().collect()
    }
}

/// The whole of a child: limits, then the file, then its text. Answers whether it could speak to
/// the end; that a file can't be processed is said in a line.
///
/// # Errors
/// The limits can't be set, or the pipes are broken.
pub fn run_child(media_type: MediaType, bounds: &Bounds) -> io::Result<()> {
    confine::confine(bounds)?;
    let mut bytes = Vec::new();
    io::stdin().lock().take(bounds.file_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    let mut pipe = Pipe(io::BufWriter::with_capacity(65_536, io::stdout().lock()));
    match extract_to(&mut pipe, media_type, &bytes, *bounds) {
        Ok(()) => Ok(()),
        Err(Stop::Deaf(error)) => Err(error),
        Err(Stop::Unprocessable(message)) => match pipe.say(&Line::Failed(message)) {
            Ok(()) => Ok(()),
            Err(Stop::Deaf(error)) => Err(error),
            Err(Stop::Unprocessable(message)) => Err(io::Error::other(message)),
        },
    }
}

/// Reads a file and says what it finds.
pub(crate) fn extract_to<S: Say>(
    say: &mut S,
    media_type: MediaType,
    bytes: &[u8],
    bounds: Bounds,
) -> Result<(), Stop> {
    if bytes.len() as u64 > bounds.file_bytes {
        return Err(Stop::too_much(format!("it has more than {} bytes", bounds.file_bytes)));
    }
    let mut passages = Passages::new(say, bounds);
    match media_type {
        MediaType::Text => kinds::text::read(bytes, &mut passages)?,
        MediaType::Markdown => kinds::markdown::read(bytes, &mut passages)?,
        MediaType::Html => kinds::html::read(bytes, &mut passages)?,
        MediaType::Pdf => kinds::pdf::read(bytes, &bounds, &mut passages)?,
        MediaType::Docx => kinds::docx::read(bytes, &mut passages)?,
    }
    if passages.finish()? == 0 {
        return Err(Stop::Unprocessable("the document holds no text".to_owned()));
    }
    say.say(&Line::Done)
}
