//! The parts of an answer, and where an answerer puts them.

use serde::{Deserialize, Serialize};
use tidegate_types::DocumentId;
use tokio::sync::mpsc;

/// Where something stands in a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// The document.
    pub document_id: DocumentId,
    /// The page, from 1, where the document has pages.
    pub page: Option<u32>,
    /// The words: exactly the bytes `start..end` of the document's text.
    pub quote: String,
    /// Where they begin, in bytes of UTF-8.
    pub start: usize,
    /// Where they end.
    pub end: usize,
    /// The number that stands for it in the answer's text, as in `[2]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<usize>,
}

/// One part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// More text, never trusted.
    Text(String),
    /// What the text before rests on.
    Citation(Citation),
}

/// Where an answerer puts its parts. Bounded: an answerer that is faster than storage waits.
#[derive(Clone, Debug)]
pub struct AnswerSink(mpsc::Sender<Part>);

const PARTS_WAITING: usize = 64;

impl AnswerSink {
    /// A sink and what comes out of it.
    #[must_use]
    pub fn channel() -> (Self, mpsc::Receiver<Part>) {
        let (parts, inbox) = mpsc::channel(PARTS_WAITING);
        (Self(parts), inbox)
    }

    /// More text.
    pub async fn text(&self, text: impl Into<String> + Send) {
        self.put(Part::Text(text.into())).await;
    }

    /// A citation.
    pub async fn citation(&self, citation: Citation) {
        self.put(Part::Citation(citation)).await;
    }

    async fn put(&self, part: Part) {
        // Nobody takes parts any more when the answer was stopped; its future is dropped next.
        let _ = self.0.send(part).await;
    }
}
