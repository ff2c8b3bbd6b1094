//! Conversations over the documents of a rig, with an answerer that a test leads word by word.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tidegate_documents::{
    AnswerFailed, AnswerSink, Answerer, Answerers, Ask, Conversation, Conversations, ConversationsParts,
    Extractive, NewConversation, Question, SqliteConversations, Turn,
};
use tidegate_types::{ConversationId, Limits, OsEntropy, SystemClock};
use tokio::sync::mpsc;

use crate::rig::Rig;

/// What a led answerer is told to do next.
pub(crate) enum Lead {
    Say(&'static str),
    Fail(AnswerFailed),
    Panic,
}

/// An answerer that does what it is told; when the leader lets go, the answer is whole.
#[derive(Debug, Default)]
pub(crate) struct Led {
    leads: Mutex<Vec<mpsc::UnboundedReceiver<Lead>>>,
    /// How many answers were begun.
    pub(crate) begun: AtomicUsize,
    /// How many were dropped before their end.
    pub(crate) dropped: Arc<AtomicUsize>,
    /// What was asked.
    pub(crate) asked: Mutex<Vec<Question>>,
}

impl std::fmt::Debug for Lead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lead")
    }
}

struct Unfinished(Arc<AtomicUsize>, bool);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.1 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[async_trait]
impl Answerer for Led {
    fn name(&self) -> &'static str {
        "led"
    }

    async fn answer(&self, question: Question, sink: AnswerSink) -> Result<Value, AnswerFailed> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.asked.lock().unwrap().push(question);
        let mut unfinished = Unfinished(Arc::clone(&self.dropped), false);
        let mut leads = self.leads.lock().unwrap().remove(0);
        while let Some(lead) = leads.recv().await {
            match lead {
                Lead::Say(text) => sink.text(text).await,
                Lead::Fail(failed) => {
                    unfinished.1 = true;
                    return Err(failed);
                }
                Lead::Panic => panic!("as told"),
            }
        }
        unfinished.1 = true;
        Ok(json!({ "words": 1 }))
    }
}

pub(crate) struct Talks {
    pub(crate) rig: Rig,
    pub(crate) conversations: Conversations,
    pub(crate) led: Arc<Led>,
}

impl Talks {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let rig = Rig::start().await;
        let led = Arc::new(Led::default());
        let conversations = open(&rig, Arc::clone(&led), limits).await;
        Self { rig, conversations, led }
    }

    /// The same data in new hands, while the old ones are still there: a crash without a goodbye.
    pub(crate) async fn crash(self) -> Self {
        let led = Arc::new(Led::default());
        let conversations = open(&self.rig, Arc::clone(&led), Limits::default()).await;
        Self { rig: self.rig, conversations, led }
    }

    pub(crate) async fn conversation(&self) -> Conversation {
        self.conversations.create(self.rig.owner, NewConversation::default()).await.unwrap()
    }

    /// The leader of the next answer that begins.
    pub(crate) fn lead(&self) -> mpsc::UnboundedSender<Lead> {
        let (lead, leads) = mpsc::unbounded_channel();
        self.led.leads.lock().unwrap().push(leads);
        lead
    }

    pub(crate) async fn ask(&self, id: ConversationId, message: &str) -> Turn {
        let ask = Ask { message: message.to_owned(), ..Ask::default() };
        self.conversations.ask(id, ask).await.unwrap().turn
    }

    /// The turn once it is as wanted.
    pub(crate) async fn until(&self, of: &Turn, wanted: impl Fn(&Turn) -> bool) -> Turn {
        let poll = async {
            loop {
                let turn = self.conversations.turn(of.conversation_id, of.number).await.unwrap().unwrap();
                if wanted(&turn) {
                    return turn;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), poll).await.expect("the turn never got there")
    }

    pub(crate) async fn records(&self, of: &Turn) -> (Vec<Value>, bool) {
        self.rig.records(&Conversations::stream_path(of.conversation_id, of.number)).await
    }
}

async fn open(rig: &Rig, led: Arc<Led>, limits: Limits) -> Conversations {
    let parts = ConversationsParts {
        store: Arc::new(SqliteConversations::new(rig.db.clone())),
        log: rig.log.clone(),
        library: Arc::new(rig.documents.clone()),
        answerers: Answerers::new(led, [Arc::new(Extractive) as Arc<dyn Answerer>]),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        limits: Arc::new(limits),
    };
    Conversations::open(parts).await.unwrap()
}
