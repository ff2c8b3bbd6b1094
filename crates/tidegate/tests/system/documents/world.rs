//! A server, a user, uploads, and what the server's process costs.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};

use crate::support::{Installation, Server};

/// A user of a server.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) installation: Installation,
    client: Client,
    token: String,
}

/// How an upload ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: u16,
    /// The code of the refusal, or of the record's error.
    pub(super) code: String,
    /// The record, if one was made.
    pub(super) record: Value,
    pub(super) answered_after: Duration,
}

impl World {
    pub(super) async fn new(more: &str) -> Self {
        let installation = Installation::new(more);
        let server = installation.serve();
        Self::over(installation, server).await
    }

    /// The same on a disk of so many MiB.
    pub(super) async fn on_small_disk(mebibytes: u32) -> Self {
        let installation = Installation::new("");
        let server = installation.serve_on_small_disk(mebibytes);
        Self::over(installation, server).await
    }

    async fn over(installation: Installation, server: Server) -> Self {
        let client = Client::new();
        let account = json!({"email": "u@example.org", "password": "stale-mackerel-umbrella-9"});
        let register = client.post(server.url("/api/v1/auth/register")).json(&account);
        let session: Value = register.send().await.unwrap().json().await.unwrap();
        let token = session["access_token"].as_str().expect("signed in").to_owned();
        Self { server, installation, client, token }
    }

    /// Uploads a file and waits for whatever becomes of it.
    pub(super) async fn upload(&self, filename: &str, bytes: Vec<u8>) -> Ended {
        let name: String =
            filename.replace('"', "%22").chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        let head =
            format!("--tg\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        let body = [head.as_bytes(), &bytes, b"\r\n--tg--\r\n"].concat();
        let started = Instant::now();
        let request = self
            .client
            .post(self.server.url("/api/v1/documents/upload"))
            .bearer_auth(&self.token)
            .header("content-type", "multipart/form-data; boundary=tg")
            .timeout(Duration::from_secs(60))
            .body(body);
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let value: Value = answer.json().await.expect("JSON");
        let answered_after = started.elapsed();
        let mut record = Value::Null;
        if status == 202 {
            record = self.ended(value["id"].as_str().unwrap()).await;
        }
        let code = if status == 202 { &record["error"]["code"] } else { &value["code"] };
        Ended { status, code: code.as_str().unwrap_or_default().to_owned(), record, answered_after }
    }

    async fn ended(&self, id: &str) -> Value {
        let until = Instant::now() + Duration::from_secs(900);
        loop {
            let record = self.get(&format!("/api/v1/documents/{id}")).await;
            if record["status"] != "processing" {
                return record;
            }
            assert!(Instant::now() < until, "{id} never ended: {record}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let request = self.client.get(self.server.url(path)).bearer_auth(&self.token);
        request.send().await.unwrap().json().await.unwrap()
    }

    pub(super) async fn delete(&self, id: &str) {
        let path = format!("/api/v1/documents/{id}");
        let request = self.client.delete(self.server.url(&path)).bearer_auth(&self.token);
        assert_eq!(request.send().await.unwrap().status(), 204);
    }

    /// A line of the server process' status, in KiB: `VmRSS` now, `VmHWM` at its highest.
    pub(super) fn memory_kib(&self, line: &str) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.server.pid())).expect("it lives");
        let line =
            status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':')).expect("a line");
        line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
    }

    /// Every file below the data folder, relative to it.
    pub(super) fn files(&self) -> Vec<String> {
        let (root, mut open, mut found) =
            (self.installation.path(), vec![self.installation.path().to_owned()], Vec::new());
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    open.push(entry.path());
                } else {
                    found.push(entry.path().strip_prefix(root).unwrap().display().to_string());
                }
            }
        }
        found
    }
}
