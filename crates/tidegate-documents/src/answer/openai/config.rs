//! Which model, where, and how patient we are with it.

use std::time::Duration;

use secrecy::SecretString;

/// Settings of a model behind an OpenAI-compatible address.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    /// Up to and without `/chat/completions`, such as `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// Sent as a bearer token, if there is one.
    pub api_key: Option<SecretString>,
    /// The model's name.
    pub model: String,
    /// How long until its first words, connecting and each retry included in the attempt.
    pub first_token: Duration,
    /// How long it may be silent after that.
    pub between_tokens: Duration,
    /// How long the whole answer may take, retries included.
    pub whole: Duration,
    /// How often a request is tried again before its first words.
    pub retries: usize,
    /// Bytes of passages and earlier questions that go along with a question.
    pub context_bytes: usize,
    /// Bytes of one event of the model's stream.
    pub event_bytes: usize,
}

impl ModelConfig {
    /// The usual patience.
    #[must_use]
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key: None,
            model: model.into(),
            first_token: Duration::from_secs(60),
            between_tokens: Duration::from_secs(30),
            whole: Duration::from_secs(300),
            retries: 2,
            context_bytes: 24_576,
            event_bytes: 262_144,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("{}/chat/completions", self.base_url.trim_end_matches('/'))
    }
}
