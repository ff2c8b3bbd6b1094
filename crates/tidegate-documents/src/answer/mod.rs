//! Answerers: what turns a question over documents into text and citations.
//!
//! Owns: the trait, the answerer without a model, the one for OpenAI-compatible models.
//! Must not: write a stream, or know who reads it: parts go into an [`AnswerSink`], and dropping
//! the answer's future is how it is stopped. Must not open a socket: [`Upstream`] is handed in.

mod extractive;
mod failure;
mod library;
mod openai;
mod part;
mod question;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

pub use extractive::Extractive;
pub use failure::{AnswerFailed, Fault};
pub use library::Library;
pub use openai::{
    ChatMessage, Model, ModelConfig, OpenAi, Role, Spent, Talk, Upstream, UpstreamBody, UpstreamError,
    UpstreamRequest, UpstreamResponse,
};
pub use part::{AnswerSink, Citation, Part};
pub use question::{Exchange, Question};

/// Answers questions.
#[async_trait]
pub trait Answerer: Send + Sync + fmt::Debug {
    /// Its name, as configuration and clients know it.
    fn name(&self) -> &'static str;

    /// Answers one question, part by part, and says what it used (tokens, passages). Dropping the
    /// future stops it, and whatever it has under way elsewhere.
    ///
    /// # Errors
    /// Why there is no answer, or no more of it; what was sent before stands.
    async fn answer(&self, question: Question, sink: AnswerSink) -> Result<Value, AnswerFailed>;
}

/// The answerers of a server; the first one answers when nobody names another.
#[derive(Clone, Debug)]
pub struct Answerers(Vec<Arc<dyn Answerer>>);

impl Answerers {
    /// The first, and others that can be asked for by name.
    #[must_use]
    pub fn new(first: Arc<dyn Answerer>, others: impl IntoIterator<Item = Arc<dyn Answerer>>) -> Self {
        Self(std::iter::once(first).chain(others).collect())
    }

    /// The one of this name, or the first.
    pub(crate) fn find(&self, name: Option<&str>) -> Option<&Arc<dyn Answerer>> {
        match name {
            None => self.0.first(),
            Some(name) => self.0.iter().find(|answerer| answerer.name() == name),
        }
    }
}
