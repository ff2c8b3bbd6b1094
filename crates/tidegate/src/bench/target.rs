//! The server under load and how it is spoken to.
//!
//! Owns: paths, requests and tickets of each kind of server. Must not: know any load; a load
//! asks for a stream, a live read from an end of it, or an append, and never for a path.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use tidegate_types::{OsEntropy, Secret, SecretKind};

use super::args::{Auth, BenchArgs, Dialect, Live};
use super::client::Connection;
use super::pool;

/// How many connections fetch tickets at once.
const MINTERS: u32 = 32;

/// Where a live read begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Oldest,
    Newest,
}

/// The server under load.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    /// Path in front of a stream's own name.
    pub(super) prefix: String,
    pub(super) dialect: Dialect,
    pub(super) key: Option<String>,
    pub(super) live: Live,
    /// How live reads say who they are; the rest sends the key where there is one.
    pub(super) auth: Auth,
    /// The processes whose CPU and memory count.
    pub(super) pids: Vec<u32>,
}

impl Target {
    pub(super) fn from_args(args: &BenchArgs) -> anyhow::Result<Self> {
        let url = args.target.as_deref().unwrap_or_default();
        let rest = url.strip_prefix("http://").context("--target wants a plain http:// URL")?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let address =
            authority.parse().context("--target wants an address and a port, e.g. 127.0.0.1:8000")?;
        let prefix =
            if path.is_empty() { "/".to_owned() } else { format!("/{}/", path.trim_end_matches('/')) };
        let (dialect, key, live) = (args.dialect, args.key.clone(), args.live);
        let auth = auth_of(args, key.is_some())?;
        Ok(Self { address, prefix, dialect, key, live, auth, pids: args.server_pid.clone() })
    }

