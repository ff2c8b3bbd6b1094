//! Telling: progress and ends go to the document's stream, ends to the owner's feed too.
//!
//! Rule: the database first. A stream that lacks the end, as after a crash, gets it by
//! `tell_untold`; a repeated telling is dropped by the closed stream and by the feed's ids.

use bytes::Bytes;
use serde_json::json;
use tidegate_events::OwnEvent;
use tidegate_log::{Append, AppendError, NewStream};
use tidegate_types::DocumentId;

use super::Entry;
use crate::store::Report;
use crate::{Document, Documents, DocumentsError, Status};

const UNTOLD: usize = 64;

impl Documents {
    /// Notes progress in the record and tells it. Answers whether the document is still there.
    pub(crate) async fn tell_progress(&self, id: DocumentId, report: Report) -> Result<bool, DocumentsError> {
        let now = self.now();
        if !self.parts().store.report(id, report, now).await? {
            return Ok(false);
        }
        let Some(document) = self.parts().store.lookup(id).await? else { return Ok(false) };
        self.append(id, Entry::of(&document, now).encode()?, false).await?;
        Ok(true)
    }

    /// Tells the end of a document: the last record of its stream, then its owner.
    pub(crate) async fn tell_end(&self, document: &Document) -> Result<(), DocumentsError> {
        self.append(document.id, Entry::of(document, self.now()).encode()?, true).await?;
        let event = match document.status {
            Status::Ready => OwnEvent::DocumentReady,
            Status::Failed => OwnEvent::DocumentFailed,
            Status::Processing => return Ok(()),
        };
        let error = document.error.as_ref();
        let data = json!({
            "document_id": document.id,
            "filename": document.filename,
            "status": document.status,
            "pages": document.pages,
            "passages": document.passages,
            "error": error.map(|failure| json!({"code": failure.code, "message": failure.message})),
        });
        let event_id = format!("{}.{}", document.id, event.as_str());
        self.parts().events.publish_own(document.owner_id, event, &data, Some(&event_id)).await?;
        Ok(self.parts().store.mark_told(document.id).await?)
    }

    /// Tells the ends that a crash or a failure left untold.
    pub(crate) async fn tell_untold(&self) -> Result<(), DocumentsError> {
        for document in self.parts().store.list_untold(UNTOLD).await? {
            self.tell_end(&document).await?;
        }
        Ok(())
    }

    async fn append(&self, id: DocumentId, record: Bytes, close: bool) -> Result<(), DocumentsError> {
        let path = Self::stream_path(id);
        let append = Append { records: vec![record.clone()], close, ..Append::default() };
        match self.parts().log.append(&path, append).await {
            // Told before; or deleted, which its readers have been told.
            Ok(_) | Err(AppendError::Closed { .. }) => Ok(()),
            Err(AppendError::NotFound) => {
                if self.parts().store.lookup(id).await?.is_none() {
                    return Ok(());
                }
                let new = NewStream { records: vec![record], closed: close, ..NewStream::json() };
                self.parts().log.create(&path, new).await?;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
