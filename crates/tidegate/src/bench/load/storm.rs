//! A reconnect storm: every reader is cut at once, records go on, and all come back with the
//! last id that they saw. Nothing may be lost or repeated.

use std::time::Instant;

use super::{Report, cpu_since, fresh, histogram, replay, usage};
use crate::bench::args::BenchArgs;
use crate::bench::client::Connection;
use crate::bench::meter::Marker;
use crate::bench::pool;
use crate::bench::sse::{Opening, Reader};
use crate::bench::target::{Start, Target};

const BEFORE: u64 = 10;
const MISSED: u64 = 100;

/// What a reader needs to come back.
struct Cut {
    path: String,
    opening: Opening,
}

pub(super) async fn run(target: &Target, args: &BenchArgs) -> anyhow::Result<Report> {
    let stream = fresh("storm");
    target.create(&stream).await?;
    let size = usize::try_from(args.size)?;
    replay::fill(target, &stream, BEFORE, size).await?;
    let paths = target.live_paths(&stream, Start::Oldest, args.connections).await?;
    let cut = pool::open_each(paths, |path| first_visit(target.clone(), stream.clone(), path, size)).await?;
    append_missed(target, &stream, size).await?;
    let before = usage(target);
    let started = Instant::now();
    let back = cut.into_iter().map(|cut| come_back(target.clone(), cut, started));
    let done = pool::all(back).await?;
    let took = started.elapsed();
    let cpu = cpu_since(target, before);
    let mut latency = histogram()?;
    let (mut lost, mut repeated) = (0, 0);
    for (reader, after) in &done {
        latency.saturating_record(*after);
        lost += reader.lost;
        repeated += reader.repeated;
    }
    let setup = format!(
        "{} readers cut at once, back with their last id, {MISSED} records missed, {}",
        args.connections,
        target.framing()
    );
    let report = Report::new("storm", setup, "resumes").rate(u64::from(args.connections), took);
    Ok(report.latency(&latency).cpu(cpu).checked(lost, repeated))
}

async fn first_visit(target: Target, stream: String, path: String, size: usize) -> anyhow::Result<Cut> {
    let opening = Opening { track_ids: true, ..Opening::default() };
    let mut reader = Reader::open(&target, &path, opening).await?;
    let mut ignored = histogram()?;
    reader.read_until(BEFORE, Instant::now(), &mut ignored).await?;
    let next = reader.next();
    let (path, last_id) = target.resume(&stream, path, reader.id().await?);
    Ok(Cut { path, opening: Opening { next, last_id, size, ..Opening::default() } })
}

async fn append_missed(target: &Target, stream: &str, size: usize) -> anyhow::Result<()> {
    let mut connection = Connection::open(target).await?;
    for number in BEFORE..BEFORE + MISSED {
        let record = Marker::new(number, 0).record(size);
        connection.append(&target.append_request(stream, &record)).await?;
    }
    Ok(())
}

/// Comes back and reads what was missed; the time is from the cut to the last missed record.
async fn come_back(target: Target, cut: Cut, started: Instant) -> anyhow::Result<(Reader, u64)> {
    let mut reader = Reader::open(&target, &cut.path, cut.opening).await?;
    let mut ignored = histogram()?;
    reader.read_until(MISSED, started, &mut ignored).await?;
    Ok((reader, u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX)))
}
