//! One stream with publishers and many readers, until the time is over: the common part of
//! `fanout`, `pace`, `backlog` and `slow`.

use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::sleep;

use super::tally::Tally;
use super::{cpu_since, fresh, histogram, usage};
use crate::bench::client::Connection;
use crate::bench::meter::{LAST_LANE, Marker};
use crate::bench::pool;
use crate::bench::procfs::grown_kib;
use crate::bench::sse::{Opening, Reader};
use crate::bench::target::{Start, Target};

/// How long missing records are waited for after the last was sent.
const GRACE: Duration = Duration::from_secs(10);

/// What decides when the next record goes out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// Closed loop: at most so many records not yet delivered to all.
    Window(u32),
    /// Open loop: so many a second, whatever the server does.
    Rate(u32),
}

/// The shape of a flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) readers: u32,
    /// Readers that stop reading until all is over.
    pub(super) stalled: u32,
    pub(super) publishers: u32,
    pub(super) pace: Pace,
    pub(super) size: usize,
    pub(super) length: Duration,
}

/// What came of it.
pub(super) struct Outcome {
    /// Records, the one included that ends the flow.
    pub(super) sent: u64,
    pub(super) took: Duration,
    pub(super) cpu: Option<Duration>,
    pub(super) latency: Histogram<u64>,
    /// Memory that came while it flowed.
    pub(super) grown_kib: Option<u64>,
    pub(super) lost: u64,
    pub(super) repeated: u64,
}

/// Lets records flow.
pub(super) async fn run(target: &Target, plan: Plan) -> anyhow::Result<Outcome> {
    let stream = fresh("flow");
    target.create(&stream).await?;
    let readers = open_readers(target, &stream, plan).await?;
    let mut readers = readers.into_iter();
    let sleepers: Vec<Reader> = readers.by_ref().take(usize::try_from(plan.stalled)?).collect();
    let before = usage(target);
    let tally = Arc::new(Tally::new(plan.readers.saturating_sub(plan.stalled))?);
    let reading = readers.map(|reader| read(reader, Arc::clone(&tally)));
    let (sent, reading) =
        tokio::try_join!(publish(target, &stream, plan, Arc::clone(&tally)), pool::all(reading))?;
    let took = tally.started().elapsed();
    let (cpu, grown_kib) = (cpu_since(target, before), grown_kib(before, usage(target)));
    let (mut lost, mut repeated) = catch_up(sleepers, sent).await?;
    for reader in &reading {
        lost += sent.saturating_sub(reader.seen);
        repeated += reader.repeated;
    }
    Ok(Outcome { sent, took, cpu, latency: tally.latency(), grown_kib, lost, repeated })
}

/// Opens all readers; the stalled ones come first and have a narrow socket.
async fn open_readers(target: &Target, stream: &str, plan: Plan) -> anyhow::Result<Vec<Reader>> {
    let paths = target.live_paths(stream, Start::Newest, plan.readers).await?;
    let (narrow, wide) = paths.split_at_checked(usize::try_from(plan.stalled)?).unwrap_or((&[], &paths));
    let mut readers = open_some(target, narrow, plan, true).await?;
    readers.extend(open_some(target, wide, plan, false).await?);
    Ok(readers)
}

async fn open_some(
    target: &Target,
    paths: &[String],
    plan: Plan,
    narrow: bool,
) -> anyhow::Result<Vec<Reader>> {
    pool::open_each(paths.to_vec(), |path| {
        let target = target.clone();
        async move {
            let opening = Opening { size: plan.size, narrow, ..Opening::default() };
            let mut reader = Reader::open(&target, &path, opening).await?;
            reader.first_bytes().await?;
            Ok(reader)
        }
    })
    .await
}

async fn read(mut reader: Reader, tally: Arc<Tally>) -> anyhow::Result<Reader> {
    let over = tally.given_up().cancelled();
    tokio::pin!(over);
    loop {
        tally.count(&mut reader);
        if reader.finished {
            return Ok(reader);
        }
        tokio::select! {
            biased;
            filled = reader.fill() => filled?,
            () = &mut over => return Ok(reader),
        }
    }
}

/// Publishes until the time is over, then one record that ends the flow for every reader.
async fn publish(target: &Target, stream: &str, plan: Plan, tally: Arc<Tally>) -> anyhow::Result<u64> {
    let lanes = 0..u8::try_from(plan.publishers)?;
    let work =
        lanes.map(|lane| publish_lane(target.clone(), stream.to_owned(), plan, lane, Arc::clone(&tally)));
    pool::all(work).await?;
    let sent = tally.issue();
    let last =
        Marker { lane: LAST_LANE, number: 0, sent_ns: u64::try_from(tally.started().elapsed().as_nanos())? };
    Connection::open(target).await?.append(&target.append_request(stream, &last.record(plan.size))).await?;
    tokio::spawn(async move {
        sleep(GRACE).await;
        tally.given_up().cancel();
    });
    Ok(sent)
}

async fn publish_lane(
    target: Target,
    stream: String,
    plan: Plan,
    lane: u8,
    tally: Arc<Tally>,
) -> anyhow::Result<()> {
    let mut connection = Connection::open(&target).await?;
    let mut number = 0;
    loop {
        let due = match plan.pace {
            Pace::Rate(rate) => {
                let due = Duration::from_nanos(number * (1_000_000_000 / u64::from(rate)));
                tokio::time::sleep_until((tally.started() + due).into()).await;
                tally.issue();
                due
            }
            Pace::Window(window) => {
                tally.claim(window).await;
                tally.started().elapsed()
            }
        };
        let record = Marker { lane, number, sent_ns: u64::try_from(due.as_nanos())? }.record(plan.size);
        connection.append(&target.append_request(&stream, &record)).await?;
        number += 1;
        if tally.started().elapsed() >= plan.length {
            return Ok(());
        }
    }
}

/// Lets the stalled readers read on: they must get everything, late.
async fn catch_up(sleepers: Vec<Reader>, sent: u64) -> anyhow::Result<(u64, u64)> {
    let reading = sleepers.into_iter().map(|mut reader| async move {
        let mut ignored = histogram()?;
        let all = reader.read_until(sent, std::time::Instant::now(), &mut ignored);
        match tokio::time::timeout(GRACE, all).await {
            Ok(done) => done?,
            Err(_) => tracing::debug!("a stalled reader waits for records that do not come"),
        }
        Ok((sent.saturating_sub(reader.seen), reader.repeated))
    });
    let done = pool::all(reading).await?;
    Ok(done.into_iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)))
}
