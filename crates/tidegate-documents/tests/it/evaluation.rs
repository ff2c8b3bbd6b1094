//! The answerer without a model over the project's own pages: how often it cites the right section of
//! the right page, asked in other words than the pages'. The numbers may only rise.

use tidegate_documents::{Ask, NewConversation, Turn};

use crate::talks::Talks;

macro_rules! pages {
    ($($name:literal),*) => {
        [("README.md", include_str!("../../../../README.md")),
         $(($name, include_str!(concat!("../../../../docs/", $name)))),*]
    };
}

/// Questions of [`QUESTIONS`] of which a citation stands in the right section.
const RIGHT_MIN: usize = 20;
/// Those of which the first citation does.
const FIRST_MIN: usize = 18;

/// A question with the sections that answer it: page and the beginning of a heading.
const QUESTIONS: &[(&str, &[(&str, &str)])] = &[
    (
        "How long is a ticket valid?",
        &[("browser.md", "From a page"), ("curl.md", "3."), ("README.md", "See it")],
    ),
    ("How do I save a copy of the database?", &[("operations.md", "One node")]),
    (
        "What happens if there is no space left on the disk?",
        &[("operations.md", "When the disk"), ("documents.md", "Upload")],
    ),
    (
        "Which kinds of files can be uploaded?",
        &[("documents.md", "Documents:"), ("documents.md", "Upload"), ("README.md", "Ask a")],
    ),
    (
        "Can I stop an answer halfway?",
        &[("conversations.md", "Stop,"), ("conversations.md", "In the terminal")],
    ),
    ("How is a webhook signed?", &[("subscriptions.md", "Webhooks"), ("subscriptions.md", "Making one")]),
    (
        "How many times is a failed webhook retried?",
        &[("subscriptions.md", "Webhooks"), ("subscriptions.md", "Bounds")],
    ),
    ("Can other users see my documents?", &[("documents.md", "Who may")]),
    (
        "What protects the model from instructions hidden in a document?",
        &[("conversations.md", "Who answers")],
    ),
    ("How do I configure nginx?", &[("operations.md", "Behind a proxy")]),
    ("Is a shell used to run commands?", &[("frameworks.md", "command")]),
    ("What does the server do when it gets SIGTERM?", &[("operations.md", "One node")]),
    ("How long are old events stored?", &[("operations.md", "How much is kept")]),
    (
        "Which environment variables choose the language model?",
        &[("conversations.md", "Who answers"), ("README.md", "Ask a")],
    ),
    ("What is written to the audit log?", &[("operations.md", "Audit")]),
    ("How large may an uploaded file be?", &[("documents.md", "Upload")]),
    ("Can scanned PDFs be read?", &[("documents.md", "What the server"), ("documents.md", "Upload")]),
    ("How does a worker report progress?", &[("frameworks.md", "A worker"), ("curl.md", "4.")]),
    (
        "What should a page do when the connection is lost?",
        &[("curl.md", "When the connection"), ("browser.md", "From a page")],
    ),
    ("How are quotes in a brief checked?", &[("frameworks.md", "brief")]),
    ("How often are pings sent?", &[("browser.md", "From a page"), ("operations.md", "Behind a proxy")]),
    ("Where is the metrics endpoint?", &[("operations.md", "One node")]),
    ("How do I make a fork of a stream?", &[("clients.md", "")]),
    (
        "Is a language model required?",
        &[("README.md", "Ask a"), ("conversations.md", "Who answers"), ("frameworks.md", "brief")],
    ),
    ("How do I run all tests?", &[("README.md", "Check it"), ("frameworks.md", "A worker")]),
    ("Who may subscribe to a stream?", &[("subscriptions.md", "Who may")]),
    ("What if two questions are asked at the same time?", &[("conversations.md", "Stop,")]),
];

/// Questions about something else.
const FOREIGN: &[&str] = &[
    "Who won the chess championship of 1972?",
    "What is the capital of France?",
    "How do I bake sourdough bread?",
    "Will it rain tomorrow in Hamburg?",
];

#[tokio::test]
async fn questions_in_other_words_cite_the_right_section() {
    let talks = Talks::start().await;
    let pages = pages![
        "browser.md",
        "clients.md",
        "conversations.md",
        "curl.md",
        "documents.md",
        "frameworks.md",
        "operations.md",
        "performance.md",
        "subscriptions.md"
    ];
    for (name, text) in pages {
        talks.rig.ready(name, text.as_bytes()).await;
    }
    let (mut right, mut first, mut report) = (0, 0, String::new());
    for (question, sections) in QUESTIONS {
        let turn = answer(&talks, question).await;
        let hits = right_ones(&talks, &turn, sections).await;
        right += usize::from(hits.contains(&true));
        first += usize::from(hits.first() == Some(&true));
        if !hits.contains(&true) {
            report.push_str(&format!("- {question}\n{}\n", turn.answer));
        }
    }
    println!("{right} of {} cite the right section, {first} first; not these:\n{report}", QUESTIONS.len());
    for question in FOREIGN {
        let turn = answer(&talks, question).await;
        assert_eq!(turn.answer, "The documents hold no answer to this question.", "{question}");
    }
    assert!(right >= RIGHT_MIN && first >= FIRST_MIN, "{right} right, {first} first\n{report}");
}

async fn answer(talks: &Talks, message: &str) -> Turn {
    let conversation = talks.conversations.create(talks.rig.owner, NewConversation::default()).await.unwrap();
    let ask = Ask { message: message.to_owned(), answerer: Some("extractive".into()), ..Ask::default() };
    let turn = talks.conversations.ask(conversation.id, ask).await.unwrap().turn;
    talks.until(&turn, |turn| turn.status.is_finished()).await
}

/// Whether each citation stands in one of the sections.
async fn right_ones(talks: &Talks, turn: &Turn, sections: &[(&str, &str)]) -> Vec<bool> {
    let mut right = Vec::new();
    for citation in &turn.citations {
        let document = talks.rig.documents.lookup(&citation.document_id).await.unwrap().unwrap();
        let passages = talks.rig.documents.passages(&document.id, 0..u32::MAX).await.unwrap();
        let passage = passages.iter().find(|p| p.start <= citation.start && citation.end <= p.end).unwrap();
        let heading = passage.heading.as_deref().unwrap_or_default();
        right.push(
            sections.iter().any(|(page, section)| *page == document.filename && heading.starts_with(section)),
        );
    }
    right
}
