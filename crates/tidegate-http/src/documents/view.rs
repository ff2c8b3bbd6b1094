//! A document and its passages on the wire.

use serde::Serialize;
use tidegate_documents::{Document, Hit, Passage, Stage, Status};
use tidegate_types::{DocumentId, ErrorCode, Timestamp, UserId};
use utoipa::ToSchema;

/// The record of a document.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DocumentView {
    #[schema(value_type = String)]
    id: DocumentId,
    /// Whose it is.
    #[schema(value_type = String)]
    owner_id: UserId,
    /// The name that it was uploaded under, made safe to show.
    filename: String,
    /// What it is, by its content.
    media_type: &'static str,
    /// Bytes of the file.
    size: u64,
    /// SHA-256 of the file, in hex.
    sha256: String,
    /// `processing`, `ready` or `failed`.
    #[schema(value_type = String)]
    status: Status,
    /// `received`, `opening`, `extracting`, `ready` or `failed`.
    #[schema(value_type = String)]
    stage: Stage,
    /// 0 to 1.
    progress: f64,
    /// A sentence for people.
    message: Option<String>,
    /// How many pages it has, where it has pages.
    pages: Option<u32>,
    /// How many passages it has so far.
    passages: u32,
    /// Bytes of its text so far.
    text_bytes: u64,
    /// Why it failed, if it did.
    error: Option<FailureView>,
    /// Where its processing is told.
    stream_url: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When it became ready or failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
}

/// Why a document could not be processed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FailureView {
    /// As in problem answers.
    #[schema(value_type = String)]
    code: ErrorCode,
    /// A sentence for people.
    message: String,
}

impl From<Document> for DocumentView {
    fn from(document: Document) -> Self {
        Self {
            stream_url: format!("/api/v1/documents/{}/stream", document.id),
            id: document.id,
            owner_id: document.owner_id,
            filename: document.filename,
            media_type: document.media_type.as_str(),
            size: document.size,
            sha256: hex(&document.sha256),
            status: document.status,
            stage: document.stage,
            progress: document.progress,
            message: document.message,
            pages: document.pages,
            passages: document.passages,
            text_bytes: document.text_bytes,
            error: document.error.map(|error| FailureView { code: error.code, message: error.message }),
            created_at: document.created_at,
            updated_at: document.updated_at,
            finished_at: document.finished_at,
        }
    }
}

/// A digest in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A piece of a document's text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PassageView {
    id: i64,
    #[schema(value_type = String)]
    document_id: DocumentId,
    /// Its number within the document, from 0.
    ordinal: u32,
    /// The page that it stands on, from 1, where the document has pages.
    page: Option<u32>,
    /// The heading that it stands under.
    heading: Option<String>,
    text: String,
    /// Where it begins in the document's text, in bytes of UTF-8.
    start: usize,
    /// Where it ends.
    end: usize,
    /// How well it fits a search: greater is better, comparable within one answer only.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    /// Where the words of a search stand in `text`, in bytes of UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    highlights: Option<Vec<Highlight>>,
    /// `text` in pieces, for those who show it: no offsets to get wrong, no markup to escape.
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<Vec<Piece>>,
}

/// A word that was found.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Highlight {
    start: usize,
    end: usize,
}

/// A piece of a passage's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Piece {
    text: String,
    /// Whether it is a word that was looked for.
    #[serde(rename = "match")]
    is_match: bool,
}

impl From<Passage> for PassageView {
    fn from(passage: Passage) -> Self {
        Self {
            id: passage.id,
            document_id: passage.document_id,
            ordinal: passage.ordinal,
            page: passage.page,
            heading: passage.heading,
            text: passage.text,
            start: passage.start,
            end: passage.end,
            score: None,
            highlights: None,
            snippet: None,
        }
    }
}

impl From<Hit> for PassageView {
    fn from(hit: Hit) -> Self {
        let snippet = pieces(&hit);
        let highlights = hit.highlights.iter().map(|range| Highlight { start: range.start, end: range.end });
        let highlights = highlights.collect();
        Self {
            score: Some(hit.score),
            highlights: Some(highlights),
            snippet: Some(snippet),
            ..Self::from(hit.passage)
        }
    }
}

fn pieces(hit: &Hit) -> Vec<Piece> {
    let text = hit.passage.text.as_str();
    let piece = |from: usize, to: usize, is_match| {
        let text = text.get(from..to).filter(|text| !text.is_empty())?;
        Some(Piece { text: text.to_owned(), is_match })
    };
    let (mut found, mut at) = (Vec::new(), 0);
    for range in &hit.highlights {
        found.extend(piece(at, range.start, false));
        found.extend(piece(range.start, range.end, true));
        at = range.end;
    }
    found.extend(piece(at, text.len(), false));
    found
}
