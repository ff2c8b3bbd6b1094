//! What the benches of this crate share: documents in a temporary folder, and text to fill them.

use std::sync::Arc;
use std::time::Duration;

use tidegate_db::{Db, DbOptions};
use tidegate_documents::suite::{AnyUser, InProcess};
use tidegate_documents::{Document, Documents, DocumentsParts, NewUpload, SqliteDocuments, Status};
use tidegate_events::{Events, EventsParts, SqliteEvents};
use tidegate_log::{Log, LogOptions, SqliteLogStore};
use tidegate_types::{Clock, Entropy, Limits, OsEntropy, SystemClock, UserId};

/// Documents over a database in a folder, and somebody who owns them.
pub(crate) struct Library {
    pub(crate) documents: Documents,
    pub(crate) owner: UserId,
    pub(crate) db: Db,
    pub(crate) log: Log,
    _dir: tempfile::TempDir,
}

impl Library {
    pub(crate) async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("bench.db"), &DbOptions::default()).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let limits = Arc::new(Limits::default());
        let store = Arc::new(SqliteLogStore::open(db.clone()).await.unwrap());
        let log = Log::open(store, LogOptions::default(), clock.clone()).await.unwrap();
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
            extractor: Arc::new(InProcess),
            folder: dir.path().join("documents"),
            clock,
            entropy,
            limits,
        });
        let documents = documents.await.unwrap();
        let stepping = documents.clone();
        tokio::spawn(async move {
            loop {
                stepping.step(SystemClock.now()).await.unwrap();
                stepping.woken().await;
            }
        });
        let owner = UserId::generate(SystemClock.now(), &OsEntropy);
        Self { documents, owner, db, log, _dir: dir }
    }

    /// Uploads a file and waits until it can be searched.
    pub(crate) async fn ready(&self, filename: &str, bytes: &[u8]) -> Document {
        let new = NewUpload { owner: self.owner, filename: filename.to_owned(), media_type: None };
        let id = self.documents.upload(new, bytes).await.unwrap().id;
        loop {
            let document = self.documents.lookup(&id).await.unwrap().unwrap();
            match document.status {
                Status::Ready => return document,
                Status::Failed => std::process::abort(),
                Status::Processing => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
    }
}

/// Text whose words are as unevenly frequent as those of people (Zipf): the n-th word of a vocabulary
/// of 20,000 stands 1/n as often as the first. The same seed gives the same text.
pub(crate) struct Prose {
    vocabulary: Vec<String>,
    sums: Vec<f64>,
    state: u64,
}

impl Prose {
    pub(crate) fn new() -> Self {
        const FIRST: &str =
            "the of and to in is that for it as was with be by on not at are this have from or an they which";
        let mut prose = Self { vocabulary: Vec::new(), sums: Vec::new(), state: 42 };
        prose.vocabulary = FIRST.split(' ').map(str::to_owned).collect();
        while prose.vocabulary.len() < 20_000 {
            let syllables = 2 + prose.below(3);
            let word = (0..syllables).map(|_| prose.syllable()).collect();
            prose.vocabulary.push(word);
        }
        let mut sum = 0.0;
        for rank in 2_u32..20_002 {
            sum += 1.0 / f64::from(rank);
            prose.sums.push(sum);
        }
        prose
    }

    /// The word of this rank, from 0 for the commonest.
    pub(crate) fn word(&self, rank: usize) -> &str {
        &self.vocabulary[rank]
    }

    pub(crate) fn sentences(&mut self, words: usize) -> String {
        let mut text = String::new();
        for at in 0..words {
            let end = if at % 13 == 12 || at + 1 == words { ". " } else { " " };
            let picked = self.pick();
            text.push_str(&self.vocabulary[picked]);
            text.push_str(end);
        }
        text.trim_end().to_owned()
    }

    fn pick(&mut self) -> usize {
        let most = self.sums.last().copied().unwrap();
        let wanted = most * f64::from(u32::try_from(self.below(1 << 30)).unwrap()) / f64::from(1_u32 << 30);
        self.sums.partition_point(|sum| *sum < wanted).min(self.vocabulary.len() - 1)
    }

    fn syllable(&mut self) -> String {
        let consonant = b"bcdfglmnprst"[self.below(12)];
        let vowel = b"aeiou"[self.below(5)];
        String::from_utf8(vec![consonant, vowel]).unwrap()
    }

    /// xorshift64*: no secret hangs on it.
    fn below(&mut self, most: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let wide = u128::from(self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)) * u128::try_from(most).unwrap();
        usize::try_from(wide >> 64).unwrap()
    }
}
