//! The documents of a job: the owner's own, and read to their end.

use std::time::Duration;

use tidegate_generations::{Failure, GenerationsError, Invalid, Job, Origin, Rejected};
use tidegate_types::{DocumentId, UserId};
use tokio::time::Instant;

use super::report::{Stage, tell};
use crate::{Document, Documents, DocumentsError, Status};

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long an upload that is still being read is waited for.
/// As many as a wish may name.
const DOCUMENTS_MAX: usize = 100;
const PATIENCE: Duration = Duration::from_secs(900);

/// Whether every document that a wish names can be read by its owner. Another's is as absent as one
/// that never was.
///
/// # Errors
/// The first that can't, or a database that can't be read.
pub(super) async fn check(documents: &Documents, wish: &Origin) -> Result<(), Rejected> {
    for (index, id) in wish.document_ids.iter().enumerate() {
        let pointer = format!("/document_ids/{index}");
        let found = find(documents, wish.owner_id, id).await.map_err(broken)?;
        match found.map(|document| document.status) {
            Some(Status::Ready | Status::Processing) => {}
            Some(Status::Failed) => {
                return Err(Invalid::new(pointer, "is a document that could not be read").into());
            }
            None => return Err(Invalid::new(pointer, "is no document of yours").into()),
        }
    }
    Ok(())
}

/// The documents of a job, once all of them are read; those of its owner if it names none.
///
/// # Errors
/// There is none, one is gone, could not be read, or takes too long; or the job should stop.
pub(super) async fn load(documents: &Documents, job: &Job, stage: Stage) -> Result<Vec<Document>, Failure> {
    let mut shelf: Vec<Document> = Vec::new();
    if job.document_ids().is_empty() {
        return all_of(documents, job.owner()).await;
    }
    let count = job.document_ids().len();
    for (index, id) in job.document_ids().iter().enumerate() {
        let document = load_one(documents, job, stage.part(index, count), id).await?;
        // The same one named twice is one source.
        if !shelf.iter().any(|known| known.id == document.id) {
            shelf.push(document);
        }
    }
    Ok(shelf)
}

/// The newest documents of somebody that can be read now.
async fn all_of(documents: &Documents, owner: UserId) -> Result<Vec<Document>, Failure> {
    let page = documents.list(owner, None, DOCUMENTS_MAX).await.map_err(|error| unread(&error))?;
    let mut shelf = page.items;
    shelf.retain(|document| document.status == Status::Ready);
    if shelf.is_empty() {
        return Err(Failure::new("no-documents", "There is no document to write from; upload one first"));
    }
    Ok(shelf)
}

async fn load_one(documents: &Documents, job: &Job, stage: Stage, id: &str) -> Result<Document, Failure> {
    let deadline = Instant::now() + PATIENCE;
    let mut told = None;
    loop {
        let found = find(documents, job.owner(), id).await.map_err(|error| unread(&error))?;
        let document = found.ok_or_else(|| {
            Failure::new("document-missing", "A document is not there any more").with("document_id", id)
        })?;
        match document.status {
            Status::Ready => return Ok(document),
            Status::Failed => {
                let words = format!("{} could not be read", document.filename);
                return Err(Failure::new("document-unprocessable", words).with("document_id", id));
            }
            Status::Processing if Instant::now() >= deadline => {
                let words = format!("{} was not read in time", document.filename);
                return Err(Failure::for_now("document-not-ready", words).with("document_id", id));
            }
            Status::Processing => {}
        }
        if told != Some(document.updated_at) {
            told = Some(document.updated_at);
            let words = format!("Waiting until {} is read", document.filename);
            tell(job, stage.at(document.progress), words, Some(&document.filename)).await?;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = job.cancelled() => return Err(Failure::Stopped),
        }
    }
}

async fn find(documents: &Documents, owner: UserId, id: &str) -> Result<Option<Document>, DocumentsError> {
    let Ok(id) = id.parse::<DocumentId>() else { return Ok(None) };
    Ok(documents.lookup(&id).await?.filter(|document| document.owner_id == owner))
}

pub(super) fn unread(error: &DocumentsError) -> Failure {
    tracing::warn!(error.message = %error, "documents could not be read for a job");
    Failure::for_now("documents-unavailable", "The documents could not be read; the fault is the server's")
}

fn broken(error: DocumentsError) -> Rejected {
    Rejected::Broken(GenerationsError::Stream { code: error.code(), detail: error.to_string() })
}
