//! Taking the text out of a file, in a process of its own.
//!
//! Owns: what the child is told and may say, its limits, the readers of each kind, the cutting into
//! passages. Must not: run a reader in the server's own process, where one bad file could end it.

mod child;
mod confine;
mod kinds;
mod line;
mod parent;
mod passages;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use tidegate_types::Limits;
use tokio::sync::mpsc;

use crate::{MediaType, NewPassage};

pub use child::run_child;
pub use parent::ChildExtractor;

#[cfg(feature = "suite")]
pub(crate) use child::{Say, Stop, extract_to};
#[cfg(feature = "suite")]
pub(crate) use line::Line;

/// The bounds of one extraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Bytes of text.
    pub text_bytes: u64,
    /// Pages.
    pub pages: u64,
    /// Passages.
    pub passages: u64,
    /// Bytes of memory (address space).
    pub memory_bytes: u64,
    /// Seconds of processor time.
    pub cpu_seconds: u64,
    /// Time by the clock on the wall.
    pub wall: Duration,
}

impl Bounds {
    /// The bounds that the operator set.
    #[must_use]
    pub fn of(limits: &Limits) -> Self {
        Self {
            file_bytes: limits.upload_bytes,
            text_bytes: limits.document_text_bytes,
            pages: limits.document_pages,
            passages: limits.document_passages,
            memory_bytes: limits.extraction_memory_bytes,
            cpu_seconds: limits.extraction_cpu_seconds,
            wall: Duration::from_secs(limits.extraction_wall_seconds),
        }
    }
}

/// One file to take the text out of.
#[derive(Clone, Debug)]
pub struct ExtractJob {
    /// The file.
    pub file: PathBuf,
    /// What it is.
    pub media_type: MediaType,
    /// The bounds.
    pub bounds: Bounds,
}

/// A piece of what was found, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extracted {
    /// The file opens.
    Opened {
        /// How many pages it has, for kinds with pages.
        pages: Option<u32>,
    },
    /// The next passages.
    Passages(Vec<NewPassage>),
    /// How much of it has been read, in pages or bytes.
    Progress {
        /// So much.
        done: u64,
        /// Of so much.
        total: u64,
    },
}

/// Why an extraction came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtractError {
    /// The file is at fault: damaged, protected, or too much for the bounds. Trying again is no use.
    #[error("{0}")]
    Unprocessable(String),
    /// The extraction itself was lost; it may be tried again.
    #[error("the extraction was lost: {0}")]
    Lost(String),
}

/// Takes the text out of files.
#[async_trait]
pub trait Extractor: Send + Sync + std::fmt::Debug {
    /// Works through one file and sends what it finds; `Ok` means that all of it was sent. Dropping
    /// the future ends the work.
    ///
    /// # Errors
    /// See [`ExtractError`].
    async fn extract(&self, job: ExtractJob, pieces: mpsc::Sender<Extracted>) -> Result<(), ExtractError>;
}
