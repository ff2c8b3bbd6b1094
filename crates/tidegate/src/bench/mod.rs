//! `tidegate bench`: loads of known shape against a server, with every delivery checked.
//!
//! Owns: the load's client (raw HTTP/1.1 on sockets, so that the client costs little), the
//! shapes, and the report. Speaks only the public protocol, so that the same loads run against
//! any server of it. Must not: reach into the server it measures, but for its CPU and memory
//! as the system counts them.

mod args;
mod client;
mod load;
mod meter;
mod pool;
mod procfs;
mod report;
mod spawn;
mod sse;

pub use args::{BenchArgs, Shape};

use anyhow::Context as _;

use report::Report;

/// Runs the loads that were asked for and prints their reports.
///
/// # Errors
/// The server cannot be reached or started, a load could not be set up, or (as an error at the
/// end) a reader lost or repeated a record.
pub fn run(args: &BenchArgs) -> anyhow::Result<()> {
    // One thread: the load must not compete with the server for more than one core.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run_all(args))
}

async fn run_all(args: &BenchArgs) -> anyhow::Result<()> {
    let started = match &args.target {
        Some(_) => None,
        None => Some(spawn::start(args).await.context("could not start a server to measure")?),
    };
    let target = match &started {
        Some(server) => server.target(),
        None => client::Target::from_args(args)?,
    };
    let mut reports = Vec::new();
    if let Some(server) = &started {
        reports.push(server.startup_report());
    }
    for shape in args.shapes() {
        let report = load::run(shape, &target, args).await.with_context(|| format!("load `{shape}`"))?;
        report.print(args.json)?;
        reports.push(report);
    }
    if let Some(server) = started {
        server.stop().await;
    }
    let broken: Vec<&str> = reports.iter().filter(|r| !r.is_clean()).map(Report::name).collect();
    anyhow::ensure!(broken.is_empty(), "lost or repeated records in: {}", broken.join(", "));
    Ok(())
}
