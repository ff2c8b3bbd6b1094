//! The command line as a client of the server: JSON requests, problem answers as exit codes.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::exit::{CliError, Exit};
use crate::config::Hidden;

/// A server and a credential.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<Hidden>,
}

/// A refused or failed call.
#[derive(Clone, Debug)]
pub(crate) struct CallError {
    /// The HTTP status; `None` when there was no answer.
    pub status: Option<u16>,
    /// The problem's code, or `unreachable`.
    pub code: String,
    /// What it said.
    pub detail: String,
    /// What it advised.
    pub hint: Option<String>,
    /// How long it asked to wait.
    pub retry_after: Option<Duration>,
}

impl CallError {
    /// Whether the same call may work later: no answer, busy, draining.
    #[must_use]
    pub(crate) fn is_transient(&self) -> bool {
        self.status.is_none_or(|status| matches!(status, 408 | 429 | 500 | 502 | 503 | 504 | 507))
    }

    pub(crate) fn unreachable(error: &reqwest::Error) -> Self {
        // The innermost cause is the telling one: "Connection refused".
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        Self {
            status: None,
            code: "unreachable".to_owned(),
            detail: cause.to_string(),
            hint: None,
            retry_after: None,
        }
    }
}

impl From<CallError> for CliError {
    fn from(error: CallError) -> Self {
        let exit = match error.status {
            None => Exit::Unreachable,
            Some(401 | 403) => Exit::Auth,
            Some(404) => Exit::NotFound,
            Some(_) => Exit::Failed,
        };
        let message = match error.status {
            None => format!("the server can't be reached: {}", error.detail),
            Some(status) => format!("{} ({status} {})", error.detail, error.code),
        };
        let hint = error.hint.or_else(|| {
            (exit == Exit::Unreachable)
                .then(|| "is it running? `tidegate dev` starts one; --url names another".to_owned())
        });
        Self { exit, message, hint }
    }
}

/// An answer that was no error.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its `ETag`.
    pub etag: Option<String>,
    /// Its JSON body; null when it had none.
    pub body: Value,
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    method: Method,
    path: &'a str,
    body: Option<Value>,
    headers: Vec<(&'static str, String)>,
    timeout: Duration,
}

impl<'a> Call<'a> {
    /// A `GET`.
    #[must_use]
    pub(crate) fn read(path: &'a str) -> Self {
        Self::with(Method::GET, path)
    }

    /// A `POST` without a body.
    #[must_use]
    pub(crate) fn post(path: &'a str) -> Self {
        Self::with(Method::POST, path)
    }

    /// Any other method.
    #[must_use]
    pub(crate) fn with(method: Method, path: &'a str) -> Self {
        Self { method, path, body: None, headers: Vec::new(), timeout: Duration::from_secs(20) }
    }

    /// The JSON body.
    #[must_use]
    pub(crate) fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// A header.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// How long the answer may take.
    #[must_use]
    pub(crate) const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl Client {
    /// A client for the server at `base` (scheme, host, port).
    ///
    /// # Errors
    /// The URL is none, or TLS can't be set up.
    pub(crate) fn new(base: &str, key: Option<Hidden>) -> Result<Self, CliError> {
        let base = base.trim_end_matches('/').to_owned();
        let host = base.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
        let Some(host) = host.filter(|_| base.starts_with("http://") || base.starts_with("https://")) else {
            return Err(CliError::new(Exit::Usage, format!("`{base}` is not a URL"))
                .hint("write it like http://127.0.0.1:8000"));
        };
        let mut builder = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .user_agent(concat!("tidegate-cli/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none());
        if matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]" | "::1") {
            // A proxy of the environment can't reach our loopback.
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| CliError::io("cannot set up the HTTP client", error))?;
        Ok(Self { http, base, key })
    }

    /// The server's URL.
    #[must_use]
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether there is a credential.
    #[must_use]
    pub(crate) const fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Refuses to go on without a credential.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn require_key(&self) -> Result<(), CliError> {
        if self.has_key() {
            return Ok(());
        }
        Err(CliError::new(Exit::Auth, "no credential for this server").hint(
            "set TIDEGATE_KEY to an API key (`tidegate key create`), or run this beside the .tidegate folder of `tidegate dev`",
        ))
    }

    /// A request with the credential, for callers that read the answer themselves.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.key {
            Some(key) => request.bearer_auth(key.reveal()),
            None => request,
        }
    }

    /// A request without the credential.
    pub(crate) fn anonymous(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// Makes a call and reads its JSON answer.
    ///
    /// # Errors
    /// No answer, or a problem.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Answer, CallError> {
        let mut request = self.request(call.method, call.path).timeout(call.timeout);
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = call.body {
            request = request.json(&body);
        }
        let response = request.send().await.map_err(|error| CallError::unreachable(&error))?;
        answer(response).await
    }
}

/// Turns a response into an answer or a problem.
///
/// # Errors
/// The body stopped half-way, or the status is an error.
pub(crate) async fn answer(response: reqwest::Response) -> Result<Answer, CallError> {
    let status = response.status();
    let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
    let etag = header("etag");
    let retry_after = header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let bytes = response.bytes().await.map_err(|error| CallError::unreachable(&error))?;
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return Ok(Answer { status: status.as_u16(), etag, body });
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    Err(CallError {
        status: Some(status.as_u16()),
        code: text("code").unwrap_or_else(|| "unexpected-answer".to_owned()),
        detail: text("detail").or_else(|| text("title")).unwrap_or_else(|| format!("answered {status}")),
        hint: text("hint"),
        retry_after,
    })
}
