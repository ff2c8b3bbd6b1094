//! Documents over a real database and real files, with an extractor that a test can replace.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tidegate_db::{Db, DbOptions};
use tidegate_documents::suite::{AnyUser, InProcess};
use tidegate_documents::{
    Document, Documents, DocumentsParts, Extractor, NewUpload, SqliteDocuments, Status, UploadError,
};
use tidegate_events::{Events, EventsParts, SqliteEvents};
use tidegate_log::{Log, LogOptions, ReadBound, SqliteLogStore};
use tidegate_types::{
    Clock, DocumentId, Entropy, Limits, OsEntropy, ReadFrom, StreamPath, SystemClock, UserId,
};
use tokio::task::JoinHandle;

pub(crate) struct Rig {
    pub(crate) documents: Documents,
    pub(crate) log: Log,
    pub(crate) owner: UserId,
    pub(crate) db: Db,
    stepping: Stepping,
    dir: tempfile::TempDir,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default(), Arc::new(InProcess)).await
    }

    pub(crate) async fn with(limits: Limits, extractor: Arc<dyn Extractor>) -> Self {
        Self::over(tempfile::tempdir().unwrap(), limits, extractor).await
    }

    /// The same data, as after a restart.
    pub(crate) async fn restart(self, extractor: Arc<dyn Extractor>) -> Self {
        let Self { dir, stepping, documents, db, log, .. } = self;
        drop((stepping, documents, db, log));
        Self::over(dir, Limits::default(), extractor).await
    }

    async fn over(dir: tempfile::TempDir, limits: Limits, extractor: Arc<dyn Extractor>) -> Self {
        let db = Db::open(&dir.path().join("t.db"), &DbOptions::default()).await.unwrap();
        let limits = Arc::new(limits);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let store = Arc::new(SqliteLogStore::open(db.clone()).await.unwrap());
        let log = Log::open(store, LogOptions::from_limits(&limits), clock.clone()).await.unwrap();
        let events = Events::open(EventsParts {
            store: Arc::new(SqliteEvents::open(db.clone()).await.unwrap()),
            log: log.clone(),
            users: Arc::new(AnyUser),
            clock: clock.clone(),
            entropy: entropy.clone(),
            limits: limits.clone(),
            retention: Duration::from_secs(86_400),
        });
        let store = Arc::new(SqliteDocuments::open(db.clone(), limits.search_words).await.unwrap());
        let documents = Documents::open(DocumentsParts {
            search: store.clone(),
            store,
            log: log.clone(),
            events: events.await.unwrap(),
            extractor,
            folder: dir.path().join("documents"),
            clock,
            entropy,
            limits,
        });
        let documents = documents.await.unwrap();
        let owner = UserId::generate(SystemClock.now(), &OsEntropy);
        let stepping = Stepping(tokio::spawn(keep_stepping(documents.clone())));
        Self { documents, log, owner, db, stepping, dir }
    }

    pub(crate) fn folder(&self) -> std::path::PathBuf {
        self.dir.path().join("documents")
    }

    pub(crate) async fn upload(&self, filename: &str, bytes: &[u8]) -> Result<Document, UploadError> {
        self.documents.upload(new(self.owner, filename), bytes).await
    }

    /// Uploads and waits for the end of its processing.
    pub(crate) async fn ready(&self, filename: &str, bytes: &[u8]) -> Document {
        let document = self.upload(filename, bytes).await.unwrap();
        let ended = self.ended(document.id).await;
        assert_eq!(ended.status, Status::Ready, "{ended:?}");
        ended
    }

    pub(crate) async fn ended(&self, id: DocumentId) -> Document {
        let path = Documents::stream_path(id);
        let poll = async {
            loop {
                let info = self.log.lookup(&path).await.unwrap();
                if info.is_some_and(|info| info.closed) {
                    return self.documents.lookup(&id).await.unwrap().unwrap();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), poll).await.expect("the document never ended")
    }

    /// All records of a stream as JSON, and whether it is closed.
    pub(crate) async fn records(&self, path: &StreamPath) -> (Vec<Value>, bool) {
        let bound = ReadBound { records: 10_000, bytes: 1 << 20 };
        let page = self.log.read(path, ReadFrom::Start, bound).await.unwrap();
        let records = page.records.iter().map(|record| serde_json::from_slice(&record.data).unwrap());
        (records.collect(), page.closed)
    }
}

/// Ends with the rig.
struct Stepping(JoinHandle<()>);

impl Drop for Stepping {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) fn new(owner: UserId, filename: &str) -> NewUpload {
    NewUpload { owner, filename: filename.to_owned(), media_type: None }
}

async fn keep_stepping(documents: Documents) {
    loop {
        documents.step(SystemClock.now()).await.unwrap();
        tokio::select! {
            () = documents.woken() => {}
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
    }
}
