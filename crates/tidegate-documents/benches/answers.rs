//! A hundred answers at once, fifty tokens a second each: what coalescing adds, and how many
//! commits it leaves.
//!
//! `cargo bench -p tidegate-documents --bench answers` prints the figures. Targets: at most 20
//! commits a second for each answer, at most 60 ms added at p95, from the token's birth to a reader
//! of the log.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that prints figures, for developers"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tidegate_db::{Db, DbOptions};
use tidegate_documents::{
    AnswerFailed, AnswerSink, Answerer, Answerers, Ask, Conversations, ConversationsParts, Document,
    DocumentsError, Hit, Library, NewConversation, Passage, Question, Search, SearchError, SearchQuery,
    SqliteConversations, SqliteDocuments,
};
use tidegate_log::{Log, LogOptions, SqliteLogStore, TailStep};
use tidegate_types::{
    ConversationId, DocumentId, Limits, OsEntropy, ReadFrom, SystemClock, Timestamp, UserId,
};
use tokio::time::Instant;

const ANSWERS: usize = 100;
const TOKENS: usize = 500;
const EACH: Duration = Duration::from_millis(20);

/// Says a token each 20 ms and writes down when.
#[derive(Debug)]
struct Paced(Arc<Mutex<Vec<Vec<Instant>>>>);

#[async_trait]
impl Answerer for Paced {
    fn name(&self) -> &'static str {
        "paced"
    }

    async fn answer(&self, question: Question, sink: AnswerSink) -> Result<Value, AnswerFailed> {
        let answer: usize = question.message.parse().unwrap();
        let mut pace = tokio::time::interval(EACH);
        for _ in 0..TOKENS {
            pace.tick().await;
            self.0.lock().unwrap()[answer].push(Instant::now());
            sink.text("token ").await;
        }
        Ok(json!({}))
    }
}

/// No documents at all: this is not about searching.
struct Empty;

#[async_trait]
impl Search for Empty {
    async fn search(&self, _: SearchQuery) -> Result<Vec<Hit>, SearchError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Library for Empty {
    async fn find_document(&self, _: DocumentId) -> Result<Option<Document>, DocumentsError> {
        Ok(None)
    }

    async fn first_passages(&self, _: DocumentId, _: u32) -> Result<Vec<Passage>, DocumentsError> {
        Ok(Vec::new())
    }
}

/// What one reader saw.
struct Seen {
    delays: Vec<Duration>,
    deltas: usize,
    lasted: Duration,
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&folder.path().join("bench.db"), &DbOptions::default()).await.unwrap();
    let limits = Limits { answers_per_user: 1_000, answers_per_node: 1_000, ..Limits::default() };
    let store = Arc::new(SqliteLogStore::open(db.clone()).await.unwrap());
    let log = Log::open(store, LogOptions::from_limits(&limits), Arc::new(SystemClock)).await.unwrap();
    SqliteDocuments::open(db.clone(), limits.search_words).await.unwrap();
    let born = Arc::new(Mutex::new(vec![Vec::new(); ANSWERS]));
    let conversations = Conversations::open(ConversationsParts {
        store: Arc::new(SqliteConversations::new(db)),
        log: log.clone(),
        library: Arc::new(Empty),
        answerers: Answerers::new(Arc::new(Paced(Arc::clone(&born))), []),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        limits: Arc::new(limits),
    });
    let conversations = conversations.await.unwrap();
    let owner = UserId::generate(Timestamp::from_millis(1), &OsEntropy);
    let mut readers = Vec::new();
    for answer in 0..ANSWERS {
        let id = conversations.create(owner, NewConversation::default()).await.unwrap().id;
        let ask = Ask { message: answer.to_string(), ..Ask::default() };
        conversations.ask(id, ask).await.unwrap();
        readers.push(tokio::spawn(read(log.clone(), id, answer, Arc::clone(&born))));
    }
    let mut seen = Vec::new();
    for reader in readers {
        seen.push(reader.await.unwrap());
    }
    report(&seen);
}

async fn read(log: Log, id: ConversationId, answer: usize, born: Arc<Mutex<Vec<Vec<Instant>>>>) -> Seen {
    let mut tail = log.tail(&Conversations::stream_path(id, 1), ReadFrom::Start).await.unwrap();
    let (mut delays, mut deltas, began) = (Vec::with_capacity(TOKENS), 0, Instant::now());
    loop {
        match tail.next(65_536).await.unwrap() {
            TailStep::Frames { frames, .. } => {
                let now = Instant::now();
                for frame in frames {
                    let record: Value = serde_json::from_slice(&frame.data).unwrap();
                    let Some(text) = record.get("text").and_then(Value::as_str) else { continue };
                    deltas += 1;
                    for _ in text.split_whitespace() {
                        let at =
                            *born.lock().unwrap().get(answer).and_then(|own| own.get(delays.len())).unwrap();
                        delays.push(now.saturating_duration_since(at));
                    }
                }
            }
            TailStep::Closed => return Seen { delays, deltas, lasted: began.elapsed() },
            _ => {}
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn report(seen: &[Seen]) {
    let mut delays: Vec<Duration> = seen.iter().flat_map(|seen| seen.delays.iter().copied()).collect();
    delays.sort_unstable();
    assert_eq!(delays.len(), ANSWERS * TOKENS, "every token arrives");
    let at = |percent: usize| *delays.get((delays.len() - 1) * percent / 100).unwrap();
    let rate = |seen: &Seen| seen.deltas as f64 / seen.lasted.as_secs_f64();
    let most = seen.iter().map(rate).fold(0.0, f64::max);
    println!("{ANSWERS} answers of {TOKENS} tokens, one each {EACH:?}");
    println!("commits a second for each answer, at most: {most:.1} (target 20)");
    println!(
        "from a token's birth to a reader of the log: p50 {:?}, p95 {:?} (target 60 ms), p99 {:?}",
        at(50),
        at(95),
        at(99)
    );
}
