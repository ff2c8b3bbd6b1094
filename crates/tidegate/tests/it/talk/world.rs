//! A server, a user with a document, and how a test asks.

use serde_json::{Value, json};
use tidegate::config::Config;
use tidegate_documents::{NewUpload, Status};
use tidegate_testkit::{SseFrame, SseReader, TestAnswer, TestServer, TestUser, eventually};

pub(super) const GUIDE: &str = "# Tickets\n\nA ticket is the only credential that a URL may carry. A ticket lives for \
    60 seconds and opens one stream once.\n\n# Leases\n\nA spent ticket leaves a lease behind. The lease lets the \
    browser's own reconnect in, and nobody else's.\n";

pub(super) struct World {
    pub(super) server: TestServer,
    pub(super) user: TestUser,
    pub(super) document: String,
    pub(super) conversation: String,
}

impl World {
    pub(super) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let server = TestServer::start_with(change).await.unwrap();
        let user = server.user().await.unwrap();
        let new = NewUpload { owner: user.id, filename: "guide.md".into(), media_type: None };
        let id = server.documents().upload(new, GUIDE.as_bytes()).await.unwrap().id;
        eventually("the document is ready", || async {
            let found = server.documents().lookup(&id).await.unwrap()?;
            (found.status == Status::Ready).then_some(())
        })
        .await;
        let document = id.to_string();
        let body = json!({ "title": "Guide", "document_ids": [document] });
        let made = user.api.post("/api/v1/conversations", &body).await.unwrap();
        assert_eq!(made.status, 201, "{}", made.text);
        let conversation = made.member("id");
        Self { server, user, document, conversation }
    }

    pub(super) fn path(&self, rest: &str) -> String {
        format!("/api/v1/conversations/{}{rest}", self.conversation)
    }

    /// Asks; the answer streams in the response.
    pub(super) async fn ask(&self, message: &str) -> SseReader {
        let request = self.user.api.request(reqwest::Method::POST, &self.path("/turns"));
        SseReader::new(request.json(&json!({ "message": message })).send().await.unwrap())
    }

    /// Asks; the answer is read elsewhere.
    pub(super) async fn ask_later(&self, message: &str) -> TestAnswer {
        let api = self.user.api.with_header("prefer", "respond-async");
        api.post(&self.path("/turns"), &json!({ "message": message })).await.unwrap()
    }

    pub(super) async fn turn(&self, number: u32) -> Value {
        self.user.api.get(&self.path(&format!("/turns/{number}"))).await.unwrap().json()
    }

    /// The turn once it has ended.
    pub(super) async fn ended(&self, number: u32) -> Value {
        eventually("the turn ends", || async {
            let turn = self.turn(number).await;
            matches!(turn["status"].as_str(), Some("completed" | "stopped" | "failed")).then_some(turn)
        })
        .await
    }
}

/// The text of all deltas.
pub(super) fn text(frames: &[SseFrame]) -> String {
    let deltas = frames.iter().filter(|frame| frame.event.as_deref() == Some("delta"));
    deltas.map(|frame| frame.json()["text"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The names of the records, pings and the like left out.
pub(super) fn names(frames: &[SseFrame]) -> Vec<&str> {
    let records = frames.iter().filter(|frame| !frame.is_control());
    records.filter_map(|frame| frame.event.as_deref()).collect()
}
