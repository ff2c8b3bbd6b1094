//! A JSON client with one credential, for tests that care about answers and not about bytes.

use anyhow::Context as _;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::sse::SseReader;

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct TestAnswer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
}

impl TestAnswer {
    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A member of the JSON body as text; empty if there is none.
    #[must_use]
    pub fn member(&self, name: &str) -> String {
        self.json().get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The problem's code; empty if it is no problem.
    #[must_use]
    pub fn code(&self) -> String {
        self.member("code")
    }

    /// A header as text; empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A client with a credential, or none.
#[derive(Clone, Debug)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    bearer: Option<String>,
    headers: Vec<(String, String)>,
}

impl Api {
    /// A client for the server at this URL.
    ///
    /// # Errors
    /// The HTTP client can't be set up.
    pub fn new(base: impl Into<String>, bearer: Option<String>) -> anyhow::Result<Self> {
        let http =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { http, base: base.into(), bearer, headers: Vec::new() })
    }

    /// The same client with another credential.
    #[must_use]
    pub fn with_bearer(&self, bearer: impl Into<String>) -> Self {
        Self { bearer: Some(bearer.into()), ..self.clone() }
    }

    /// The same client with one more header on every request.
    #[must_use]
    pub fn with_header(&self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let mut with = self.clone();
        with.headers.push((name.into(), value.into()));
        with
    }

    /// A request to be finished by the test.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<TestAnswer> {
        let response = request.send().await.context("no answer")?;
        Ok(TestAnswer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.context("the body broke off")?,
        })
    }

    /// `GET`
    ///
    /// # Errors
    /// There was no answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<TestAnswer> {
        self.send(self.request(Method::GET, path)).await
    }

    /// `POST` with a JSON body.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<TestAnswer> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// `POST` without a body.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn post_empty(&self, path: &str) -> anyhow::Result<TestAnswer> {
        self.send(self.request(Method::POST, path)).await
    }

    /// `PUT` with a JSON body.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<TestAnswer> {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// `DELETE`
    ///
    /// # Errors
    /// There was no answer.
    pub async fn delete(&self, path: &str) -> anyhow::Result<TestAnswer> {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Opens a stream; the status is the reader's.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn sse(&self, path: &str) -> anyhow::Result<SseReader> {
        self.sse_after(path, None).await
    }

    /// Opens a stream as a reconnecting browser does.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn sse_after(&self, path: &str, last_event_id: Option<&str>) -> anyhow::Result<SseReader> {
        let mut request = self.request(Method::GET, path).header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        Ok(SseReader::new(request.send().await.context("no answer")?))
    }
}
