//! A model: begin a talk, take its words one by one, drop it to stop it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::config::ModelConfig;
use super::error::ModelError;
use super::read::{Reader, Said};
use super::upstream::{Upstream, UpstreamRequest, UpstreamResponse};
use super::wire::{Body, ChatMessage, Spent, StreamOptions};
use crate::answer::AnswerFailed;

const RETRY_MIN: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(4);

/// A model behind an OpenAI-compatible address. Cheap to clone.
#[derive(Clone)]
pub struct Model {
    config: Arc<ModelConfig>,
    upstream: Arc<dyn Upstream>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("config", &self.config).finish_non_exhaustive()
    }
}

/// An answer on its way. Dropping it ends the request.
pub struct Talk {
    reader: Reader,
    first: Option<String>,
    over: bool,
    between: Duration,
    end: Instant,
}

impl fmt::Debug for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Talk").field("over", &self.over).finish_non_exhaustive()
    }
}

impl Model {
    /// A model that is reached through `upstream`.
    #[must_use]
    pub fn new(config: ModelConfig, upstream: Arc<dyn Upstream>) -> Self {
        Self { config: Arc::new(config), upstream }
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Sends the messages and waits for the first words. Until then what may pass is tried again;
    /// after them nothing is: a reader must not get two beginnings.
    ///
    /// # Errors
    /// There is no answer; the error says whose fault that is.
    pub async fn begin(&self, messages: &[ChatMessage]) -> Result<Talk, AnswerFailed> {
        let body = Body {
            model: &self.config.model,
            messages,
            stream: true,
            stream_options: StreamOptions { include_usage: true },
        };
        let body = serde_json::to_vec(&body)
            .map(Bytes::from)
            .map_err(|_| AnswerFailed::server("internal", "The question could not be put into words."))?;
        let end = Instant::now() + self.config.whole;
        let backoff = ExponentialBuilder::default()
            .with_min_delay(RETRY_MIN)
            .with_max_delay(RETRY_MAX)
            .with_max_times(self.config.retries)
            .with_jitter();
        let tries =
            (|| self.attempt(body.clone(), end)).retry(backoff).when(ModelError::is_transient).adjust(
                |error, wait| wait.map(|wait| error.wait_at_least().map_or(wait, |least| wait.max(least))),
            );
        match timeout_at(end, tries).await {
            Ok(begun) => Ok(begun?),
            Err(_) => Err(ModelError::TookTooLong.into()),
        }
    }

    /// One try, up to the first words.
    async fn attempt(&self, body: Bytes, end: Instant) -> Result<Talk, ModelError> {
        let deadline = Instant::now() + self.config.first_token;
        let work = async {
            let request =
                UpstreamRequest { url: self.config.url(), bearer: self.config.api_key.clone(), body };
            let response = check(self.upstream.send(request).await?)?;
            let mut reader = Reader::new(response.body, self.config.event_bytes);
            loop {
                match reader.next().await? {
                    Said::Words(words) => return Ok::<_, ModelError>((reader, Some(words))),
                    Said::Nothing => {}
                    Said::End => return Ok((reader, None)),
                }
            }
        };
        let (reader, first) = timeout_at(deadline, work).await.map_err(|_| ModelError::SilentAtFirst)??;
        let over = first.is_none();
        Ok(Talk { reader, first, over, between: self.config.between_tokens, end })
    }
}

fn check(response: UpstreamResponse) -> Result<UpstreamResponse, ModelError> {
    if !(200..300).contains(&response.status) {
        return Err(ModelError::Status(response.status, response.retry_after));
    }
    // A page of a proxy, or an answer that is not streamed.
    if response.media_type != "text/event-stream" {
        return Err(ModelError::Protocol("it does not stream events"));
    }
    Ok(response)
}

impl Talk {
    /// The next words; `None` once the model is done.
    ///
    /// # Errors
    /// The answer broke off; what came before stands.
    pub async fn next(&mut self) -> Result<Option<String>, AnswerFailed> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        while !self.over {
            let silent = Instant::now() + self.between;
            match timeout_at(silent.min(self.end), self.reader.next()).await {
                Ok(said) => match said? {
                    Said::Words(words) => return Ok(Some(words)),
                    Said::Nothing => {}
                    Said::End => self.over = true,
                },
                Err(_) if silent <= self.end => return Err(ModelError::FellSilent.into()),
                Err(_) => return Err(ModelError::TookTooLong.into()),
            }
            if Instant::now() >= self.end && !self.over {
                return Err(ModelError::TookTooLong.into());
            }
        }
        Ok(None)
    }

    /// What it used, as far as the service has said.
    #[must_use]
    pub const fn spent(&self) -> Spent {
        self.reader.spent()
    }
}
