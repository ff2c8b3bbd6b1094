//! What is asked, and where to look for the answer.

use std::fmt;
use std::sync::Arc;

use tidegate_types::{DocumentId, UserId};

use super::{AnswerFailed, Library};
use crate::{Document, Hit, Matching, Passage, SearchQuery, Status};

/// A question that was answered before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What was asked.
    pub message: String,
    /// What was answered, be it only in part.
    pub answer: String,
}

/// A question over documents.
#[derive(Clone)]
pub struct Question {
    /// Who asks; only this owner's documents are looked at.
    pub owner: UserId,
    /// Over these documents; empty for all of the owner's.
    pub documents: Vec<DocumentId>,
    /// What is asked.
    pub message: String,
    /// What was asked and answered before, oldest first.
    pub history: Vec<Exchange>,
    /// Where to look.
    pub library: Arc<dyn Library>,
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// A document that was read, or is to be.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    /// The conversation's own documents that are there.
    pub(super) documents: Vec<Document>,
}

impl Question {
    /// The passages with any of the question's words, best first.
    pub(super) async fn search(&self, text: &str, limit: usize) -> Result<Vec<Hit>, AnswerFailed> {
        let query = SearchQuery {
            owner: self.owner,
            documents: self.documents.clone(),
            text: text.to_owned(),
            matching: Matching::Any,
            limit,
        };
        self.library.search(query).await.map_err(|error| failed(&error))
    }

    /// The documents that the question names.
    pub(super) async fn shelf(&self) -> Result<Shelf, AnswerFailed> {
        let mut documents = Vec::with_capacity(self.documents.len());
        for id in &self.documents {
            let found = self.library.find_document(*id).await.map_err(|error| failed(&error))?;
            documents.extend(found.filter(|document| document.owner_id == self.owner));
        }
        Ok(Shelf { documents })
    }

    /// How the documents begin: at most `each` passages of one, `most` in all.
    pub(super) async fn first_passages(&self, each: u32, most: usize) -> Result<Vec<Passage>, AnswerFailed> {
        let mut passages = Vec::new();
        for document in self.shelf().await?.documents {
            let first =
                self.library.first_passages(document.id, each).await.map_err(|error| failed(&error))?;
            passages.extend(first);
            if passages.len() >= most {
                break;
            }
        }
        passages.truncate(most);
        Ok(passages)
    }

    /// What a document is called.
    pub(super) async fn filename(&self, id: DocumentId) -> Result<String, AnswerFailed> {
        let found = self.library.find_document(id).await.map_err(|error| failed(&error))?;
        Ok(found.map_or_else(|| "a document".to_owned(), |document| document.filename))
    }
}

impl Shelf {
    /// Names of those that can't be searched yet.
    pub(super) fn unread(&self) -> Vec<&str> {
        let unread = self.documents.iter().filter(|document| document.status == Status::Processing);
        unread.map(|document| document.filename.as_str()).collect()
    }
}

fn failed(error: &dyn std::fmt::Display) -> AnswerFailed {
    tracing::error!(error.message = %error, "documents could not be searched for an answer");
    AnswerFailed::server("search-failed", "The documents could not be searched; the fault is the server's.")
}
