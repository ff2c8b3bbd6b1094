//! A reader of server-sent events over a socket that is read only when asked: what a browser
//! keeps, with nothing in between that could buffer for it.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::{Client, Response};

const PATIENCE: Duration = Duration::from_secs(20);

/// One event as a browser sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: String,
}

/// An open stream.
pub(crate) struct Source {
    body: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    text: String,
    events: VecDeque<Event>,
    pub(crate) last_id: Option<String>,
}

impl Source {
    /// Opens a stream; anything but 200 is returned as it is.
    pub(crate) async fn open(client: &Client, url: &str, last_id: Option<&str>) -> Result<Self, Response> {
        let mut request = client.get(url).header("accept", "text/event-stream");
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let answer = request.send().await.expect("the server answers");
        if answer.status() != 200 {
            return Err(answer);
        }
        let last_id = last_id.map(ToOwned::to_owned);
        Ok(Self {
            body: Box::pin(answer.bytes_stream()),
            text: String::new(),
            events: VecDeque::new(),
            last_id,
        })
    }

    /// The next event, or `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                if let Some(id) = &event.id {
                    self.last_id = Some(id.clone());
                }
                return Some(event);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.body.next()).await.expect("an event in time");
            match chunk {
                Some(Ok(bytes)) => self.take(&bytes),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next event that carries a record, past hellos and pings.
    pub(crate) async fn record(&mut self) -> Option<Event> {
        loop {
            let event = self.next().await?;
            if event.id.is_some() && event.name != "tidegate.hello" {
                return Some(event);
            }
        }
    }

    /// Reads to the end; the reason that the server gave.
    pub(crate) async fn end(mut self) -> Option<String> {
        let mut reason = None;
        while let Some(event) = self.next().await {
            if event.name == "tidegate.end" {
                let data: serde_json::Value = serde_json::from_str(&event.data).expect("JSON");
                reason = data["reason"].as_str().map(ToOwned::to_owned);
            }
        }
        reason
    }

    fn take(&mut self, bytes: &[u8]) {
        self.text.push_str(&String::from_utf8_lossy(bytes));
        while let Some((block, rest)) = self.text.split_once("\n\n") {
            let mut event = Event { name: "message".to_owned(), ..Event::default() };
            for line in block.lines() {
                match line.split_once(": ").unwrap_or((line, "")) {
                    ("event", name) => name.clone_into(&mut event.name),
                    ("id", id) => event.id = Some(id.to_owned()),
                    ("data", data) => event.data.push_str(data),
                    _ => {}
                }
            }
            let rest = rest.to_owned();
            self.text = rest;
            self.events.push_back(event);
        }
    }
}

/// For callers that must be let in.
pub(crate) fn refused(answer: Response) -> Source {
    panic!("not let in: {}", answer.status())
}
