//! One stream, many readers: closed loop by a window, or open loop by a rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::Notify;

use super::{Report, cpu_since, fresh, histogram, usage};
use crate::bench::args::BenchArgs;
use crate::bench::client::{Connection, Target};
use crate::bench::meter::Marker;
use crate::bench::pool;
use crate::bench::sse::Reader;

/// Whether some readers stop reading.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stall {
    None,
    Tenth,
}

/// What the readers have seen together; the closed loop waits on it.
#[derive(Default)]
struct Progress {
    delivered: AtomicU64,
    moved: Notify,
    /// Records in all; zero until the writer has stopped.
    total: AtomicU64,
}

pub(super) async fn run(target: &Target, args: &BenchArgs, stall: Stall) -> anyhow::Result<Report> {
    let stream = fresh("fanout");
    target.create(&stream).await?;
    let readers = pool::open_many(args.subscribers, |_| open(target.clone(), stream.clone())).await?;
    let stalled = match stall {
        Stall::None => 0,
        Stall::Tenth => readers.len() / 10,
    };
    let watched = u64::try_from(readers.len() - stalled)?;
    let progress = Arc::new(Progress::default());
    let before = usage(target);
    let started = Instant::now();
    let mut readers = readers.into_iter();
    let sleepers: Vec<Reader> = readers.by_ref().take(stalled).collect();
    let reading = readers.map(|reader| read(reader, Arc::clone(&progress), started));
    let (writing, reading) = tokio::join!(
        write(target, &stream, args, watched, Arc::clone(&progress), started),
        pool::all(reading)
    );
    let (sent, reading) = (writing?, reading?);
    let took = started.elapsed();
    let cpu = cpu_since(target, before);
    let late = catch_up(sleepers, sent, started).await?;
    let mut latency = histogram()?;
    let (mut lost, mut repeated) = late;
    for (reader, own) in &reading {
        latency.add(own)?;
        lost += reader.lost;
        repeated += reader.repeated;
    }
    let pace = args.rate.map_or_else(|| format!("window {}", args.window), |rate| format!("{rate}/s"));
    let setup =
        format!("{} readers ({stalled} stalled), {} B, {pace}, {sent} records", args.subscribers, args.size);
    let name = if stall == Stall::None { "fanout" } else { "slow" };
    let report = Report::new(name, setup, "deliveries").rate(sent * watched, took).latency(&latency).cpu(cpu);
    Ok(report.checked(lost, repeated))
}

async fn open(target: Target, stream: String) -> anyhow::Result<Reader> {
    let path = target.live_path(&stream, "now").await?;
    let mut reader = Reader::open(&target, &path, 0).await?;
    reader.first_bytes().await?;
    Ok(reader)
}

async fn read(
    mut reader: Reader,
    progress: Arc<Progress>,
    started: Instant,
) -> anyhow::Result<(Reader, Histogram<u64>)> {
    let mut latency = histogram()?;
    loop {
        let total = progress.total.load(Ordering::Acquire);
        if total > 0 && reader.seen >= total {
            return Ok((reader, latency));
        }
        let before = reader.seen;
        reader.read_some(started, &mut latency).await?;
        progress.delivered.fetch_add(reader.seen - before, Ordering::AcqRel);
        progress.moved.notify_one();
    }
}

async fn write(
    target: &Target,
    stream: &str,
    args: &BenchArgs,
    readers: u64,
    progress: Arc<Progress>,
    started: Instant,
) -> anyhow::Result<u64> {
    let mut connection = Connection::open(target).await?;
    let (size, length) = (usize::try_from(args.size)?, Duration::from_secs(args.seconds));
    let mut number = 0;
    while started.elapsed() < length {
        let due = pace(args, number, readers, &progress, started).await;
        let record = Marker { number, sent_ns: u64::try_from(due.as_nanos())? }.record(size);
        let mut request = target.request("POST", &target.path(stream), Some(&record));
        let answer = connection.exchange(&mut request).await?;
        anyhow::ensure!(matches!(answer.status, 200 | 204), "an append was answered with {}", answer.status);
        number += 1;
    }
    // One more record ends the run for every reader, those included that already saw the rest.
    progress.total.store(number + 1, Ordering::Release);
    let due = started.elapsed();
    let record = Marker { number, sent_ns: u64::try_from(due.as_nanos())? }.record(size);
    connection.exchange(&mut target.request("POST", &target.path(stream), Some(&record))).await?;
    Ok(number + 1)
}

/// Waits until the next record is due; returns its intended send time since the start.
async fn pace(
    args: &BenchArgs,
    number: u64,
    readers: u64,
    progress: &Progress,
    started: Instant,
) -> Duration {
    if let Some(rate) = args.rate {
        let due = Duration::from_nanos(number.saturating_mul(1_000_000_000 / u64::from(rate)));
        tokio::time::sleep_until((started + due).into()).await;
        return due;
    }
    let allowed = u64::from(args.window);
    while number.saturating_sub(progress.delivered.load(Ordering::Acquire) / readers.max(1)) >= allowed {
        progress.moved.notified().await;
    }
    started.elapsed()
}

/// Lets the stalled readers read on: they must get everything, late.
async fn catch_up(sleepers: Vec<Reader>, sent: u64, started: Instant) -> anyhow::Result<(u64, u64)> {
    let reading = sleepers.into_iter().map(|mut reader| async move {
        let mut latency = histogram()?;
        reader.read_until(sent, started, &mut latency).await?;
        Ok((reader.lost, reader.repeated))
    });
    let done = pool::all(reading).await?;
    Ok(done.into_iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)))
}
