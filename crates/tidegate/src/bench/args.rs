//! What `tidegate bench` takes.

use std::fmt;

use clap::{Args, ValueEnum};

/// Measure a server: throughput, latency, CPU and memory, with every delivery checked.
///
/// Without `--url` it starts a server of its own in a temporary folder, pinned to one core, and
/// keeps itself on another.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Examples:\n  tidegate bench publish --writers 64\n  tidegate bench fanout --subscribers 1000 --window 4\n  tidegate bench idle --connections 10000\n  tidegate bench all --json > bench.jsonl"
)]
pub struct BenchArgs {
    /// Which load; several may be named.
    #[arg(value_enum, default_value = "all")]
    pub shape: Vec<Shape>,
    /// Where streams live on a running server, e.g. http://127.0.0.1:8000/v1/stream/bench
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// How that server is spoken to.
    #[arg(long, value_enum, default_value = "streams", requires = "target")]
    pub dialect: Dialect,
    /// Process id of that server, to read its CPU and memory; several are added up.
    #[arg(long, value_name = "PID", value_delimiter = ',')]
    pub server_pid: Vec<u32>,
    /// Seconds of each timed load.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// Bytes of one record.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(64..=65_536))]
    pub size: u32,
    /// Keep-alive connections that append, each with one append under way (publish, publish-one).
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub writers: u32,
    /// Connections that append (backlog, many).
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub publishers: u32,
    /// Readers of one stream [default: 1000; replay and slow: 200]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub subscribers: Option<u32>,
    /// Streams (many, streams).
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub streams: u32,
    /// Open tails (idle, storm).
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub connections: u32,
    /// Stored records that each reader replays.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub records: u32,
    /// Closed loop: records not yet delivered to all [default: fanout 4, backlog 32]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub window: Option<u32>,
    /// Open loop: records a second; latency counts from the intended send time [default: pace 20, slow 300]
    #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate: Option<u32>,
    /// Let the load sleep while nothing comes; the server then also pays for waking it.
    #[arg(long)]
    pub no_busy: bool,
    /// Core of the server that is started here.
    #[arg(long, default_value_t = 0)]
    pub server_core: usize,
    /// Core of this load.
    #[arg(long, default_value_t = 1)]
    pub client_core: usize,
    /// Framing of live reads.
    #[arg(long, value_enum, default_value = "sse")]
    pub live: Live,
    /// How live reads say who they are [default: ticket with --live events and a key; key where there is one; none]
    #[arg(long, value_enum)]
    pub auth: Option<Auth>,
    /// API key for a server that wants one, and for tickets.
    #[arg(skip)]
    pub key: Option<String>,
    /// Be the bare loop that the limit is measured with, at this address, until killed.
    #[arg(long, value_name = "ADDRESS", hide = true)]
    pub serve_limit: Option<std::net::SocketAddr>,
    /// One JSON object a load instead of text.
    #[arg(skip)]
    pub json: bool,
}

/// A load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Every load below.
    All,
    /// Durable appends, a stream for each writer; each waits for its answer.
    Publish,
    /// Durable appends, all writers to one stream.
    PublishOne,
    /// One stream, many readers, saturated: a window of records not yet delivered to all.
    Fanout,
    /// One stream, many readers, below saturation: a fixed rate.
    Pace,
    /// One stream, many readers, several publishers and a wide window.
    Backlog,
    /// Many streams with one reader each.
    Many,
    /// Readers that begin at the start of a stored stream.
    Replay,
    /// Open (with a fresh ticket where there are any), read the first record, hang up, over and over.
    Churn,
    /// Open tails where nothing happens: memory.
    Idle,
    /// Streams that only exist: memory.
    Streams,
    /// All readers cut at once, back with what they had seen.
    Storm,
    /// A tenth of the readers stall; the others must not notice.
    Slow,
}

/// How a live read is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Live {
    /// The protocol's own `data` and `control` events.
    Sse,
    /// One event a record, with tickets where a key is given.
    Events,
}

/// How a live read says who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// It does not.
    None,
    /// The API key in each request's `Authorization` header, on streams that nobody reads without one.
    Key,
    /// A single-use ticket each, fetched beforehand.
    Ticket,
}

/// What a measured server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// The Durable Streams protocol.
    Streams,
    /// `POST pub/{name}`; server-sent events at `sub/{name}` from now on, at `all/{name}` from the oldest.
    Pubsub,
}

impl BenchArgs {
    /// The loads that were asked for, `all` spelled out.
    #[must_use]
    pub fn shapes(&self) -> Vec<Shape> {
        if self.shape.contains(&Shape::All) {
            return Shape::value_variants().iter().copied().filter(|s| *s != Shape::All).collect();
        }
        self.shape.clone()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default();
        f.write_str(&name)
    }
}
