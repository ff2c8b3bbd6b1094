//! The answerer that asks a model behind any OpenAI-compatible address.
//!
//! Owns: the protocol (chat completions, streamed), time-outs, retries before the first token,
//! whose fault a failure is, the framing of passages, citations by passage number.
//! Must not: open a socket ([`Upstream`] does), trust a model's text or a document's, or repeat
//! what the model's service says in its errors: that may hold the key.

mod cites;
mod config;
mod error;
mod model;
mod prompt;
mod read;
mod upstream;
mod wire;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tidegate_types::Entropy;

pub use self::config::ModelConfig;
pub use self::model::{Model, Talk};
pub use self::upstream::{Upstream, UpstreamBody, UpstreamError, UpstreamRequest, UpstreamResponse};
pub use self::wire::{ChatMessage, Role, Spent};

use self::cites::{Cites, Piece};
use self::prompt::{Prompt, Source};
use super::{AnswerFailed, AnswerSink, Answerer, Question};

/// Passages that a question is given at most.
const PASSAGES: usize = 12;
/// Passages of each document that stand in when no word of the question is found.
const FIRST_PASSAGES: u32 = 6;

/// Answers with a model.
#[derive(Clone, Debug)]
pub struct OpenAi {
    model: Model,
    entropy: Arc<dyn Entropy>,
}

impl OpenAi {
    /// An answerer over a model.
    #[must_use]
    pub fn new(model: Model, entropy: Arc<dyn Entropy>) -> Self {
        Self { model, entropy }
    }
}

#[async_trait]
impl Answerer for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    async fn answer(&self, question: Question, sink: AnswerSink) -> Result<Value, AnswerFailed> {
        let sources = sources(&question).await?;
        if sources.is_empty() {
            sink.text(nothing_to_read(&question).await?).await;
            return Ok(json!({ "passages": 0 }));
        }
        let prompt = Prompt { nonce: nonce(&*self.entropy), sources: &sources, question: &question };
        let bytes = self.model.config().context_bytes;
        let mut talk = self.model.begin(&prompt.messages(bytes)).await?;
        let mut cites = Cites::new(sources.len());
        let mut cited = BTreeSet::new();
        while let Some(text) = talk.next().await? {
            for piece in cites.push(&text) {
                match piece {
                    Piece::Text(text) => sink.text(text).await,
                    Piece::Cite(number) if cited.insert(number) => cite(&sink, &sources, number).await,
                    Piece::Cite(_) => {}
                }
            }
        }
        Ok(talk.spent().as_usage(sources.len()))
    }
}

async fn cite(sink: &AnswerSink, sources: &[Source], number: usize) {
    let source = number.checked_sub(1).and_then(|at| sources.get(at));
    if let Some(source) = source {
        sink.citation(source.citation(number)).await;
    }
}

/// The passages for a question: those with its words, else how the documents begin.
async fn sources(question: &Question) -> Result<Vec<Source>, AnswerFailed> {
    let hits = question.search(&question.message, PASSAGES).await?;
    let mut passages: Vec<_> = hits.into_iter().map(|hit| hit.passage).collect();
    if passages.is_empty() {
        passages = question.first_passages(FIRST_PASSAGES, PASSAGES).await?;
    }
    let mut sources = Vec::with_capacity(passages.len());
    for passage in passages {
        let name = question.filename(passage.document_id).await?;
        sources.push(Source { name, passage });
    }
    Ok(sources)
}

async fn nothing_to_read(question: &Question) -> Result<String, AnswerFailed> {
    let shelf = question.shelf().await?;
    if shelf.unread().is_empty() {
        return Ok("The documents hold no answer to this question.".to_owned());
    }
    Ok(format!("Still being read: {}. Ask again in a moment.", shelf.unread().join(", ")))
}

/// A marker that no document can know.
fn nonce(entropy: &dyn Entropy) -> String {
    entropy.array::<12>().iter().map(|byte| format!("{byte:02x}")).collect()
}
