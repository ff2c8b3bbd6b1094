//! A live read: takes the chunk framing off and finds the markers of the load's records,
//! whatever events they are wrapped in.
//!
//! Owns: what one reader has seen, lost and had twice. Must not: keep bytes that it has looked
//! at; thousands of readers share one buffer of the thread.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Instant;

use anyhow::bail;
use hdrhistogram::Histogram;
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::net::TcpStream;

use super::chunks::Chunks;
use super::client::Connection;
use super::meter::{LAST_LANE, MARKER_MAX, Marker};
use super::target::Target;

const SCRATCH_BYTES: usize = 64 << 10;
/// The longest line of an id, or of a control event that names an offset.
const ID_MAX: usize = 1_024;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_BYTES]);
}

/// One reader and what it has seen.
pub(super) struct Reader {
    socket: TcpStream,
    /// `None` for a body that lasts until the connection ends.
    chunks: Option<Chunks>,
    text: Vec<u8>,
    /// Bytes still to come that can't hold a marker.
    skip: usize,
    padding: usize,
    /// The next number of each publisher.
    next: Vec<u64>,
    pub(super) seen: u64,
    pub(super) lost: u64,
    pub(super) repeated: u64,
    /// The load's last record has come.
    pub(super) finished: bool,
    track_ids: bool,
    last_id: Option<String>,
}

/// How a live read is opened, beyond its path.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening {
    /// The first number that is expected.
    pub(super) next: u64,
    /// The last id that the reader saw, as a browser sends it when it comes back.
    pub(super) last_id: Option<String>,
    /// Bytes of a record, where nothing but records of this size comes.
    pub(super) size: usize,
    /// A small receive buffer.
    pub(super) narrow: bool,
    /// Remember the newest event's id.
    pub(super) track_ids: bool,
}

impl Reader {
    /// Opens a live read.
    pub(super) async fn open(target: &Target, path: &str, opening: Opening) -> anyhow::Result<Self> {
        let request = target.live_request(path, opening.last_id.as_deref());
        let connection = match opening.narrow {
            true => Connection::open_narrow(target).await?,
            false => Connection::open(target).await?,
        };
        let (head, body, socket) = connection.open_body(&request).await?;
        if head.status != 200 {
            bail!("a live read was answered with {}", head.status);
        }
        let padding = if opening.track_ids { 0 } else { Marker::padding(opening.size) };
        let mut reader = Self {
            socket,
            chunks: head.chunked.then(Chunks::new),
            text: Vec::new(),
            skip: 0,
            padding,
            next: vec![opening.next],
            seen: 0,
            lost: 0,
            repeated: 0,
            finished: false,
            track_ids: opening.track_ids,
            last_id: None,
        };
        reader.take_in(&body)?;
        Ok(reader)
    }

    /// Reads until `until` records were seen in all.
    pub(super) async fn read_until(
        &mut self,
        until: u64,
        started: Instant,
        latency: &mut Histogram<u64>,
    ) -> anyhow::Result<()> {
        loop {
            self.count(started, latency);
            if self.seen >= until {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    /// Reads until the first bytes of the body are there.
    pub(super) async fn first_bytes(&mut self) -> anyhow::Result<()> {
        while self.text.is_empty() {
            self.fill().await?;
        }
        Ok(())
    }

    /// Reads until an id is known.
    pub(super) async fn id(&mut self) -> anyhow::Result<String> {
        loop {
            if let Some(id) = &self.last_id {
                return Ok(id.clone());
            }
            self.fill().await?;
            self.note_id();
        }
    }

    /// The next number of the first publisher.
    pub(super) fn next(&self) -> u64 {
        self.next.first().copied().unwrap_or(0)
    }

    /// Reads whatever comes, once.
    pub(super) async fn fill(&mut self) -> anyhow::Result<()> {
        std::future::poll_fn(|cx| {
            SCRATCH.with_borrow_mut(|scratch| {
                let mut buffer = ReadBuf::new(scratch);
                ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buffer))?;
                if buffer.filled().is_empty() {
                    let seen = self.seen;
                    return Poll::Ready(Err(anyhow::anyhow!("a live read was closed after {seen} records")));
                }
                Poll::Ready(self.take_in(buffer.filled()))
            })
        })
        .await
    }

    /// Counts the records in what has come.
    pub(super) fn count(&mut self, started: Instant, latency: &mut Histogram<u64>) {
        let now = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut from = 0;
        while let Some((marker, end)) = Marker::find(&self.text, from) {
            from = end + self.padding;
            self.count_one(marker);
            latency.saturating_record(now.saturating_sub(marker.sent_ns).max(1));
        }
        if self.track_ids {
            self.note_id();
        }
        // A marker may be cut at the end of what has come; keep as much as one can be long.
        let cut = if self.track_ids { ID_MAX } else { MARKER_MAX };
        let keep = self.text.len().saturating_sub(from).min(cut);
        self.skip = from.saturating_sub(self.text.len());
        self.text.drain(..self.text.len() - keep);
    }

    fn count_one(&mut self, marker: Marker) {
        if marker.lane == LAST_LANE {
            self.repeated += u64::from(self.finished);
            self.finished = true;
            self.seen += 1;
            return;
        }
        let lane = usize::from(marker.lane);
        if self.next.len() <= lane {
            self.next.resize(lane + 1, 0);
        }
        let Some(next) = self.next.get_mut(lane) else { return };
        if marker.number < *next {
            self.repeated += 1;
            return;
        }
        self.lost += marker.number - *next;
        *next = marker.number + 1;
        self.seen += 1;
    }

    fn take_in(&mut self, raw: &[u8]) -> anyhow::Result<()> {
        let (text, skip) = (&mut self.text, &mut self.skip);
        let mut keep = |piece: &[u8]| {
            let skipped = piece.len().min(*skip);
            *skip -= skipped;
            text.extend_from_slice(piece.get(skipped..).unwrap_or_default());
        };
        match &mut self.chunks {
            Some(chunks) => chunks.feed(raw, keep),
            None => {
                keep(raw);
                Ok(())
            }
        }
    }

    /// An event's id, or the next offset that a control event of the protocol names.
    fn note_id(&mut self) {
        const CONTROL: &str = "\"streamNextOffset\":\"";
        let text = String::from_utf8_lossy(&self.text);
        let after = |mark: &str, end: char| {
            let at = text.rfind(mark)? + mark.len();
            Some(text.get(at..)?.split_once(end)?.0.trim().to_owned())
        };
        let first =
            || text.strip_prefix("id: ").and_then(|rest| Some(rest.split_once('\n')?.0.trim().to_owned()));
        if let Some(id) = after(CONTROL, '"').or_else(|| after("\nid: ", '\n')).or_else(first) {
            self.last_id = Some(id);
        }
    }
}
