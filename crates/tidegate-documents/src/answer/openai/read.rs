//! From the bytes of an answer to its words.
//!
//! Owns: events (UTF-8 and lines may be split anywhere), their bound, the end of an answer.
//! Must not: take a broken-off stream for a finished one.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{Stream, StreamExt as _};
use sse_stream::{Sse, SseByteStream};

use super::error::ModelError;
use super::upstream::{UpstreamBody, UpstreamError};
use super::wire::{Chunk, Spent};

type Events = Pin<Box<dyn Stream<Item = Result<Sse, sse_stream::Error>> + Send>>;

/// What one event of the model's stream says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Words(String),
    /// Nothing for us: a role, a keep-alive, a count.
    Nothing,
    /// The answer is over.
    End,
}

/// Reads one answer.
pub(super) struct Reader {
    events: Events,
    spent: Spent,
    /// The model has said why it stopped; only a count may follow.
    finished: bool,
}

/// Why reading failed below the events; carried through the parser's own error type.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Upstream(UpstreamError),
    #[error("an event is larger than it may be")]
    TooLarge,
}

impl Reader {
    pub(super) fn new(body: UpstreamBody, event_bytes: usize) -> Self {
        let since_event = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&since_event);
        // The parser has no bound of its own, so bytes are counted from event to event.
        let bytes = body.map(move |chunk| {
            let chunk = chunk.map_err(Cause::Upstream)?;
            let before = count.fetch_add(chunk.len(), Ordering::Relaxed);
            if before.saturating_add(chunk.len()) > event_bytes { Err(Cause::TooLarge) } else { Ok(chunk) }
        });
        let events = SseByteStream::new(bytes).inspect(move |_| since_event.store(0, Ordering::Relaxed));
        Self { events: Box::pin(events), spent: Spent::default(), finished: false }
    }

    pub(super) const fn spent(&self) -> Spent {
        self.spent
    }

    /// The next event.
    pub(super) async fn next(&mut self) -> Result<Said, ModelError> {
        match self.events.next().await {
            Some(Ok(event)) => event.data.map_or(Ok(Said::Nothing), |data| self.hear(&data)),
            Some(Err(error)) => Err(failed(&error)),
            // Some services close without the last line; what counts is that the model had finished.
            None if self.finished => Ok(Said::End),
            None => Err(ModelError::BrokeOff),
        }
    }

    fn hear(&mut self, data: &str) -> Result<Said, ModelError> {
        let data = data.trim();
        if data == "[DONE]" {
            return Ok(Said::End);
        }
        if data.is_empty() {
            return Ok(Said::Nothing);
        }
        let chunk: Chunk = serde_json::from_str(data)
            .map_err(|_| ModelError::Protocol("an event is not the JSON it should be"))?;
        if chunk.error.is_some_and(|error| !error.is_null()) {
            return Err(ModelError::Failed);
        }
        if let Some(tokens) = chunk.usage {
            self.spent.input_tokens = tokens.prompt_tokens.or(self.spent.input_tokens);
            self.spent.output_tokens = tokens.completion_tokens.or(self.spent.output_tokens);
        }
        let Some(choice) = chunk.choices.into_iter().next() else { return Ok(Said::Nothing) };
        match choice.finish_reason.as_deref() {
            None => {}
            Some("content_filter") => return Err(ModelError::Withheld),
            Some(reason) => {
                self.finished = true;
                self.spent.cut_short = reason == "length";
            }
        }
        match choice.delta.content {
            Some(words) if !words.is_empty() => Ok(Said::Words(words)),
            _ => Ok(Said::Nothing),
        }
    }
}

fn failed(error: &sse_stream::Error) -> ModelError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<Cause>() {
            Some(Cause::Upstream(upstream)) => return upstream.clone().into(),
            Some(Cause::TooLarge) => return ModelError::Protocol("an event is larger than it may be"),
            None => cause = error.source(),
        }
    }
    match error {
        sse_stream::Error::Body(inner) => match inner.downcast_ref::<Cause>() {
            Some(Cause::Upstream(upstream)) => upstream.clone().into(),
            Some(Cause::TooLarge) => ModelError::Protocol("an event is larger than it may be"),
            None => ModelError::BrokeOff,
        },
        _ => ModelError::Protocol("its stream of events is not one"),
    }
}
