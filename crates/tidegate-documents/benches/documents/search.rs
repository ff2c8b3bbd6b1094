//! Searches over 20,000 passages, kind by kind and at worst, and the first words of an answer over them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_documents::{
    Answerers, Ask, Conversations, ConversationsParts, Extractive, Matching, NewConversation, Search as _,
    SearchQuery, SqliteConversations,
};
use tidegate_log::TailStep;
use tidegate_types::{Limits, OsEntropy, ReadFrom, SystemClock};

use super::library::{Library, Prose};
use super::line;

const DOCUMENTS: usize = 10;
const PASSAGES: usize = 2_000;
const ROUNDS: usize = 40;
const QUESTIONS: usize = 50;

/// Fills a library; answers it with the prose that it is made of.
pub(crate) async fn fill() -> (Library, Prose) {
    let library = Library::open().await;
    let mut prose = Prose::new();
    let mut passages = 0;
    for part in 0..DOCUMENTS {
        // Each section of its own heading is one passage.
        let text: String = (0..PASSAGES)
            .map(|n| format!("## Part {}\n\n{}\n\n", part * PASSAGES + n, prose.sentences(130)))
            .collect();
        passages += library.ready("book.md", text.as_bytes()).await.passages;
    }
    assert!(passages >= 20_000, "{passages} passages");
    println!("{passages} passages of 130 words in {DOCUMENTS} documents, words as frequent as people's");
    (library, prose)
}

/// The kinds of text that people type, from the commonest to the worst.
fn cases(prose: &Prose) -> Vec<(&'static str, String, Matching)> {
    let words = |ranks: &[usize]| ranks.iter().map(|rank| prose.word(*rank)).collect::<Vec<_>>().join(" ");
    let every = |ranks: std::ops::Range<usize>| words(&ranks.collect::<Vec<_>>());
    let beginning = |rank: usize, letters: usize| prose.word(rank)[..letters].to_owned();
    vec![
        ("one rare word", words(&[5_000]) + " ", Matching::All),
        ("one frequent word", words(&[40]) + " ", Matching::All),
        ("two words", words(&[300, 900]), Matching::All),
        ("two frequent words", words(&[40, 45]), Matching::All),
        ("a beginning of two letters", beginning(50, 2), Matching::All),
        ("a beginning of four letters", beginning(50, 4), Matching::All),
        ("nothing but common words", every(0..8) + " ", Matching::All),
        (
            "a question",
            format!("which {} is the {} of {}", prose.word(60), prose.word(400), prose.word(2_500)),
            Matching::Any,
        ),
        ("a question of frequent words", every(26..36), Matching::Any),
        ("a page of 32 frequent words", every(26..58), Matching::Any),
        ("a page of 32 frequent words, all of them", every(26..58), Matching::All),
        ("words that nobody wrote", "xyzzy plughq".to_owned(), Matching::Any),
    ]
}

pub(crate) async fn searches(library: &Library, prose: &Prose) {
    let cases = cases(prose);
    let mut took: Vec<Vec<Duration>> = vec![Vec::with_capacity(ROUNDS); cases.len()];
    for _ in 0..ROUNDS {
        for ((_, text, matching), took) in cases.iter().zip(&mut took) {
            let query = SearchQuery {
                owner: library.owner,
                documents: Vec::new(),
                text: text.clone(),
                matching: *matching,
                limit: 20,
            };
            let began = Instant::now();
            library.documents.search(query).await.unwrap();
            took.push(began.elapsed());
        }
    }
    for ((name, ..), took) in cases.iter().zip(&took) {
        line(name, took);
    }
    line("all of them (target 10 ms)", &took.concat());
}

pub(crate) async fn first_words(library: &Library, prose: &Prose) {
    let limits = Limits { answers_per_user: 1_000, conversations_per_user: 1_000, ..Limits::default() };
    let conversations = Conversations::open(ConversationsParts {
        store: Arc::new(SqliteConversations::new(library.db.clone())),
        log: library.log.clone(),
        library: Arc::new(library.documents.clone()),
        answerers: Answerers::new(Arc::new(Extractive), []),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        limits: Arc::new(limits),
    });
    let conversations = conversations.await.unwrap();
    let mut took = Vec::new();
    for at in 0..QUESTIONS {
        let id = conversations.create(library.owner, NewConversation::default()).await.unwrap().id;
        let message = format!(
            "Which {} is the {} of {}?",
            prose.word(30 + at),
            prose.word(200 + at),
            prose.word(900 + at)
        );
        let began = Instant::now();
        conversations.ask(id, Ask { message, ..Ask::default() }).await.unwrap();
        let mut tail = library.log.tail(&Conversations::stream_path(id, 1), ReadFrom::Start).await.unwrap();
        loop {
            match tail.next(65_536).await.unwrap() {
                TailStep::Frames { frames, .. }
                    if frames.iter().any(|frame| frame.data.starts_with(b"{\"type\":\"delta\"")) =>
                {
                    took.push(began.elapsed());
                    break;
                }
                TailStep::Closed => break,
                _ => {}
            }
        }
    }
    assert_eq!(took.len(), QUESTIONS, "every question was answered");
    line("first words of an answer (target 100 ms)", &took);
}
