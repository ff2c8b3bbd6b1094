//! `tidegate bench`: loads of known shape against a server, with every delivery checked.
//!
//! Owns: the load's client (raw HTTP/1.1 on sockets, so that the client costs little), the
//! shapes, the report, and the bare loop that shows what the kernel alone asks. Speaks only
//! public protocols, so that the same loads run against any server of them. Must not: reach into
//! the server it measures, but for its CPU and memory as the system counts them.

mod args;
mod chunks;
mod client;
mod limit;
mod load;
mod meter;
mod pool;
mod procfs;
mod report;
mod spawn;
mod sse;
mod target;

pub use args::{Auth, BenchArgs, Dialect, Shape};

use anyhow::Context as _;

use report::Report;

/// Runs the loads that were asked for and prints their reports.
///
/// # Errors
/// The server cannot be reached or started, a load could not be set up, somebody interrupted, or
/// (as an error at the end) a reader lost or repeated a record.
pub fn run(args: &BenchArgs) -> anyhow::Result<()> {
    if let Some(address) = args.serve_limit {
        return limit::serve(address);
    }
    // One thread: the load must not compete with the server for more than one core.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Whichever ends first: the server that was started here and its folder go with it.
        tokio::select! {
            done = run_all(args) => done,
            () = interrupted() => anyhow::bail!("interrupted"),
        }
    })
}

async fn run_all(args: &BenchArgs) -> anyhow::Result<()> {
    let started = match &args.target {
        Some(_) => None,
        None => Some(spawn::start(args).await.context("could not start a server to measure")?),
    };
    let target = match &started {
        Some(server) => server.target(),
        None => target::Target::from_args(args)?,
    };
    let mut reports = Vec::new();
    if let Some(server) = &started {
        let report = server.startup_report();
        report.print(args.json)?;
        reports.push(report);
    }
    let busy = (!args.no_busy).then(|| tokio::spawn(stay_awake()));
    for shape in args.shapes() {
        let report = load::run(shape, &target, args).await.with_context(|| format!("load `{shape}`"))?;
        report.print(args.json)?;
        reports.push(report);
    }
    if let Some(busy) = busy {
        busy.abort();
    }
    if let Some(server) = started {
        server.stop().await;
    }
    let broken: Vec<&str> = reports.iter().filter(|r| !r.is_clean()).map(Report::name).collect();
    anyhow::ensure!(broken.is_empty(), "lost or repeated records in: {}", broken.join(", "));
    Ok(())
}

/// Keeps the load polling: receivers of a real server are remote, and waking a sleeping process
/// on the same machine would be counted as the server's work.
async fn stay_awake() {
    loop {
        tokio::task::yield_now().await;
    }
}

async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut end), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        {
            tokio::select! {
                _ = end.recv() => return,
                _ = interrupt.recv() => return,
            }
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_ok() {
        return;
    }
    std::future::pending().await
}
