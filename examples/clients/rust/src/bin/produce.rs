//! Creates a stream, appends to it as an idempotent producer, and ends it.

use reqwest::{Client, Method};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (stream, key) = (std::env::var("STREAM")?, std::env::var("KEY")?);
    let client = Client::new();
    let to_stream =
        |method| client.request(method, &stream).bearer_auth(&key).header("Content-Type", "application/json");
    to_stream(Method::PUT).send().await?.error_for_status()?;
    for n in 1..=3 {
        to_stream(Method::POST)
            .header("Producer-Id", "notes-1")
            .header("Producer-Epoch", 0)
            .header("Producer-Seq", n - 1) // sent again after a failure, it counts once
            .body(format!(r#"{{"n":{n}}}"#))
            .send()
            .await?
            .error_for_status()?;
    }
    to_stream(Method::POST).header("Stream-Closed", "true").send().await?.error_for_status()?;
    Ok(())
}
