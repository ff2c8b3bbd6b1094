//! Readers that begin at the start of a stored stream.

use std::time::Instant;

use super::{Report, cpu_since, fresh, histogram, usage};
use crate::bench::args::BenchArgs;
use crate::bench::client::{Connection, Target};
use crate::bench::meter::Marker;
use crate::bench::pool;
use crate::bench::sse::Reader;

const BATCH_BYTES: usize = 256 << 10;
const READERS_MAX: u32 = 200;

pub(super) async fn run(target: &Target, args: &BenchArgs) -> anyhow::Result<Report> {
    let stream = fresh("replay");
    target.create(&stream).await?;
    let records = u64::from(args.records);
    fill(target, &stream, records, usize::try_from(args.size)?).await?;
    let readers = args.subscribers.min(READERS_MAX);
    let before = usage(target);
    let started = Instant::now();
    let done = pool::open_many(readers, |_| replay(target.clone(), stream.clone(), records, started)).await?;
    let took = started.elapsed();
    let setup = format!("{readers} readers of {records} stored records of {} B", args.size);
    let report = Report::new("replay", setup, "events").rate(records * u64::from(readers), took);
    let missed = done.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    Ok(report.cpu(cpu_since(target, before)).checked(missed.0, missed.1))
}

/// Stores the records in batches.
pub(super) async fn fill(target: &Target, stream: &str, records: u64, size: usize) -> anyhow::Result<()> {
    let mut connection = Connection::open(target).await?;
    let per_batch = u64::try_from((BATCH_BYTES / size.max(1)).max(1))?;
    let mut next = 0;
    while next < records {
        let end = (next + per_batch).min(records);
        let batch: Vec<Vec<u8>> =
            (next..end).map(|number| Marker { number, sent_ns: 0 }.record(size)).collect();
        let body = [b"[".as_slice(), &batch.join(&b","[..]), b"]"].concat();
        let answer =
            connection.exchange(&mut target.request("POST", &target.path(stream), Some(&body))).await?;
        anyhow::ensure!(matches!(answer.status, 200 | 204), "a batch was answered with {}", answer.status);
        next = end;
    }
    Ok(())
}

async fn replay(
    target: Target,
    stream: String,
    records: u64,
    started: Instant,
) -> anyhow::Result<(u64, u64)> {
    let path = target.live_path(&stream, "-1").await?;
    let mut reader = Reader::open(&target, &path, 0).await?;
    let mut latency = histogram()?;
    reader.read_until(records, started, &mut latency).await?;
    Ok((reader.lost, reader.repeated))
}
