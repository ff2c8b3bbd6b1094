//! Following a document's processing to its end.

use serde_json::Value;

use super::status;
use crate::cli::client::{Call, Client};
use crate::cli::exit::CliError;
use crate::cli::output::Output;
use crate::cli::tail::follow::{Follower, Heard, Target};
use crate::cli::tail::render::Screen;

/// Shows what happens and answers the record at the end.
pub(super) async fn until_ready(client: &Client, document: Value, output: Output) -> Result<Value, CliError> {
    if status(&document) != "processing" {
        return Ok(document);
    }
    let id = document.get("id").and_then(Value::as_str).unwrap_or_default();
    let mut follower = Follower::new(client.clone(), Target::Document(id.to_owned()), None);
    // Standard output is for results; what happens on the way is for people.
    let mut screen = (output.is_terminal() && !output.quiet).then(|| Screen::new(output));
    loop {
        let heard = follower.next().await?;
        match &heard {
            Heard::Ended { .. } => break,
            heard => screen.iter_mut().for_each(|screen| screen.show(heard)),
        }
    }
    screen.iter_mut().for_each(Screen::finish);
    Ok(client.call(Call::read(&format!("/api/v1/documents/{id}"))).await?.body)
}