    /// A whole request, ready to be written any number of times.
    pub(super) fn request(&self, method: &str, path: &str, body: Option<&[u8]>) -> Vec<u8> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        if let Some(key) = &self.key {
            head.push_str(&format!("Authorization: Bearer {key}\r\n"));
        }
        finish(head, body)
    }

    /// The request of a live read. Where it has a ticket it has nothing else: a key beside it
    /// would be the credential, and the ticket would not be spent.
    pub(super) fn live_request(&self, path: &str, last_id: Option<&str>) -> Vec<u8> {
        let mut head =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n", self.address);
        if let Some(key) = self.key.as_ref().filter(|_| self.auth == Auth::Key) {
            head.push_str(&format!("Authorization: Bearer {key}\r\n"));
        }
        if let Some(id) = last_id {
            head.push_str(&format!("Last-Event-ID: {id}\r\n"));
        }
        finish(head, None)
    }

    /// The request that creates a stream, with a first record if there is a body.
    pub(super) fn create_request(&self, stream: &str, body: &[u8]) -> Vec<u8> {
        match self.dialect {
            Dialect::Streams => self.request("PUT", &self.path(stream), Some(body)),
            Dialect::Pubsub => self.append_request(stream, body),
        }
    }

    /// The request that appends a record.
    pub(super) fn append_request(&self, stream: &str, record: &[u8]) -> Vec<u8> {
        match self.dialect {
            Dialect::Streams => self.request("POST", &self.path(stream), Some(record)),
            Dialect::Pubsub => self.request("POST", &format!("{}pub/{stream}", self.prefix), Some(record)),
        }
    }

    /// Whether one append can carry several records as a JSON array.
    pub(super) fn takes_batches(&self) -> bool {
        self.dialect == Dialect::Streams
    }

    /// Creates a stream of JSON records, where streams are created at all.
    pub(super) async fn create(&self, stream: &str) -> anyhow::Result<()> {
        if self.dialect == Dialect::Pubsub {
            return Ok(());
        }
        let mut connection = Connection::open(self).await?;
        let answer = connection.exchange(&self.create_request(stream, b"")).await?;
        if !matches!(answer.status, 200 | 201) {
            bail!("creating {stream} was answered with {}: {}", answer.status, answer.text());
        }
        Ok(())
    }

    /// The path that opens a live read, with a ticket of its own where one is needed.
    pub(super) async fn live_path(&self, stream: &str, start: Start) -> anyhow::Result<String> {
        if !self.wants_tickets() {
            return Ok(self.open_path(stream, start));
        }
        let mut connection = Connection::open(self).await?;
        self.ticket_path(&mut connection, stream, start).await
    }

    /// Paths for as many live reads of one stream; tickets are fetched beforehand, so that a
    /// load pays for opening alone. They come in the order in which they were made, as people spend them.
    pub(super) async fn live_paths(
        &self,
        stream: &str,
        start: Start,
        count: u32,
    ) -> anyhow::Result<Vec<String>> {
        if !self.wants_tickets() {
            return Ok((0..count).map(|_| self.open_path(stream, start)).collect());
        }
        let shares = (0..MINTERS).map(|minter| {
            let (target, stream) = (self.clone(), stream.to_owned());
            let share = count / MINTERS + u32::from(minter < count % MINTERS);
            async move {
                let mut connection = Connection::open(&target).await?;
                let mut paths = Vec::new();
                for _ in 0..share {
                    paths.push(target.ticket_path(&mut connection, &stream, start).await?);
                }
                Ok(paths)
            }
        });
        let mut shares: Vec<_> = pool::all(shares).await?.into_iter().map(Vec::into_iter).collect();
        let rounds = count.div_ceil(MINTERS);
        Ok((0..rounds)
            .flat_map(|_| shares.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>())
            .collect())
    }

    /// Where a reader comes back to: the same path and its last id as a header, or, for a
    /// server whose positions stand in the path, another path.
    pub(super) fn resume(&self, stream: &str, path: String, last_id: String) -> (String, Option<String>) {
        match (self.dialect, self.live) {
            (Dialect::Streams, Live::Sse) => {
                (format!("{}?offset={last_id}&live=sse", self.path(stream)), None)
            }
            _ => (path, Some(last_id)),
        }
    }

    /// Whether every live read has a ticket of its own.
    pub(super) fn wants_tickets(&self) -> bool {
        self.auth == Auth::Ticket
    }

    /// The framing of live reads, in words.
    pub(super) fn framing(&self) -> &'static str {
        match (self.dialect, self.live, self.auth) {
            (Dialect::Streams, Live::Sse, Auth::Key) => "protocol framing with a key",
            (Dialect::Streams, Live::Sse, _) => "protocol framing",
            (Dialect::Streams, Live::Events, Auth::Ticket) => "events with tickets",
            (Dialect::Streams, Live::Events, Auth::Key) => "events with a key",
            _ => "events",
        }
    }

    /// Fails where a live read of the stream is not refused without the key, or with another: what is measured
    /// would not be a look at it.
    pub(super) async fn wants_its_key(&self, stream: &str) -> anyhow::Result<()> {
        let path = self.open_path(stream, Start::Oldest);
        let unknown = Secret::generate(SecretKind::Key, &OsEntropy).reveal().to_owned();
        for key in [None, Some(unknown)] {
            let other = Self { key, ..self.clone() };
            let (head, ..) =
                Connection::open(self).await?.open_body(&other.live_request(&path, None)).await?;
            anyhow::ensure!(head.status == 401, "a read without the key was answered with {}", head.status);
        }
        Ok(())
    }

    fn path(&self, stream: &str) -> String {
        format!("{}{stream}", self.prefix)
    }

    fn open_path(&self, stream: &str, start: Start) -> String {
        let from = match start {
            Start::Oldest => "-1",
            Start::Newest => "now",
        };
        match (self.dialect, self.live, start) {
            (Dialect::Streams, Live::Sse, _) => format!("{}?offset={from}&live=sse", self.path(stream)),
            (Dialect::Streams, Live::Events, _) => format!("{}?after={from}&live=events", self.path(stream)),
            (Dialect::Pubsub, _, Start::Oldest) => format!("{}all/{stream}", self.prefix),
            (Dialect::Pubsub, _, Start::Newest) => format!("{}sub/{stream}", self.prefix),
        }
    }

    async fn ticket_path(
        &self,
        connection: &mut Connection,
        stream: &str,
        start: Start,
    ) -> anyhow::Result<String> {
        let request = self.request("POST", &format!("{}?ticket", self.path(stream)), Some(b""));
        let answer = connection.exchange(&request).await?;
        let body: serde_json::Value =
            serde_json::from_slice(&answer.body).context("no ticket in the answer")?;
        let ticket = body.get("sse_token").and_then(|t| t.as_str());
        let ticket = ticket.with_context(|| format!("no ticket: {}", answer.text()))?;
        Ok(format!("{}&ticket={ticket}", self.open_path(stream, start)))
    }
}

/// How live reads say who they are, as it was asked for or as it follows from the rest.
pub(super) fn auth_of(args: &BenchArgs, has_key: bool) -> anyhow::Result<Auth> {
    let takes_tickets = args.dialect == Dialect::Streams && args.live == Live::Events;
    match args.auth {
        Some(Auth::Ticket) if !takes_tickets => bail!("tickets open --live events only"),
        Some(Auth::Ticket | Auth::Key) if !has_key => bail!("--auth needs a key: give one with --key"),
        Some(auth) => Ok(auth),
        None if !has_key => Ok(Auth::None),
        None if takes_tickets => Ok(Auth::Ticket),
        None => Ok(Auth::Key),
    }
}

fn finish(mut head: String, body: Option<&[u8]>) -> Vec<u8> {
    if let Some(body) = body {
        head.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut request = head.into_bytes();
    request.extend_from_slice(body.unwrap_or_default());
    request
}
