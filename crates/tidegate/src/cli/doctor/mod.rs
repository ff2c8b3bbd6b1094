//! `tidegate doctor`: walk the real path and say what is broken, and what mends it.

mod live;
mod local;
mod server;

use clap::Args;
use serde::Serialize;

use super::Context;
use super::client::Client;
use super::exit::{CliError, Exit};

/// Checks a server along the path that clients take: credential, ticket, stream, replay, CORS, clock, proxies.
///
/// Needs a key with `streams:read:doctor/**` and `streams:write:doctor/**` for the live checks. With --data
/// (or beside `.tidegate`) the disk and the configuration are looked at too.
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  tidegate doctor\n  tidegate doctor --url https://live.example.org --origin https://app.example.org"
)]
pub(crate) struct DoctorArgs {
    /// An origin that should be allowed by CORS; may be repeated.
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// Sign in with this email instead of a key; the password is read from standard input.
    #[arg(long)]
    email: Option<String>,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Good,
    Bad,
    Skipped,
}

/// One line of the report.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cure: Option<String>,
}

impl Finding {
    fn good(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Good, detail: detail.into(), cure: None }
    }

    fn bad(check: &'static str, detail: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Bad, detail: detail.into(), cure: Some(cure.into()) }
    }

    fn skipped(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Skipped, detail: detail.into(), cure: None }
    }
}

/// Prints findings as they come and remembers whether one was bad.
struct Report<'a> {
    context: &'a Context,
    bad: usize,
}

impl Report<'_> {
    fn add(&mut self, finding: &Finding) {
        if finding.verdict == Verdict::Bad {
            self.bad += 1;
        }
        self.context.output.result(finding, || {
            let mark = match finding.verdict {
                Verdict::Good => console::style("✓").green(),
                Verdict::Bad => console::style("✗").red(),
                Verdict::Skipped => console::style("–").dim(),
            };
            let cure = finding.cure.as_ref().map_or_else(String::new, |cure| format!("\n    → {cure}"));
            format!("{mark} {}: {}{cure}", finding.check, finding.detail)
        });
    }
}

pub(super) async fn run(args: DoctorArgs, context: &Context) -> Result<Exit, CliError> {
    let mut client = context.client()?;
    let mut report = Report { context, bad: 0 };
    local::check(context, &mut report);
    if let Some(email) = &args.email {
        client = server::sign_in(&client, email, &mut report).await?;
    }
    if server::check(&client, &args.origins, &mut report).await {
        check_live(&client, &mut report).await;
    }
    if report.bad == 0 {
        context.output.note("all good");
        return Ok(Exit::Ok);
    }
    context.output.note(format!("{} of these need attention", report.bad));
    Ok(Exit::Failed)
}

async fn check_live(client: &Client, report: &mut Report<'_>) {
    if client.has_key() {
        live::check(client, report).await;
    } else {
        report.add(&Finding::skipped("live stream", "no credential: set TIDEGATE_KEY or --key"));
    }
}
