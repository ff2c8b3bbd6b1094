//! What a document is: its record, its passages, where it stands.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tidegate_types::{DocumentId, ErrorCode, Timestamp, UserId};

/// The kind of a document, found by looking at its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// Plain text.
    Text,
    /// Markdown.
    Markdown,
    /// HTML.
    Html,
    /// PDF.
    Pdf,
    /// Office Open XML text.
    Docx,
}

impl MediaType {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Text, Self::Markdown, Self::Html, Self::Pdf, Self::Docx];

    /// The media type on the wire (RFC 6838).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text/plain",
            Self::Markdown => "text/markdown",
            Self::Html => "text/html",
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        }
    }

    /// The usual ending of a file's name, without a dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Markdown => "md",
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Docx => "docx",
        }
    }
}

/// The text names nothing of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a known {0}")]
pub struct UnknownName(&'static str);

impl FromStr for MediaType {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownName("media type"))
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its text is being extracted, or waits for that.
    Processing,
    /// It can be read and searched.
    Ready,
    /// It can't be processed; the record's `error` says why.
    Failed,
}

impl Status {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing will change any more.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        !matches!(self, Self::Processing)
    }
}

impl FromStr for Status {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        [Self::Processing, Self::Ready, Self::Failed]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(UnknownName("status"))
    }
}

/// What is being done with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The file is stored and waits for its turn.
    Received,
    /// The file is being opened.
    Opening,
    /// Text is being taken out of it and made searchable.
    Extracting,
    /// Done.
    Ready,
    /// It came to nothing.
    Failed,
}

impl Stage {
    const ALL: [Self; 5] = [Self::Received, Self::Opening, Self::Extracting, Self::Ready, Self::Failed];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Opening => "opening",
            Self::Extracting => "extracting",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for Stage {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text).ok_or(UnknownName("stage"))
    }
}

/// Why a document could not be processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code, as in problem answers.
    pub code: ErrorCode,
    /// A sentence for people.
    pub message: String,
}

impl Failure {
    /// The file itself is at fault.
    #[must_use]
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self { code: ErrorCode::DocumentUnprocessable, message: message.into() }
    }
}

/// The record of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its id, made by the server.
    pub id: DocumentId,
    /// Whose it is.
    pub owner_id: UserId,
    /// The name that it was uploaded under, made safe to show; never a path.
    pub filename: String,
    /// What it is, by its content.
    pub media_type: MediaType,
    /// Bytes of the file.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Where it stands.
    pub status: Status,
    /// What is being done with it.
    pub stage: Stage,
    /// How far that is, 0 to 1.
    pub progress: f64,
    /// A sentence for people.
    pub message: Option<String>,
    /// Why it failed, if it did.
    pub error: Option<Failure>,
    /// How often its extraction was begun.
    pub attempt: u32,
    /// How many pages it has; `None` for kinds without pages, and until they are counted.
    pub pages: Option<u32>,
    /// How many passages it has so far.
    pub passages: u32,
    /// Bytes of its text so far.
    pub text_bytes: u64,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// When its record last changed.
    pub updated_at: Timestamp,
    /// When it became ready or failed.
    pub finished_at: Option<Timestamp>,
}

/// One page of a list of documents, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentPage {
    /// The documents.
    pub items: Vec<Document>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
}

/// A piece of a document's text with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Its id among all passages; never used again.
    pub id: i64,
    /// The document.
    pub document_id: DocumentId,
    /// Its number within the document, from 0, without gaps.
    pub ordinal: u32,
    /// The page that it stands on, from 1, where the document has pages.
    pub page: Option<u32>,
    /// The heading that it stands under.
    pub heading: Option<String>,
    /// Its text: exactly the bytes `start..end` of the document's text.
    pub text: String,
    /// Where it begins in the document's text, in bytes of UTF-8.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// A passage on its way into the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPassage {
    /// Its number within the document, from 0, without gaps.
    pub ordinal: u32,
    /// The page that it stands on, from 1.
    pub page: Option<u32>,
    /// The heading that it stands under.
    pub heading: Option<String>,
    /// What stands between the passage before and this one.
    pub lead: String,
    /// Its text.
    pub text: String,
    /// Where `text` begins in the document's text, in bytes of UTF-8.
    pub start: usize,
}

impl NewPassage {
    /// Where it ends in the document's text.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.start.saturating_add(self.text.len())
    }
}
