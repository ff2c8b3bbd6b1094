//! Readers that begin at the start of a stored stream.

use std::time::Instant;

use super::{Report, cpu_since, fresh, histogram, usage};
use crate::bench::args::BenchArgs;
use crate::bench::client::Connection;
use crate::bench::meter::Marker;
use crate::bench::pool;
use crate::bench::sse::{Opening, Reader};
use crate::bench::target::{Start, Target};

const BATCH_BYTES: usize = 256 << 10;
const READERS: u32 = 200;

pub(super) async fn run(target: &Target, args: &BenchArgs) -> anyhow::Result<Report> {
    let stream = fresh("replay");
    target.create(&stream).await?;
    let (records, size) = (u64::from(args.records), usize::try_from(args.size)?);
    fill(target, &stream, records, size).await?;
    let readers = args.subscribers.unwrap_or(READERS);
    let paths = target.live_paths(&stream, Start::Oldest, readers).await?;
    let before = usage(target);
    let started = Instant::now();
    let done = pool::open_each(paths, |path| replay(target.clone(), path, records, size)).await?;
    let took = started.elapsed();
    let cpu = cpu_since(target, before);
    let setup =
        format!("{readers} readers of {records} stored records of {} B, {}", args.size, target.framing());
    let report = Report::new("replay", setup, "events").rate(records * u64::from(readers), took);
    let missed = done.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    Ok(report.cpu(cpu).checked(missed.0, missed.1))
}

/// Stores the records, in batches where the server takes them.
pub(super) async fn fill(target: &Target, stream: &str, records: u64, size: usize) -> anyhow::Result<()> {
    let mut connection = Connection::open(target).await?;
    if !target.takes_batches() {
        for number in 0..records {
            let record = Marker::new(number, 0).record(size);
            connection.append(&target.append_request(stream, &record)).await?;
        }
        return Ok(());
    }
    let per_batch = u64::try_from((BATCH_BYTES / size.max(1)).max(1))?;
    let mut next = 0;
    while next < records {
        let end = (next + per_batch).min(records);
        let batch: Vec<Vec<u8>> = (next..end).map(|number| Marker::new(number, 0).record(size)).collect();
        let body = [b"[".as_slice(), &batch.join(&b","[..]), b"]"].concat();
        connection.append(&target.append_request(stream, &body)).await?;
        next = end;
    }
    Ok(())
}

async fn replay(target: Target, path: String, records: u64, size: usize) -> anyhow::Result<(u64, u64)> {
    let opening = Opening { size, ..Opening::default() };
    let mut reader = Reader::open(&target, &path, opening).await?;
    let mut ignored = histogram()?;
    reader.read_until(records, Instant::now(), &mut ignored).await?;
    Ok((reader.lost, reader.repeated))
}
