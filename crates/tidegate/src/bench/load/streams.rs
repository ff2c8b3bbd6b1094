//! Streams that nobody reads or writes: what they cost while they only exist.

use std::time::Instant;

use super::{Report, cpu_since, fresh, usage};
use crate::bench::args::BenchArgs;
use crate::bench::client::Connection;
use crate::bench::meter::Marker;
use crate::bench::pool;
use crate::bench::procfs::grown_kib;
use crate::bench::report::{each_kib, mebibytes};
use crate::bench::target::Target;

/// Makes streams with one record each, and reports the memory that they leave behind.
pub(super) async fn run(target: &Target, args: &BenchArgs) -> anyhow::Result<Report> {
    let base = fresh("existing");
    // A few first, so that what the server allocates once is not counted per stream.
    make(target, args, &format!("{base}-warm"), args.writers * 16).await?;
    let before = usage(target);
    let started = Instant::now();
    make(target, args, &base, args.streams).await?;
    let took = started.elapsed();
    let cpu = cpu_since(target, before);
    let now = usage(target);
    let each = grown_kib(before, now).map(|kib| each_kib(kib, args.streams));
    let setup = format!("{} streams with one record each, then idle", args.streams);
    let report = Report::new("streams", setup, "streams made").rate(u64::from(args.streams), took).cpu(cpu);
    Ok(report.memory(each, now.map(|n| mebibytes(n.resident_kib))).each("stream"))
}

async fn make(target: &Target, args: &BenchArgs, base: &str, count: u32) -> anyhow::Result<()> {
    let size = usize::try_from(args.size)?;
    let makers = (0..args.writers).map(|maker| {
        let (target, base, step) = (target.clone(), base.to_owned(), usize::try_from(args.writers));
        async move {
            let mut connection = Connection::open(&target).await?;
            let record = Marker::new(0, 0).record(size);
            for n in (maker..count).step_by(step?) {
                connection.append(&target.create_request(&format!("{base}-{n}"), &record)).await?;
            }
            Ok(())
        }
    });
    pool::all(makers).await?;
    Ok(())
}
