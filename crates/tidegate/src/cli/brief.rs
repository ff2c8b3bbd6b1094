//! `tidegate brief`: a cited summary (or an article) of documents, written by the server.
//!
//! Owns: what is asked for and the printing of the result. Must not: follow a job in a way of its own;
//! `tail` does that, across lost connections and restarts.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::Context;
use super::ask::{find, printable};
use super::client::Call;
use super::exit::{CliError, Exit};
use super::tail::follow::Target;
use super::tail::watch;

/// Has a cited summary of documents written and prints it as Markdown.
///
/// Ctrl-C leaves; the job goes on, and `tidegate tail ID` follows it again. Each sentence is a quote
/// that was checked against its document.
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  tidegate brief guide.pdf --about \"How is a server run?\"\n  tidegate brief a.md b.md --blog > article.md"
)]
pub(crate) struct BriefArgs {
    /// Ids of documents, or the names that they were uploaded under (the newest of each).
    #[arg(required = true, value_name = "DOCUMENT")]
    documents: Vec<String>,
    /// What it should be about.
    #[arg(long, default_value = "What the documents are about", value_name = "TEXT")]
    about: String,
    /// An article with headings instead of points.
    #[arg(long)]
    blog: bool,
}

const LOOKS: usize = 100;
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(super) async fn run(args: BriefArgs, context: &Context) -> Result<Exit, CliError> {
    let client = context.client()?;
    client.require_key()?;
    let mut ids = Vec::with_capacity(args.documents.len());
    for document in &args.documents {
        ids.push(find(&client, document).await?);
    }
    let framework = if args.blog { "blog" } else { "brief" };
    let body = json!({ "framework": framework, "prompt": args.about, "document_ids": ids });
    let created = client.call(Call::post("/api/v1/generations").json(body)).await?.body;
    let id = created.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    context.output.note(format!("tidegate: generation {id}  (watch: tidegate tail {id})"));
    let exit = watch(&client, context.output, Target::Generation(id.clone()), None).await?;
    if matches!(exit, Exit::Ok) && !context.output.json {
        let path = format!("/api/v1/generations/{id}");
        let mut record = client.call(Call::read(&path)).await?.body;
        // The stream is written first; its record follows within moments.
        for _ in 0..LOOKS {
            if record.get("finished_at").is_some_and(Value::is_string) {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
            record = client.call(Call::read(&path)).await?.body;
        }
        let text = record.pointer("/result/markdown").and_then(Value::as_str).unwrap_or_default();
        context.output.text(&printable(text));
    }
    Ok(exit)
}
