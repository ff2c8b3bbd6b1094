//! Following a stream by SSE with a ticket of its own, across lost connections and restarts.
//!
//! Owns: minting, opening, resuming with `Last-Event-ID`, waiting between attempts.
//! Must not: print. What it hears is handed to the caller one thing at a time.

use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use reqwest::Method;
use sse_stream::{Sse, SseByteStream};

use crate::cli::client::{Call, CallError, Client, answer};
use crate::cli::exit::{CliError, Exit};

/// What is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A generation by its id.
    Generation(String),
    /// The processing of a document, by its id.
    Document(String),
    /// Any stream by its path.
    Stream(String),
}

impl Target {
    /// Reads what people write: a generation's id, `generations/ID`, or a stream's path.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.trim_start_matches('/');
        if let Some(id) = text.strip_prefix("documents/").filter(|id| !id.contains('/')) {
            return Self::Document(id.to_owned());
        }
        match text.strip_prefix("generations/").or((!text.contains('/')).then_some(text)) {
            Some(id) if !id.contains('/') => Self::Generation(id.to_owned()),
            _ => Self::Stream(text.to_owned()),
        }
    }

    /// The route that mints a ticket.
    #[must_use]
    pub(crate) fn mint_path(&self) -> String {
        match self {
            Self::Generation(id) => format!("/api/v1/generations/{}/stream-token", escape(id)),
            Self::Document(id) => format!("/api/v1/documents/{}/stream-token", escape(id)),
            Self::Stream(path) => format!("/v1/stream/{}?ticket", escape(path)),
        }
    }

    /// The route that opens the stream.
    #[must_use]
    pub(crate) fn open_path(&self, after: Option<&str>) -> String {
        let (path, first) = match self {
            Self::Generation(id) => (format!("/api/v1/generations/{}/stream", escape(id)), '?'),
            Self::Document(id) => (format!("/api/v1/documents/{}/stream", escape(id)), '?'),
            Self::Stream(path) => (format!("/v1/stream/{}?live=events", escape(path)), '&'),
        };
        match after {
            Some(after) => format!("{path}{first}after={after}"),
            None => path,
        }
    }
}

/// Percent-encodes what may not stand in a path.
fn escape(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// How a connection came to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// It is the first.
    First,
    /// The lease of an earlier one let it in, by its tag.
    Resumed,
    /// A new ticket goes on where an earlier one stopped.
    Anew,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    /// A connection stands.
    Opened(Opening),
    /// A record.
    Record {
        /// The offset after it, without the tag.
        offset: String,
        /// Its event name, if it has one.
        event: Option<String>,
        /// Its data.
        data: String,
    },
    /// Records that can't be replayed.
    Gap(String),
    /// The connection is gone; another attempt follows after the wait.
    Lost {
        /// Why, for people.
        why: String,
        /// How long until the next attempt.
        wait: Duration,
    },
    /// The stream is over, or access to it.
    Ended {
        /// `eof`, `deleted`, `revoked`, …
        reason: String,
    },
}

/// The events of one connection.
pub(crate) type Events = Pin<Box<dyn Stream<Item = Result<Sse, String>> + Send>>;

/// A reader of one stream that keeps at it.
pub(crate) struct Follower {
    client: Client,
    target: Target,
    /// Where to start the first time; `None` is the route's own default.
    from: Option<String>,
    ticket: Option<String>,
    last_id: Option<String>,
    events: Option<Events>,
    retry: Duration,
    attempts: u32,
    patience: Duration,
    waited: Duration,
    pending_wait: Option<Duration>,
}

/// Silence after which a connection is taken for dead: three pings.
const SILENCE: Duration = Duration::from_secs(46);
const EVENT_BYTES_MAX: usize = 8 << 20;

impl Follower {
    /// A follower; nothing is sent before [`Follower::next`].
    #[must_use]
    pub(crate) fn new(client: Client, target: Target, from: Option<String>) -> Self {
        Self {
            client,
            target,
            from,
            ticket: None,
            last_id: None,
            events: None,
            retry: Duration::from_secs(1),
            attempts: 0,
            patience: Duration::from_secs(600),
            waited: Duration::ZERO,
            pending_wait: None,
        }
    }

