//! Which document is processed next: the oldest, while there is a place.

use std::sync::PoisonError;

use tidegate_types::DocumentId;

use crate::{Documents, DocumentsError};

/// One document in the list of those under way; leaves it when dropped.
struct Running {
    documents: Documents,
    id: DocumentId,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.documents.inner.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        self.documents.inner.work.notify_one();
    }
}

impl Documents {
    /// Starts extractions for documents that wait, as many as there are places for.
    pub(crate) async fn start_waiting(&self) -> Result<(), DocumentsError> {
        let free = self.inner.slots.available_permits();
        if free == 0 {
            return Ok(());
        }
        // Those under way stand among the unfinished, and there are never more of them than places.
        let places = usize::try_from(self.parts().limits.extractions).unwrap_or(1);
        for id in self.parts().store.list_unfinished(places.saturating_add(free)).await? {
            let Ok(slot) = self.inner.slots.clone().try_acquire_owned() else { break };
            let Some(running) = self.enter(id) else { continue };
            let this = self.clone();
            tokio::spawn(async move {
                let (_slot, _running) = (slot, running);
                if let Err(error) = this.process(id).await {
                    tracing::warn!(document.id = %id, %error, "a document's processing will be tried again");
                    // Not at once: whatever failed may need a moment.
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
            });
        }
        Ok(())
    }

    fn enter(&self, id: DocumentId) -> Option<Running> {
        let mut running = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(id).then(|| Running { documents: self.clone(), id })
    }
}
