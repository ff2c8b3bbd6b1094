//! Follows a stream from its beginning to its end.

use reqwest::{Client, StatusCode};
use serde_json::Value;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (stream, key) = (std::env::var("STREAM")?, std::env::var("KEY")?);
    let client = Client::new();
    let mut offset = "-1".to_owned(); // keep it, and a restart goes on where this run stopped
    loop {
        let url = format!("{stream}?live=long-poll&offset={offset}");
        let answer = client.get(url).bearer_auth(&key).send().await?.error_for_status()?;
        let header =
            |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (next, ended) = (header("Stream-Next-Offset"), header("Stream-Closed").is_some());
        if answer.status() != StatusCode::NO_CONTENT {
            for item in answer.json::<Vec<Value>>().await? {
                println!("{}", item["n"]);
            }
        }
        match next {
            Some(next) if !ended => offset = next,
            _ => return Ok(()),
        }
    }
}
