//! A reconnect storm: every reader is cut at once, records go on, and all come back with the
//! last id that they saw. Nothing may be lost or repeated.

use std::time::Instant;

use super::{Report, cpu_since, fresh, histogram, replay, usage};
use crate::bench::args::{BenchArgs, Live};
use crate::bench::client::Target;
use crate::bench::pool;
use crate::bench::sse::Reader;

const BEFORE: u64 = 10;
const MISSED: u64 = 100;

/// What a reader needs to come back.
struct Cut {
    path: String,
    next: u64,
    last_id: Option<String>,
}

pub(super) async fn run(target: &Target, args: &BenchArgs) -> anyhow::Result<Report> {
    let target = &Target { live: Live::Events, ..target.clone() };
    let stream = fresh("storm");
    target.create(&stream).await?;
    let size = usize::try_from(args.size)?;
    replay::fill(target, &stream, BEFORE, size).await?;
    let cut = pool::open_many(args.connections, |_| first_visit(target.clone(), stream.clone())).await?;
    append_missed(target, &stream, size).await?;
    let before = usage(target);
    let started = Instant::now();
    let back = cut.into_iter().map(|cut| come_back(target.clone(), cut, started));
    let done = pool::all(back).await?;
    let took = started.elapsed();
    let mut latency = histogram()?;
    let (mut lost, mut repeated) = (0, 0);
    for (reader, after) in &done {
        latency.saturating_record(*after);
        lost += reader.lost;
        repeated += reader.repeated;
    }
    let setup =
        format!("{} readers cut at once, back with their last id, {MISSED} records missed", args.connections);
    let report = Report::new("storm", setup, "resumes").rate(u64::from(args.connections), took);
    Ok(report.latency(&latency).cpu(cpu_since(target, before)).checked(lost, repeated))
}

async fn first_visit(target: Target, stream: String) -> anyhow::Result<Cut> {
    let path = target.live_path(&stream, "-1").await?;
    let mut reader = Reader::open(&target, &path, 0).await?.track_ids();
    let mut ignored = histogram()?;
    reader.read_until(BEFORE, Instant::now(), &mut ignored).await?;
    Ok(Cut { path, next: reader.next(), last_id: reader.last_id().map(ToOwned::to_owned) })
}

async fn append_missed(target: &Target, stream: &str, size: usize) -> anyhow::Result<()> {
    use crate::bench::client::Connection;
    use crate::bench::meter::Marker;
    let mut connection = Connection::open(target).await?;
    for number in BEFORE..BEFORE + MISSED {
        let record = Marker { number, sent_ns: 0 }.record(size);
        connection.exchange(&mut target.request("POST", &target.path(stream), Some(&record))).await?;
    }
    Ok(())
}

/// Comes back and reads what was missed; the time is from the cut to the last missed record.
async fn come_back(target: Target, cut: Cut, started: Instant) -> anyhow::Result<(Reader, u64)> {
    let mut reader = Reader::open_after(&target, &cut.path, cut.next, cut.last_id.as_deref()).await?;
    let mut ignored = histogram()?;
    reader.read_until(MISSED, started, &mut ignored).await?;
    Ok((reader, u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX)))
}
