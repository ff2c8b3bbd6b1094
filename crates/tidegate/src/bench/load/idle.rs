//! Open tails where nothing happens (memory), and tails that are opened and left (churn).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Report, cpu_since, fresh, histogram, replay, usage};
use crate::bench::args::{Auth, BenchArgs};
use crate::bench::pool;
use crate::bench::procfs::grown_kib;
use crate::bench::report::{each_kib, mebibytes};
use crate::bench::sse::{Opening, Reader};
use crate::bench::target::{Start, Target};

const CHURNERS: u32 = 64;
/// Visits that are prepared for each second: more than any server has managed, tickets aside.
const VISITS_A_SECOND: u32 = 50_000;
/// Tickets live for a minute, and making one is not what is measured.
const TICKETED_VISITS_A_SECOND: u32 = 4_000;

/// Memory of the server per open tail.
pub(super) async fn idle(target: &Target, args: &BenchArgs) -> anyhow::Result<Report> {
    let stream = fresh("idle");
    target.create(&stream).await?;
    // A few tails first, so that what the server allocates once is not counted per tail.
    let warm = open_all(target, target.live_paths(&stream, Start::Newest, CHURNERS).await?).await?;
    let paths = target.live_paths(&stream, Start::Newest, args.connections).await?;
    let before = usage(target);
    let started = Instant::now();
    let tails = open_all(target, paths).await?;
    let took = started.elapsed();
    let (cpu, now) = (cpu_since(target, before), usage(target));
    let setup = format!("{} open tails of one stream, {}", args.connections, target.framing());
    let report = Report::new("idle", setup, "connects").rate(u64::from(args.connections), took).cpu(cpu);
    drop((warm, tails));
    let each = grown_kib(before, now).map(|kib| each_kib(kib, args.connections));
    Ok(report.memory(each, now.map(|n| mebibytes(n.resident_kib))))
}

async fn open_all(target: &Target, paths: Vec<String>) -> anyhow::Result<Vec<Reader>> {
    pool::open_each(paths, |path| {
        let target = target.clone();
        async move {
            let mut reader = Reader::open(&target, &path, Opening::default()).await?;
            reader.first_bytes().await?;
            Ok(reader)
        }
    })
    .await
}

/// Connect, first record, hang up; again.
pub(super) async fn churn(target: &Target, args: &BenchArgs) -> anyhow::Result<Report> {
    let stream = fresh("churn");
    target.create(&stream).await?;
    replay::fill(target, &stream, 1, usize::try_from(args.size)?).await?;
    if target.auth == Auth::Key {
        target.wants_its_key(&stream).await?;
    }
    let a_second = if target.wants_tickets() { TICKETED_VISITS_A_SECOND } else { VISITS_A_SECOND };
    let count = a_second.saturating_mul(u32::try_from(args.seconds)?);
    let mut paths = target.live_paths(&stream, Start::Oldest, count).await?;
    // The first is taken first, from the end.
    paths.reverse();
    let paths = Arc::new(Mutex::new(paths));
    let length = Duration::from_secs(args.seconds);
    let before = usage(target);
    let started = Instant::now();
    let work = (0..CHURNERS).map(|_| visit(target.clone(), Arc::clone(&paths), started, length));
    let done = pool::all(work).await?;
    let took = started.elapsed();
    let cpu = cpu_since(target, before);
    let mut latency = histogram()?;
    let mut visits = 0;
    for (count, own) in done {
        visits += count;
        latency.add(&own)?;
    }
    let setup = format!("{CHURNERS} at once: connect, first record, hang up, {}", target.framing());
    Ok(Report::new("churn", setup, "visits").rate(visits, took).latency(&latency).cpu(cpu))
}

async fn visit(
    target: Target,
    paths: Arc<Mutex<Vec<String>>>,
    started: Instant,
    length: Duration,
) -> anyhow::Result<(u64, hdrhistogram::Histogram<u64>)> {
    let (mut latency, mut ignored) = (histogram()?, histogram()?);
    let mut count = 0;
    while started.elapsed() < length {
        let path = paths.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(path) = path else { break };
        let began = Instant::now();
        let mut reader = Reader::open(&target, &path, Opening::default()).await?;
        reader.read_until(1, started, &mut ignored).await?;
        drop(reader);
        latency.saturating_record(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
        count += 1;
    }
    Ok((count, latency))
}
