//! Deleting: the record at once, then what hangs on it: stream, file, passages.

use tidegate_types::DocumentId;

use crate::store::Removal;
use crate::{DeleteError, Documents, DocumentsError};

const REMOVALS: usize = 16;
const PASSAGES: usize = 500;

impl Documents {
    /// Deletes a document: its record, stream, file and passages. An extraction under way stops.
    ///
    /// # Errors
    /// There is no such document, or the database cannot be written.
    pub async fn delete(&self, id: &DocumentId) -> Result<(), DeleteError> {
        if !self.parts().store.remove(*id).await? {
            return Err(DeleteError::NotFound);
        }
        // Readers learn it now; should this fail, the next step does it again.
        if let Err(error) = self.remove_stream_and_file(*id).await {
            tracing::warn!(document.id = %id, %error, "what is left of a deleted document goes later");
        }
        self.inner.work.notify_one();
        Ok(())
    }

    /// Removes files whose upload was cut off between the file and the record, and their streams.
    pub(crate) async fn remove_strays(&self) -> Result<(), DocumentsError> {
        for id in self.inner.files.list().await? {
            if self.parts().store.lookup(id).await?.is_none() {
                self.remove_stream_and_file(id).await?;
            }
        }
        Ok(())
    }

    async fn remove_stream_and_file(&self, id: DocumentId) -> Result<(), DocumentsError> {
        self.parts().log.delete(&Self::stream_path(id)).await?;
        self.inner.files.remove(id).await?;
        Ok(())
    }

    /// Removes a bounded piece of what deleted documents left; answers whether there is more.
    pub(crate) async fn remove_leftovers(&self) -> Result<bool, DocumentsError> {
        let removals = self.parts().store.list_removals(REMOVALS).await?;
        let is_full = removals.len() == REMOVALS;
        let mut more = false;
        for removal in removals {
            more |= !self.remove_leftover(removal).await?;
        }
        Ok(more || is_full)
    }

    async fn remove_leftover(&self, removal: Removal) -> Result<bool, DocumentsError> {
        self.remove_stream_and_file(removal.id).await?;
        let emptied = self.parts().store.purge_passages(removal.number, PASSAGES).await?;
        if emptied {
            self.parts().store.forget_removal(removal.number).await?;
        }
        Ok(emptied)
    }
}