    /// Drops the connection as a failing network would. The next step resumes.
    pub(crate) fn cut(&mut self) {
        self.events = None;
    }

    /// Tries the ticket as somebody would who has seen it, but not the tag. Answers the status.
    ///
    /// # Errors
    /// There is no ticket, or no answer.
    pub(crate) async fn try_as_stranger(&self) -> Result<u16, CliError> {
        let ticket = self.ticket.as_deref().unwrap_or_default();
        let request = self.client.anonymous(Method::GET, &self.target.open_path(None)).bearer_auth(ticket);
        let answer = request.timeout(Duration::from_secs(5)).send().await;
        answer
            .map(|response| response.status().as_u16())
            .map_err(|error| CliError::new(Exit::Unreachable, root_cause(&error)))
    }

    /// The offset after the last record or hello, without the tag.
    #[must_use]
    pub(crate) fn offset(&self) -> Option<&str> {
        self.last_id.as_deref().map(bare)
    }

    /// The next thing. Not to be called again after `Ended`.
    ///
    /// # Errors
    /// What no further attempt can mend: no access, no such stream, patience at its end.
    pub(crate) async fn next(&mut self) -> Result<Heard, CliError> {
        if let Some(wait) = self.pending_wait.take() {
            tokio::time::sleep(wait).await;
        }
        loop {
            let Some(events) = self.events.as_mut() else { return self.open().await };
            let event = match tokio::time::timeout(SILENCE, events.next()).await {
                Err(_) => return self.lost("nothing was heard for 46 s".to_owned(), None),
                Ok(None) => return self.lost("the connection was closed".to_owned(), None),
                Ok(Some(Err(why))) => return self.lost(why, None),
                Ok(Some(Ok(event))) => event,
            };
            if let Some(heard) = self.hear(event)? {
                return Ok(heard);
            }
        }
    }

    fn hear(&mut self, event: Sse) -> Result<Option<Heard>, CliError> {
        if let Some(retry) = event.retry {
            self.retry = Duration::from_millis(retry.clamp(500, 30_000));
        }
        let Some(data) = event.data else { return Ok(None) };
        match event.event.as_deref() {
            Some("tidegate.hello") => {
                self.last_id = event.id.or(self.last_id.take());
                self.attempts = 0;
                self.waited = Duration::ZERO;
                Ok(None)
            }
            Some("ping") => Ok(None),
            Some("tidegate.gap") => Ok(Some(Heard::Gap(data))),
            Some("tidegate.end") => {
                self.events = None;
                let reason = end_reason(&data);
                match reason.as_str() {
                    "eof" | "deleted" | "revoked" | "replaced" => Ok(Some(Heard::Ended { reason })),
                    "reauth" => {
                        self.ticket = None;
                        self.lost("the server asks for a new ticket".to_owned(), None).map(Some)
                    }
                    other => self.lost(format!("the server ended it ({other})"), None).map(Some),
                }
            }
            name => {
                let name = name.map(str::to_owned);
                let offset = event.id.as_deref().map(bare).unwrap_or_default().to_owned();
                if event.id.is_some() {
                    self.last_id = event.id;
                }
                Ok(Some(Heard::Record { offset, event: name, data }))
            }
        }
    }

