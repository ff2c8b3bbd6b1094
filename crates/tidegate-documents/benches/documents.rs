//! A PDF of 200 pages until it can be searched, and a search over 20,000 passages.
//!
//! Files in a temporary folder, `synchronous=FULL`, extraction in a thread of this process (a child
//! costs a few milliseconds more). One element is one document, or one search.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first thing that is wrong")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tidegate_db::{Db, DbOptions};
use tidegate_documents::suite::InProcess;
use tidegate_documents::{
    Document, Documents, DocumentsParts, Matching, NewUpload, Search as _, SearchQuery, SqliteDocuments,
    Status,
};
use tidegate_events::{Events, EventsError, EventsParts, SqliteEvents, UserDirectory};
use tidegate_log::{Log, LogOptions, SqliteLogStore};
use tidegate_types::{Clock, Entropy, Limits, OsEntropy, SystemClock, UserId};
use tokio::runtime::Runtime;

struct Nobody;

#[async_trait]
impl UserDirectory for Nobody {
    async fn list_users(&self, _: Option<UserId>, _: usize) -> Result<Vec<UserId>, EventsError> {
        Ok(Vec::new())
    }

    async fn exists(&self, _: UserId) -> Result<bool, EventsError> {
        Ok(true)
    }
}

async fn open(dir: &tempfile::TempDir) -> Documents {
    let db = Db::open(&dir.path().join("bench.db"), &DbOptions::default()).await.unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let limits = Arc::new(Limits::default());
    let store = Arc::new(SqliteLogStore::open(db.clone()).await.unwrap());
    let log = Log::open(store, LogOptions::default(), clock.clone()).await.unwrap();
    let events = Events::open(EventsParts {
        store: Arc::new(SqliteEvents::open(db.clone()).await.unwrap()),
        log: log.clone(),
        users: Arc::new(Nobody),
        clock: clock.clone(),
        entropy: entropy.clone(),
        limits: limits.clone(),
        retention: Duration::from_secs(86_400),
    });
    let store = Arc::new(SqliteDocuments::open(db, limits.search_words).await.unwrap());
    let documents = Documents::open(DocumentsParts {
        search: store.clone(),
        store,
        log,
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
    documents
}

async fn ready(documents: &Documents, owner: UserId, filename: &str, bytes: &[u8]) -> Document {
    let new = NewUpload { owner, filename: filename.to_owned(), media_type: None };
    let id = documents.upload(new, bytes).await.unwrap().id;
    loop {
        let document = documents.lookup(&id).await.unwrap().unwrap();
        match document.status {
            Status::Ready => return document,
            Status::Failed => std::process::abort(),
            Status::Processing => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    }
}

/// Sentences that are all different, of a few hundred words.
fn sentence(n: usize) -> String {
    const WORDS: [&str; 24] = [
        "tide", "gate", "water", "stream", "offset", "ticket", "lease", "harbour", "moon", "current", "lock",
        "river", "keeper", "signal", "event", "record", "reader", "ledger", "night", "storm", "bridge",
        "canal", "dyke", "estuary",
    ];
    let word = |k: usize| WORDS.get((n * 7 + k * 13 + n / 24 * k) % WORDS.len()).copied().unwrap_or_default();
    format!(
        "The {} of number {n} meets the {} while the {} keeps {} and {}.",
        word(0),
        word(1),
        word(2),
        word(3),
        word(4)
    )
}

/// A PDF of so many pages of forty lines.
fn pdf(pages: usize) -> Vec<u8> {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!(
            "<< /Type /Pages /Count {pages} /Kids [{}] >>",
            (0..pages).map(|n| format!("{} 0 R ", 4 + n * 2)).collect::<String>()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for page in 0..pages {
        let lines: String =
            (0..40).map(|line| format!("({}) Tj 0 -16 Td\n", sentence(page * 40 + line))).collect();
        let drawn = format!("BT /F1 9 Tf 60 740 Td {lines} ET");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
            5 + page * 2
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{drawn}\nendstream", drawn.len()));
    }
    let (mut whole, mut offsets) = ("%PDF-1.7\n".to_owned(), Vec::new());
    for (number, object) in (1..).zip(&objects) {
        offsets.push(whole.len());
        whole.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let start = whole.len();
    whole.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    offsets.iter().for_each(|offset| whole.push_str(&format!("{offset:010} 00000 n \n")));
    whole.push_str(&format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    ));
    whole.into_bytes()
}

fn process(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let documents = runtime.block_on(open(&dir));
    let owner = UserId::generate(SystemClock.now(), &OsEntropy);
    let book = pdf(200);
    let mut group = c.benchmark_group("process");
    group.sample_size(10);
    group.bench_function(BenchmarkId::new("pdf-pages", 200), |b| {
        b.iter_custom(|times| {
            let started = Instant::now();
            for _ in 0..times {
                let document = runtime.block_on(ready(&documents, owner, "book.pdf", &book));
                assert_eq!(document.pages, Some(200));
                runtime.block_on(documents.delete(&document.id)).unwrap();
            }
            started.elapsed()
        });
    });
    group.finish();
    let _in_runtime = runtime.enter();
    drop(documents);
}

fn search(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let documents = runtime.block_on(open(&dir));
    let owner = UserId::generate(SystemClock.now(), &OsEntropy);
    let mut passages = 0;
    for part in 0..10 {
        // Each section of its own heading is one passage.
        let text: String = (0..2_000)
            .map(|n| part * 2_000 + n)
            .map(|n| {
                format!("## Part {n}\n\n{} {} {}\n\n", sentence(n), sentence(n * 3 + 1), sentence(n * 5 + 2))
            })
            .collect();
        passages += runtime.block_on(ready(&documents, owner, "book.md", text.as_bytes())).passages;
    }
    assert!(passages >= 20_000, "{passages} passages");
    let mut group = c.benchmark_group("search-20000");
    let cases = [
        ("two-words", "harbour estuary", Matching::All),
        ("rare-word", "19876", Matching::All),
        ("beginning", "est", Matching::All),
        ("question", "which keeper meets the moon at the canal bridge", Matching::Any),
    ];
    for (name, text, matching) in cases {
        let query = SearchQuery { owner, documents: Vec::new(), text: text.to_owned(), matching, limit: 20 };
        group.bench_function(name, |b| {
            b.iter(|| {
                let hits = runtime.block_on(documents.search(query.clone())).unwrap();
                assert!(!hits.is_empty());
            });
        });
    }
    group.finish();
    let _in_runtime = runtime.enter();
    drop(documents);
}

criterion_group!(benches, process, search);
criterion_main!(benches);
