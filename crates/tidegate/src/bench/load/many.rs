//! Many streams with one reader each: the shape of job progress.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::{Report, cpu_since, fresh, histogram, usage};
use crate::bench::args::BenchArgs;
use crate::bench::client::{Connection, Target};
use crate::bench::meter::Marker;
use crate::bench::pool;
use crate::bench::sse::Reader;

struct Topic {
    stream: String,
    reader: Reader,
}

pub(super) async fn run(target: &Target, args: &BenchArgs) -> anyhow::Result<Report> {
    let base = fresh("many");
    let resident = usage(target).map(|u| u.resident_kib);
    let topics = pool::open_many(args.streams, |n| open(target.clone(), format!("{base}-{n}"))).await?;
    let memory =
        usage(target).map(|u| u.resident_kib).zip(resident).map(|(now, then)| now.saturating_sub(then));
    let (size, length) = (usize::try_from(args.size)?, Duration::from_secs(args.seconds));
    let before = usage(target);
    let started = Instant::now();
    let mut shares: Vec<Vec<Topic>> = (0..args.writers).map(|_| Vec::new()).collect();
    for (index, topic) in topics.into_iter().enumerate() {
        let share = index % shares.len();
        if let Some(share) = shares.get_mut(share) {
            share.push(topic);
        }
    }
    let work = shares.into_iter().map(|share| drive(target.clone(), share, size, started, length));
    let done = pool::all(work).await?;
    let took = started.elapsed();
    let mut latency = histogram()?;
    let (mut messages, mut lost, mut repeated) = (0, 0, 0);
    for (count, own, missed) in done {
        messages += count;
        latency.add(&own)?;
        lost += missed.0;
        repeated += missed.1;
    }
    let setup = format!(
        "{} streams with a reader each, {} writers, {size} B, append to receipt",
        args.streams, args.writers
    );
    let report = Report::new("many", setup, "messages").rate(messages, took).latency(&latency);
    let each = memory.map(|kib| super::super::spawn::mebibytes(kib) * 1_024.0 / f64::from(args.streams));
    Ok(report.cpu(cpu_since(target, before)).memory(each, None).checked(lost, repeated))
}

async fn open(target: Target, stream: String) -> anyhow::Result<Topic> {
    target.create(&stream).await?;
    let path = target.live_path(&stream, "now").await?;
    let mut reader = Reader::open(&target, &path, 0).await?;
    reader.first_bytes().await?;
    Ok(Topic { stream, reader })
}

/// One writer: appends to its streams in turn and waits for each record to arrive.
async fn drive(
    target: Target,
    mut topics: Vec<Topic>,
    size: usize,
    started: Instant,
    length: Duration,
) -> anyhow::Result<(u64, Histogram<u64>, (u64, u64))> {
    let mut connection = Connection::open(&target).await?;
    let mut latency = histogram()?;
    let mut count = 0;
    'load: loop {
        for topic in &mut topics {
            if started.elapsed() >= length {
                break 'load;
            }
            let number = topic.reader.next();
            let sent_ns = u64::try_from(started.elapsed().as_nanos())?;
            let record = Marker { number, sent_ns }.record(size);
            let mut request = target.request("POST", &target.path(&topic.stream), Some(&record));
            let answer = connection.exchange(&mut request).await?;
            anyhow::ensure!(
                matches!(answer.status, 200 | 204),
                "an append was answered with {}",
                answer.status
            );
            topic.reader.read_until(number + 1, started, &mut latency).await?;
            count += 1;
        }
        if topics.is_empty() {
            break;
        }
    }
    let missed = topics.iter().fold((0, 0), |sum, t| (sum.0 + t.reader.lost, sum.1 + t.reader.repeated));
    Ok((count, latency, missed))
}
