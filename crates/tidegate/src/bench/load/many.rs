//! Many streams with one reader each: the shape of job progress.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::{Report, cpu_since, fresh, histogram, usage};
use crate::bench::args::BenchArgs;
use crate::bench::client::Connection;
use crate::bench::meter::Marker;
use crate::bench::pool;
use crate::bench::procfs::grown_kib;
use crate::bench::report::each_kib;
use crate::bench::sse::{Opening, Reader};
use crate::bench::target::{Start, Target};

/// Streams with a reader that are there before memory is looked at.
const WARM: u32 = 64;

struct Topic {
    stream: String,
    reader: Reader,
}

/// What one publisher has done.
struct Share {
    messages: u64,
    latency: Histogram<u64>,
    lost: u64,
    repeated: u64,
}

pub(super) async fn run(target: &Target, args: &BenchArgs) -> anyhow::Result<Report> {
    let base = fresh("many");
    let (size, length) = (usize::try_from(args.size)?, Duration::from_secs(args.seconds));
    // A few first, as in `idle`: what the server allocates once is not counted for each.
    let names = (0..WARM).map(|n| format!("{base}-warm-{n}"));
    let warm = pool::open_each(names, |name| open(target.clone(), name, size)).await?;
    let before = usage(target);
    let names = (0..args.streams).map(|n| format!("{base}-{n}"));
    let topics = pool::open_each(names, |name| open(target.clone(), name, size)).await?;
    // Before the first record: what the newest records take is bounded by the server, not by readers.
    let memory = grown_kib(before, usage(target)).map(|kib| each_kib(kib, args.streams));
    let before = usage(target);
    let started = Instant::now();
    let work = shares(topics, args.publishers)
        .into_iter()
        .map(|share| drive(target.clone(), share, size, started, length));
    let done = pool::all(work).await?;
    let took = started.elapsed();
    drop(warm);
    let cpu = cpu_since(target, before);
    let mut latency = histogram()?;
    let (mut messages, mut lost, mut repeated) = (0, 0, 0);
    for share in done {
        messages += share.messages;
        latency.add(&share.latency)?;
        lost += share.lost;
        repeated += share.repeated;
    }
    let setup = format!(
        "{} streams with a reader each, {} publishers, {size} B, append to receipt, {}",
        args.streams,
        args.publishers,
        target.framing()
    );
    let report = Report::new("many", setup, "messages").rate(messages, took).latency(&latency);
    Ok(report.cpu(cpu).memory(memory, None).each("stream and reader").checked(lost, repeated))
}

async fn open(target: Target, stream: String, size: usize) -> anyhow::Result<Topic> {
    target.create(&stream).await?;
    let path = target.live_path(&stream, Start::Newest).await?;
    let mut reader = Reader::open(&target, &path, Opening { size, ..Opening::default() }).await?;
    reader.first_bytes().await?;
    Ok(Topic { stream, reader })
}

/// Deals the topics out to the publishers.
fn shares(topics: Vec<Topic>, publishers: u32) -> Vec<Vec<Topic>> {
    let mut shares: Vec<Vec<Topic>> = (0..publishers).map(|_| Vec::new()).collect();
    for (index, topic) in topics.into_iter().enumerate() {
        let share = index % shares.len();
        if let Some(share) = shares.get_mut(share) {
            share.push(topic);
        }
    }
    shares
}

/// One publisher: appends to its streams in turn and waits for each record to arrive.
async fn drive(
    target: Target,
    mut topics: Vec<Topic>,
    size: usize,
    started: Instant,
    length: Duration,
) -> anyhow::Result<Share> {
    let mut connection = Connection::open(&target).await?;
    let mut share = Share { messages: 0, latency: histogram()?, lost: 0, repeated: 0 };
    'load: while !topics.is_empty() {
        for topic in &mut topics {
            if started.elapsed() >= length {
                break 'load;
            }
            let number = topic.reader.next();
            let sent_ns = u64::try_from(started.elapsed().as_nanos())?;
            let record = Marker::new(number, sent_ns).record(size);
            connection.append(&target.append_request(&topic.stream, &record)).await?;
            topic.reader.read_until(number + 1, started, &mut share.latency).await?;
            share.messages += 1;
        }
    }
    share.lost = topics.iter().map(|t| t.reader.lost).sum();
    share.repeated = topics.iter().map(|t| t.reader.repeated).sum();
    Ok(share)
}
