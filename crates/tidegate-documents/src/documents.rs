//! The handle on documents.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tidegate_events::Events;
use tidegate_log::Log;
use tidegate_types::{Clock, DocumentId, Entropy, Limits, StreamPath, Timestamp};
use tokio::sync::{Notify, Semaphore};

use crate::process::Verdict;
use crate::record::Files;
use crate::{
    Document, DocumentStore, DocumentsError, Extractor, Hit, Matching, Passage, Search, SearchError,
    SearchQuery,
};

/// What documents are made of; the binary wires it.
pub struct DocumentsParts {
    /// The tables.
    pub store: Arc<dyn DocumentStore>,
    /// The index.
    pub search: Arc<dyn Search>,
    /// The streams.
    pub log: Log,
    /// Where owners are told.
    pub events: Events,
    /// What takes the text out of a file.
    pub extractor: Arc<dyn Extractor>,
    /// Where files are kept; made if it is not there.
    pub folder: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for ids.
    pub entropy: Arc<dyn Entropy>,
    /// The bounds.
    pub limits: Arc<Limits>,
}

/// Documents. Cheap to clone.
#[derive(Clone)]
pub struct Documents {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) parts: DocumentsParts,
    pub(crate) files: Files,
    /// Places for extractions.
    pub(crate) slots: Arc<Semaphore>,
    /// Documents whose extraction runs now.
    pub(crate) running: Mutex<HashSet<DocumentId>>,
    /// Uploads that wait to hear whether their file is of use.
    pub(crate) verdicts: Mutex<HashMap<DocumentId, Arc<Verdict>>>,
    /// Told when there is work for [`Documents::step`].
    pub(crate) work: Notify,
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents").finish_non_exhaustive()
    }
}

impl Documents {
    /// Opens the documents: makes the folder, removes uploads that were cut off. What was being
    /// processed when the server stopped is taken up by the first [`Documents::step`].
    ///
    /// # Errors
    /// The folder can't be made or read.
    pub async fn open(parts: DocumentsParts) -> Result<Self, DocumentsError> {
        let files = Files::open(parts.folder.clone()).await?;
        let slots = usize::try_from(parts.limits.extractions).unwrap_or(1);
        let opened = Self {
            inner: Arc::new(Inner {
                parts,
                files,
                slots: Arc::new(Semaphore::new(slots)),
                running: Mutex::default(),
                verdicts: Mutex::default(),
                work: Notify::new(),
            }),
        };
        opened.remove_strays().await?;
        Ok(opened)
    }

    /// Where the stream of a document's processing lives.
    #[must_use]
    pub fn stream_path(id: DocumentId) -> StreamPath {
        StreamPath::of_document(id)
    }

    /// A document by its id, whosever it is.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn lookup(&self, id: &DocumentId) -> Result<Option<Document>, DocumentsError> {
        Ok(self.parts().store.lookup(*id).await?)
    }

    /// The passages of a document with these numbers (from 0), in order. Those of a document that
    /// is still being processed are not complete.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn passages(
        &self,
        id: &DocumentId,
        ordinals: Range<u32>,
    ) -> Result<Vec<Passage>, DocumentsError> {
        Ok(self.parts().store.passages(*id, ordinals).await?)
    }

    /// The whole text of a document, at most `limits.document_text_bytes`. A passage's `start..end`
    /// are bytes of it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn text(&self, id: &DocumentId) -> Result<Option<String>, DocumentsError> {
        Ok(self.parts().store.text(*id).await?)
    }

    /// What a search finds in one document: passages with every word, else with any.
    ///
    /// # Errors
    /// The index cannot be read. The text itself is never an error.
    pub async fn search_in(
        &self,
        document: &Document,
        text: &str,
        limit: usize,
    ) -> Result<Vec<Hit>, SearchError> {
        let query = SearchQuery {
            owner: document.owner_id,
            documents: vec![document.id],
            text: text.to_owned(),
            matching: Matching::All,
            limit,
        };
        let hits = self.search(query.clone()).await?;
        if !hits.is_empty() {
            return Ok(hits);
        }
        self.search(SearchQuery { matching: Matching::Any, ..query }).await
    }

    /// Works through what is due, a bounded piece of it: documents that wait for their extraction,
    /// what is still to be told or removed. Answers when to call again; [`Documents::woken`] tells
    /// of work before that.
    ///
    /// # Errors
    /// The database, a file or a stream cannot be used; nothing is lost, call again later.
    pub async fn step(&self, now: Timestamp) -> Result<Timestamp, DocumentsError> {
        self.start_waiting().await?;
        self.tell_untold().await?;
        let more = self.remove_leftovers().await?;
        let idle = if more { Duration::ZERO } else { Duration::from_secs(1) };
        Ok(now.plus(idle))
    }

    /// Returns when there is new work for [`Documents::step`].
    pub async fn woken(&self) {
        self.inner.work.notified().await;
    }

    pub(crate) fn parts(&self) -> &DocumentsParts {
        &self.inner.parts
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts().clock.now()
    }
}

#[async_trait]
impl Search for Documents {
    async fn search(&self, query: SearchQuery) -> Result<Vec<Hit>, SearchError> {
        self.parts().search.search(query).await
    }
}
