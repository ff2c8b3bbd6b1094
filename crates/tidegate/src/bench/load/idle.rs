//! Open tails where nothing happens (memory), and tails that are opened and left (churn).

use std::time::{Duration, Instant};

use super::{Report, cpu_since, fresh, histogram, replay, usage};
use crate::bench::args::BenchArgs;
use crate::bench::client::Target;
use crate::bench::pool;
use crate::bench::sse::Reader;

const CHURNERS: u32 = 64;

/// Memory of the server per open tail.
pub(super) async fn idle(target: &Target, args: &BenchArgs) -> anyhow::Result<Report> {
    let stream = fresh("idle");
    target.create(&stream).await?;
    // A few tails first, so that what the server allocates once is not counted per tail.
    let warm = pool::open_many(CHURNERS, |_| open(target.clone(), stream.clone())).await?;
    let resident = usage(target);
    let started = Instant::now();
    let tails = pool::open_many(args.connections, |_| open(target.clone(), stream.clone())).await?;
    let took = started.elapsed();
    let cpu = cpu_since(target, resident);
    let now = usage(target);
    let grown = now.zip(resident).map(|(n, r)| n.resident_kib.saturating_sub(r.resident_kib));
    let each = grown.map(|kib| super::super::spawn::mebibytes(kib) * 1_024.0 / f64::from(args.connections));
    let setup = format!("{} open tails of one stream, {:?} framing", args.connections, target.live);
    let report = Report::new("idle", setup, "connects").rate(u64::from(args.connections), took).cpu(cpu);
    drop((warm, tails));
    Ok(report.memory(each, now.map(|n| super::super::spawn::mebibytes(n.resident_kib))))
}

async fn open(target: Target, stream: String) -> anyhow::Result<Reader> {
    let path = target.live_path(&stream, "now").await?;
    let mut reader = Reader::open(&target, &path, 0).await?;
    reader.first_bytes().await?;
    Ok(reader)
}

/// Connect, first event, hang up; again.
pub(super) async fn churn(target: &Target, args: &BenchArgs) -> anyhow::Result<Report> {
    let stream = fresh("churn");
    target.create(&stream).await?;
    replay::fill(target, &stream, 1, usize::try_from(args.size)?).await?;
    let length = Duration::from_secs(args.seconds);
    let before = usage(target);
    let started = Instant::now();
    let work = (0..CHURNERS).map(|_| visit(target.clone(), stream.clone(), started, length));
    let done = pool::all(work).await?;
    let took = started.elapsed();
    let mut latency = histogram()?;
    let mut visits = 0;
    for (count, own) in done {
        visits += count;
        latency.add(&own)?;
    }
    let setup = format!("{CHURNERS} at once: connect, first record, hang up");
    Ok(Report::new("churn", setup, "visits")
        .rate(visits, took)
        .latency(&latency)
        .cpu(cpu_since(target, before)))
}

async fn visit(
    target: Target,
    stream: String,
    started: Instant,
    length: Duration,
) -> anyhow::Result<(u64, hdrhistogram::Histogram<u64>)> {
    let (mut latency, mut ignored) = (histogram()?, histogram()?);
    let mut count = 0;
    while started.elapsed() < length {
        let began = Instant::now();
        let path = target.live_path(&stream, "-1").await?;
        Reader::open(&target, &path, 0).await?.read_until(1, started, &mut ignored).await?;
        latency.saturating_record(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
        count += 1;
    }
    Ok((count, latency))
}