    async fn open(&mut self) -> Result<Heard, CliError> {
        let had_ticket = self.ticket.is_some();
        let opening = match (&self.last_id, had_ticket) {
            (None, _) => Opening::First,
            (Some(_), true) => Opening::Resumed,
            (Some(_), false) => Opening::Anew,
        };
        match self.connect().await {
            Ok(Some(events)) => {
                self.events = Some(events);
                Ok(Heard::Opened(opening))
            }
            Ok(None) => Ok(Heard::Ended { reason: "eof".to_owned() }),
            Err(error) if had_ticket && matches!(error.status, Some(401 | 403)) => {
                // The lease is gone; what was read is not. A new ticket goes on from the offset.
                self.ticket = None;
                self.lost("the lease has ended, a new ticket is needed".to_owned(), Some(Duration::ZERO))
            }
            Err(error) if error.is_transient() && self.may_wait() => {
                self.lost(error.detail, error.retry_after)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn connect(&mut self) -> Result<Option<Events>, CallError> {
        let offset = self.offset().map(str::to_owned);
        let resumes = self.ticket.is_some();
        let ticket = match &self.ticket {
            Some(ticket) => ticket.clone(),
            None => self.mint().await?,
        };
        // A ticket's lease is bound to its route; with a new ticket the bare offset says where.
        let after = if resumes { None } else { offset.or_else(|| self.from.clone()) };
        let path = self.target.open_path(after.as_deref());
        let mut request = self
            .client
            .anonymous(Method::GET, &path)
            .bearer_auth(ticket)
            .header("accept", "text/event-stream");
        if let Some(id) = self.last_id.as_ref().filter(|_| resumes) {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.map_err(|error| CallError {
            status: None,
            code: "unreachable".to_owned(),
            detail: root_cause(&error),
            hint: None,
            retry_after: None,
        })?;
        match response.status().as_u16() {
            200 => Ok(Some(events(response))),
            204 => Ok(None),
            _ => Err(answer(response).await.err().unwrap_or_else(|| CallError {
                status: None,
                code: "unexpected-answer".to_owned(),
                detail: "the stream was answered with something else".to_owned(),
                hint: None,
                retry_after: None,
            })),
        }
    }

    async fn mint(&mut self) -> Result<String, CallError> {
        let path = self.target.mint_path();
        let minted = self.client.call(Call::post(&path)).await?;
        let ticket = minted.body.get("sse_token").and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        self.ticket = Some(ticket.clone());
        Ok(ticket)
    }

    fn may_wait(&self) -> bool {
        // The first failure of a fresh start is told at once: most often a wrong URL.
        (self.last_id.is_some() || self.attempts > 0) && self.waited < self.patience
    }

    fn lost(&mut self, why: String, wait: Option<Duration>) -> Result<Heard, CliError> {
        self.events = None;
        let doubled = self.retry.saturating_mul(1 << self.attempts.min(4));
        let wait = wait.unwrap_or(doubled).min(Duration::from_secs(15));
        self.attempts = self.attempts.saturating_add(1);
        self.waited = self.waited.saturating_add(wait);
        if self.waited >= self.patience {
            return Err(CliError::new(Exit::Unreachable, format!("gave up reconnecting: {why}")));
        }
        self.pending_wait = Some(wait);
        Ok(Heard::Lost { why, wait })
    }
}

fn bare(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

fn end_reason(data: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
    value.get("reason").and_then(|reason| reason.as_str()).unwrap_or("eof").to_owned()
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// The events of an answer. The parser has no bound of its own, so bytes are counted per event.
pub(crate) fn events(response: reqwest::Response) -> Events {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let since_event = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&since_event);
    let bytes = response.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(|error| std::io::Error::other(root_cause(&error)))?;
        let total = count.fetch_add(chunk.len(), Ordering::Relaxed).saturating_add(chunk.len());
        if total > EVENT_BYTES_MAX {
            return Err(std::io::Error::other("an event is larger than 8 MiB"));
        }
        Ok(chunk)
    });
    Box::pin(SseByteStream::new(bytes).map(move |event| {
        since_event.store(0, Ordering::Relaxed);
        event.map_err(|error| error.to_string())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_a_generation_and_a_path_is_a_stream() {
        assert_eq!(Target::parse("abc"), Target::Generation("abc".into()));
        assert_eq!(Target::parse("generations/abc"), Target::Generation("abc".into()));
        assert_eq!(Target::parse("/public/x y"), Target::Stream("public/x y".into()));
        assert_eq!(Target::parse("public/x y").open_path(None), "/v1/stream/public/x%20y?live=events");
    }
}
