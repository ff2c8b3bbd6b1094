//! The loads, one file a shape.

mod fanout;
mod flow;
mod idle;
mod many;
mod publish;
mod replay;
mod storm;
mod streams;
mod tally;

use std::time::Duration;

use hdrhistogram::Histogram;

use super::args::{BenchArgs, Shape};
use super::procfs::{self, Usage};
use super::report::Report;
use super::target::Target;

/// Runs one load.
pub(super) async fn run(shape: Shape, target: &Target, args: &BenchArgs) -> anyhow::Result<Report> {
    match shape {
        Shape::Publish => publish::run(target, args, publish::Spread::OneEach).await,
        Shape::PublishOne | Shape::All => publish::run(target, args, publish::Spread::Shared).await,
        Shape::Fanout | Shape::Pace | Shape::Backlog => fanout::run(shape, target, args).await,
        Shape::Slow => fanout::slow(target, args).await,
        Shape::Many => many::run(target, args).await,
        Shape::Replay => replay::run(target, args).await,
        Shape::Churn => idle::churn(target, args).await,
        Shape::Idle => idle::idle(target, args).await,
        Shape::Storm => storm::run(target, args).await,
        Shape::Streams => streams::run(target, args).await,
    }
}

/// Latencies in nanoseconds, up to two minutes, three digits.
fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 120_000_000_000, 3)?)
}

/// The server's usage now.
fn usage(target: &Target) -> Option<Usage> {
    procfs::usage_of(&target.pids)
}

/// CPU time that the server spent since.
fn cpu_since(target: &Target, before: Option<Usage>) -> Option<Duration> {
    Some(usage(target)?.cpu.saturating_sub(before?.cpu))
}

/// A stream name that no earlier run on the same server has used.
fn fresh(name: &str) -> String {
    let nanos: [u8; 8] = (&tidegate_types::OsEntropy as &dyn tidegate_types::Entropy).array();
    format!("{name}-{:016x}", u64::from_le_bytes(nanos))
}
