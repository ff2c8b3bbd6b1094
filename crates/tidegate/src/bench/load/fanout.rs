//! One stream, many readers: closed loop by a window, or open loop by a rate.

use std::time::Duration;

use super::Report;
use super::flow::{self, Outcome, Pace, Plan};
use crate::bench::args::{BenchArgs, Shape};
use crate::bench::target::Target;

const READERS: u32 = 1_000;
const READERS_OF_SLOW: u32 = 200;
const WINDOW: u32 = 4;
const WINDOW_OF_BACKLOG: u32 = 32;
const RATE: u32 = 20;
const RATE_OF_SLOW: u32 = 300;

/// `fanout`, `pace` and `backlog`.
pub(super) async fn run(shape: Shape, target: &Target, args: &BenchArgs) -> anyhow::Result<Report> {
    let (pace, publishers) = match shape {
        Shape::Backlog => (Pace::Window(args.window.unwrap_or(WINDOW_OF_BACKLOG)), args.publishers),
        Shape::Pace => (Pace::Rate(args.rate.unwrap_or(RATE)), 1),
        _ => (args.rate.map_or(Pace::Window(args.window.unwrap_or(WINDOW)), Pace::Rate), 1),
    };
    let plan = Plan { publishers, pace, ..plan(args, READERS)? };
    let outcome = flow::run(target, plan).await?;
    Ok(report(shape, plan, &outcome))
}

/// `slow`: first with no reader stalled, then with a tenth of them.
pub(super) async fn slow(target: &Target, args: &BenchArgs) -> anyhow::Result<Report> {
    let even = Plan { pace: Pace::Rate(args.rate.unwrap_or(RATE_OF_SLOW)), ..plan(args, READERS_OF_SLOW)? };
    let uneven = Plan { stalled: (even.readers / 10).max(1), ..even };
    let without = flow::run(target, even).await?;
    let with = flow::run(target, uneven).await?;
    // What the same records cost anyway (they are stored, and cached) is not held for anybody.
    let held = with.grown_kib.zip(without.grown_kib).map(|(with, without)| with.saturating_sub(without));
    let (lost, repeated) = (with.lost + without.lost, with.repeated + without.repeated);
    let report = report(Shape::Slow, uneven, &with).checked(lost, repeated);
    Ok(report.stalled(&without.latency, held, uneven.stalled))
}

fn plan(args: &BenchArgs, readers: u32) -> anyhow::Result<Plan> {
    Ok(Plan {
        readers: args.subscribers.unwrap_or(readers),
        stalled: 0,
        publishers: 1,
        pace: Pace::Window(WINDOW),
        size: usize::try_from(args.size)?,
        length: Duration::from_secs(args.seconds),
    })
}

fn report(shape: Shape, plan: Plan, outcome: &Outcome) -> Report {
    let pace = match plan.pace {
        Pace::Window(window) => format!("window {window}"),
        Pace::Rate(rate) => format!("{rate}/s"),
    };
    let setup = format!(
        "{} readers ({} stalled), {} publishers, {} B, {pace}, {} records",
        plan.readers, plan.stalled, plan.publishers, plan.size, outcome.sent
    );
    let watched = u64::from(plan.readers.saturating_sub(plan.stalled));
    Report::new(&shape.to_string(), setup, "deliveries")
        .rate(outcome.sent * watched, outcome.took)
        .latency(&outcome.latency)
        .cpu(outcome.cpu)
        .checked(outcome.lost, outcome.repeated)
}
