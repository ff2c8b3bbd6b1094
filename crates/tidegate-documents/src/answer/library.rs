//! What answerers need of documents.

use async_trait::async_trait;
use tidegate_types::DocumentId;

use crate::{Document, Documents, DocumentsError, Passage, Search};

/// Documents as answerers and conversations see them.
#[async_trait]
pub trait Library: Search {
    /// A document by its id, whosever it is.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn find_document(&self, id: DocumentId) -> Result<Option<Document>, DocumentsError>;

    /// The first passages of a document, in order.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn first_passages(&self, id: DocumentId, count: u32) -> Result<Vec<Passage>, DocumentsError>;
}

#[async_trait]
impl Library for Documents {
    async fn find_document(&self, id: DocumentId) -> Result<Option<Document>, DocumentsError> {
        self.lookup(&id).await
    }

    async fn first_passages(&self, id: DocumentId, count: u32) -> Result<Vec<Passage>, DocumentsError> {
        self.passages(&id, 0..count).await
    }
}
