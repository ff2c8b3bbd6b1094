//! `tidegate ask`: a question over a document, its answer as it is written.
//!
//! Owns: what is printed, and that Ctrl-C stops the answer on the server too. Must not: follow a
//! stream in a way of its own; `tail` does that, across lost connections and restarts.

use clap::Args;
use serde_json::{Value, json};

use super::Context;
use super::client::{Call, Client};
use super::exit::{CliError, Exit};
use super::output::Output;
use super::tail::as_json;
use super::tail::follow::{Follower, Heard, Opening, Target};

/// Asks a question over a document and prints the answer while it is written, then what it rests on.
///
/// Ctrl-C stops the answer; what was written is kept. The exit code is 0 for a whole answer and 1
/// for one that failed.
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  tidegate ask guide.pdf \"How long does a ticket live?\"\n  tidegate ask 0199a7c2-… \"And a lease?\" --conversation 0199a7c3-…\n  tidegate ask guide.pdf \"What is a lease?\" --json | jq -r .data.text"
)]
pub(crate) struct AskArgs {
    /// The document's id, or the name that it was uploaded under (the newest of that name).
    #[arg(value_name = "DOCUMENT")]
    document: String,
    /// What to ask.
    #[arg(value_name = "QUESTION")]
    question: String,
    /// Go on in this conversation.
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,
    /// Who is to answer: `extractive` or `openai`.
    #[arg(long, value_name = "NAME")]
    answerer: Option<String>,
}

pub(super) async fn run(args: AskArgs, context: &Context) -> Result<Exit, CliError> {
    let client = context.client()?;
    client.require_key()?;
    let conversation = match args.conversation {
        Some(id) => id,
        None => begin(&client, &args.document, &args.question).await?,
    };
    let turn = ask(&client, &conversation, &args.question, args.answerer.as_deref()).await?;
    follow(&client, context.output, &turn).await
}

/// A turn that was taken.
struct Turn {
    conversation: String,
    number: String,
}

/// Makes a conversation over the document.
async fn begin(client: &Client, document: &str, question: &str) -> Result<String, CliError> {
    let document = find(client, document).await?;
    let title: String = question.chars().take(80).collect();
    let body = json!({ "title": title, "document_ids": [document] });
    let made = client.call(Call::post("/api/v1/conversations").json(body)).await?;
    Ok(text(&made.body, "id"))
}

/// The document's id; a name is looked for in the list.
pub(super) async fn find(client: &Client, document: &str) -> Result<String, CliError> {
    let is_id = document.len() == 36 && document.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if is_id {
        return Ok(document.to_owned());
    }
    let mut cursor: Option<String> = None;
    loop {
        let path = match &cursor {
            Some(cursor) => format!("/api/v1/documents?limit=200&cursor={cursor}"),
            None => "/api/v1/documents?limit=200".to_owned(),
        };
        let page = client.call(Call::read(&path)).await?.body;
        let items = page.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if let Some(found) = items.iter().find(|item| text(item, "filename") == document) {
            return Ok(text(found, "id"));
        }
        cursor = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            return Err(CliError::new(Exit::NotFound, format!("there is no document `{document}`"))
                .hint("`tidegate upload FILE` uploads one"));
        }
    }
}

async fn ask(
    client: &Client,
    conversation: &str,
    question: &str,
    answerer: Option<&str>,
) -> Result<Turn, CliError> {
    let path = format!("/api/v1/conversations/{conversation}/turns");
    let body = json!({ "message": question, "answerer": answerer });
    let call = Call::post(&path).json(body).header("prefer", "respond-async");
    let taken = client.call(call).await?.body;
    Ok(Turn { conversation: text(&taken, "conversation_id"), number: text(&taken, "id") })
}

/// Prints the answer until it ends. The first Ctrl-C stops it on the server, the second one leaves.
async fn follow(client: &Client, output: Output, turn: &Turn) -> Result<Exit, CliError> {
    let (conversation, number) = (&turn.conversation, &turn.number);
    let target = Target::Stream(format!("conversations/{conversation}/turns/{number}"));
    let mut follower = Follower::new(client.clone(), target, None);
    let mut page = Page::new(output);
    let mut stopped = false;
    loop {
        let heard = tokio::select! {
            heard = follower.next() => heard?,
            _ = tokio::signal::ctrl_c() => {
                if stopped {
                    return Ok(Exit::Command(130));
                }
                stopped = true;
                let path = format!("/api/v1/conversations/{conversation}/turns/{number}/stop");
                client.call(Call::post(&path)).await?;
                continue;
            }
        };
        page.show(&heard);
        if let Heard::Ended { reason } = &heard {
            page.finish(conversation);
            return match (stopped, page.failure, reason.as_str()) {
                (true, ..) => Ok(Exit::Command(130)),
                (false, Some(failure), _) => Err(CliError::new(Exit::Failed, failure)),
                (false, None, "eof") => Ok(Exit::Ok),
                (false, None, "revoked") => Ok(Exit::Auth),
                (false, None, "deleted") => Ok(Exit::NotFound),
                (false, None, _) => Ok(Exit::Failed),
            };
        }
    }
}

/// What is shown of an answer.
struct Page {
    output: Output,
    sources: Vec<String>,
    written: bool,
    failure: Option<String>,
}

impl Page {
    const fn new(output: Output) -> Self {
        Self { output, sources: Vec::new(), written: false, failure: None }
    }

    fn show(&mut self, heard: &Heard) {
        match heard {
            Heard::Record { offset, event, data } => self.record(offset, event.as_deref(), data),
            Heard::Lost { why, .. } => self.output.note(format!("· {why}; reconnecting")),
            Heard::Opened(Opening::Resumed | Opening::Anew) => {
                self.output.note("· reconnected, nothing was missed");
            }
            Heard::Opened(Opening::First) | Heard::Gap(_) | Heard::Ended { .. } => {}
        }
    }

    fn record(&mut self, offset: &str, event: Option<&str>, data: &str) {
        let value: Value = serde_json::from_str(data).unwrap_or_default();
        if event == Some("turn.error") {
            self.failure = Some(text(&value, "detail"));
        }
        if self.output.json {
            self.output.line(as_json(offset, event, data));
            return;
        }
        match event {
            Some("delta") => {
                self.output.text(&printable(&text(&value, "text")));
                self.written = true;
            }
            Some("citation") => self.sources.push(source(&value)),
            _ => {}
        }
    }

    fn finish(&self, conversation: &str) {
        if self.output.json {
            return;
        }
        if self.written {
            self.output.line("");
        }
        for source in &self.sources {
            self.output.note(source);
        }
        self.output.note(format!("· go on with --conversation {conversation}"));
    }
}

/// Where a quotation stands.
fn source(citation: &Value) -> String {
    let number = citation.get("number").and_then(Value::as_u64).unwrap_or_default();
    let bytes = |name: &str| citation.get(name).and_then(Value::as_u64).unwrap_or_default();
    let page = citation.get("page").and_then(Value::as_u64).map(|page| format!(", page {page}"));
    let (start, end) = (bytes("start"), bytes("end"));
    let document = text(citation, "document_id");
    format!("[{number}] {document}{}, bytes {start}–{end}", page.unwrap_or_default())
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Text from a model or a document must not steer the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_can_not_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n\tc\u{9b}d\r"), "a[2Jb\n\tcd");
    }

    #[test]
    fn a_citation_names_document_page_and_range() {
        let citation = json!({ "document_id": "d", "page": 3, "start": 5, "end": 9, "number": 2 });
        assert_eq!(source(&citation), "[2] d, page 3, bytes 5–9");
    }
}
