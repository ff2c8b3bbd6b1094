//! A person with an account, and what they do: jobs, tickets, signing out.

use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::support::Server;

/// Limits that only stand in the way of these tests.
pub(crate) const LIMITS: &str = "[limits]\nauth_per_minute_per_address = 1000000\nlogins_per_minute_per_account = 100000\n\
    tickets_per_minute_per_user = 1000000\nanonymous_per_minute_per_address = 1000000\nstreams_per_user = 100000\n\
    streams_per_address = 100000\nconnections_per_address = 100000\n";

/// A signed-in user of a server.
pub(crate) struct Person {
    pub(crate) client: Client,
    pub(crate) base: String,
    pub(crate) token: String,
    pub(crate) refresh_token: String,
}

impl Person {
    pub(crate) async fn register(server: &Server, email: &str) -> Self {
        let mut person = Self {
            client: Client::new(),
            base: server.url(""),
            token: String::new(),
            refresh_token: String::new(),
        };
        let body = json!({"email": email, "password": "correct horse battery staple 7"});
        let answer = person.post("/api/v1/auth/register", &body).await;
        assert_eq!(answer.status(), 201);
        let answer: Value = answer.json().await.unwrap();
        person.token = answer["access_token"].as_str().unwrap().to_owned();
        person.refresh_token = answer["refresh_token"].as_str().unwrap().to_owned();
        person
    }

    /// The same person at a server that was started anew.
    pub(crate) fn at(self, server: &Server) -> Self {
        Self { base: server.url(""), client: Client::new(), ..self }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.client.post(format!("{}{path}", self.base)).json(body);
        let request = if self.token.is_empty() { request } else { request.bearer_auth(&self.token) };
        request.send().await.expect("the server answers")
    }

    pub(crate) async fn read(&self, path: &str) -> Value {
        let answer =
            self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.token).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    pub(crate) async fn generation(&self) -> String {
        let answer = self.post("/api/v1/generations", &json!({"prompt": "x", "framework": "external"})).await;
        assert_eq!(answer.status(), 201);
        answer.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// The whole URL that opens a generation's stream once.
    pub(crate) async fn ticket_url(&self, generation: &str) -> String {
        let answer = self.post(&format!("/api/v1/generations/{generation}/stream-token"), &json!({})).await;
        assert_eq!(answer.status(), 200);
        let answer: Value = answer.json().await.unwrap();
        let text = |member: &str| answer[member].as_str().expect("a text").to_owned();
        format!("{}{}?ticket={}", self.base, text("stream_url"), text("sse_token"))
    }
}
