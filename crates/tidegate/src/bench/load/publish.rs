//! Appends that nobody reads: keep-alive writers, each with one append under way.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::{Report, cpu_since, fresh, histogram, usage};
use crate::bench::args::BenchArgs;
use crate::bench::client::Connection;
use crate::bench::meter::Marker;
use crate::bench::pool;
use crate::bench::target::Target;

/// Where the writers write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    OneEach,
    Shared,
}

pub(super) async fn run(target: &Target, args: &BenchArgs, spread: Spread) -> anyhow::Result<Report> {
    let base = fresh("publish");
    let streams: Vec<String> = match spread {
        Spread::OneEach => (0..args.writers).map(|n| format!("{base}-{n}")).collect(),
        Spread::Shared => vec![base; usize::try_from(args.writers)?],
    };
    for stream in &streams {
        target.create(stream).await?;
    }
    let (size, length) = (usize::try_from(args.size)?, Duration::from_secs(args.seconds));
    let before = usage(target);
    let started = Instant::now();
    let writers = streams.into_iter().map(|stream| write(target.clone(), stream, size, started, length));
    let done = pool::all(writers).await?;
    let took = started.elapsed();
    let cpu = cpu_since(target, before);
    let mut latency = histogram()?;
    let mut appends = 0;
    for (count, own) in done {
        appends += count;
        latency.add(&own)?;
    }
    let (name, streams) = match spread {
        Spread::OneEach => ("publish", "a stream each"),
        Spread::Shared => ("publish-one", "one stream"),
    };
    let setup =
        format!("{} keep-alive writers, {streams}, {size} B, each waits for its answer", args.writers);
    Ok(Report::new(name, setup, "appends").rate(appends, took).latency(&latency).cpu(cpu))
}

async fn write(
    target: Target,
    stream: String,
    size: usize,
    started: Instant,
    length: Duration,
) -> anyhow::Result<(u64, Histogram<u64>)> {
    let mut connection = Connection::open(&target).await?;
    let mut latency = histogram()?;
    let record = Marker::new(0, 0).record(size);
    let request = target.append_request(&stream, &record);
    let mut count = 0;
    while started.elapsed() < length {
        let sent = Instant::now();
        connection.append(&request).await?;
        latency.saturating_record(u64::try_from(sent.elapsed().as_nanos()).unwrap_or(u64::MAX));
        count += 1;
    }
    Ok((count, latency))
}
