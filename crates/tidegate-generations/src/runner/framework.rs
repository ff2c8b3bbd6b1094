//! What a built-in framework is.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::Job;
use crate::{GenerationsError, Invalid, Origin};

/// Code of the server that runs generations of one name.
#[async_trait]
pub trait Framework: Send + Sync {
    /// The name, as in a generation's `framework`.
    fn name(&self) -> &str;

    /// Whether what is asked for can be done at all; asked before the record exists.
    ///
    /// # Errors
    /// A field can't be right: an option, or a document that the owner may not read.
    async fn check(&self, wish: &Origin) -> Result<(), Rejected> {
        let _ = wish;
        Ok(())
    }

    /// Does the work and returns the result. Stops soon after [`Job::cancelled`] ends; what is left
    /// running a few seconds later is dropped at its next `await`.
    ///
    /// # Errors
    /// It did not come to a result.
    async fn run(&self, job: Job) -> Result<Value, Failure>;
}

/// A generation is not created.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Rejected {
    /// A field is not valid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// It could not be looked up.
    #[error(transparent)]
    Broken(#[from] GenerationsError),
}

/// A framework came to no result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// It was asked to stop, and did.
    #[error("stopped")]
    Stopped,
    /// It can't be done: the same again would fail the same way.
    #[error("{message}")]
    Failed {
        /// Stable, kebab-case.
        code: String,
        /// A sentence for people.
        message: String,
        /// Further members of the record's `error`.
        more: Map<String, Value>,
        /// Whether another attempt may do better.
        retryable: bool,
    },
}

impl Failure {
    /// It can't be done.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Failed { code: code.into(), message: message.into(), more: Map::new(), retryable: false }
    }

    /// It did not work this time.
    pub fn for_now(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Failed { code: code.into(), message: message.into(), more: Map::new(), retryable: true }
    }

    /// The same with a further member of the record's `error`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Self::Failed { more, .. } = &mut self {
            more.insert(name.to_owned(), value.into());
        }
        self
    }

    /// The record's `error`, and whether another attempt may do better. `None` for a stop.
    pub(super) fn into_error(self) -> Option<(Value, bool)> {
        match self {
            Self::Stopped => None,
            Self::Failed { code, message, mut more, retryable } => {
                more.insert("code".to_owned(), json!(code));
                more.insert("message".to_owned(), json!(message));
                Some((Value::Object(more), retryable))
            }
        }
    }
}
