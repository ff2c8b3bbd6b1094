//! One record of a document's stream.

use bytes::Bytes;
use serde::Serialize;
use tidegate_types::{DocumentId, ErrorCode, Timestamp};

use crate::{Document, DocumentsError, Stage, Status};

/// How a document stands, as subscribers see it. It has no member `type`: `onmessage` gets it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    document_id: DocumentId,
    status: Status,
    stage: Stage,
    progress: f64,
    message: Option<String>,
    pages: Option<u32>,
    passages: u32,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<EntryError>,
    timestamp: f64,
}

#[derive(Clone, Debug, Serialize)]
struct EntryError {
    code: ErrorCode,
    message: String,
}

impl Entry {
    pub(crate) fn of(document: &Document, now: Timestamp) -> Self {
        let error = document.error.as_ref();
        Self {
            document_id: document.id,
            status: document.status,
            stage: document.stage,
            progress: document.progress,
            message: document.message.clone(),
            pages: document.pages,
            passages: document.passages,
            attempt: document.attempt,
            error: error.map(|failure| EntryError { code: failure.code, message: failure.message.clone() }),
            timestamp: now.as_secs_f64(),
        }
    }

    pub(crate) fn encode(&self) -> Result<Bytes, DocumentsError> {
        serde_json::to_vec(self).map(Bytes::from).map_err(|error| DocumentsError::internal(&error))
    }
}
