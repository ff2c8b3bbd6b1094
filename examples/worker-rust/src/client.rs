//! One way to call the server: until it answers.
//!
//! Owns: what counts as no answer (a broken connection, 429, 5xx) and how long to wait then.
//! Must not: repeat what was refused.

use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::Value;

const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Longer than a claim waits.
const TIMEOUT: Duration = Duration::from_secs(45);

/// The server with a key.
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
}

/// What the server says.
pub(crate) enum Answer {
    /// The body; null when there is none.
    Ok(Value),
    /// It won't, and asking again would not help.
    Refused { status: u16, code: String },
}

impl Client {
    pub(crate) fn new(url: String, key: String) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { http, url, key })
    }

    /// Posts, again and again while the server is away: a restart costs the job nothing.
    pub(crate) async fn post_until_answered(&self, path: &str, body: &Value, lease: Option<&str>) -> Answer {
        let mut pause = PAUSE_FIRST;
        loop {
            let mut request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.key).json(body);
            if let Some(lease) = lease {
                request = request.header("Tidegate-Lease", lease);
            }
            let wait = match request.send().await {
                Ok(response) if is_away(response.status()) => retry_after(&response).unwrap_or(pause),
                Ok(response) => match read(response).await {
                    Ok(answer) => return answer,
                    Err(_) => pause,
                },
                Err(_) => pause,
            };
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

fn is_away(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get("retry-after")?.to_str().ok()?;
    text.parse().ok().map(Duration::from_secs)
}

async fn read(response: Response) -> Result<Answer, reqwest::Error> {
    let status = response.status();
    let text = response.text().await?;
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    if status.is_success() {
        return Ok(Answer::Ok(body));
    }
    let code = body.get("code").and_then(Value::as_str).unwrap_or("unknown").to_owned();
    Ok(Answer::Refused { status: status.as_u16(), code })
}
