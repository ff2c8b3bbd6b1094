//! Briefs and articles over uploaded documents, on the real server with its real extraction.

use serde_json::{Value, json};
use tidegate_testkit::{Api, TestProcess, eventually};

use crate::support::finish;

const GUIDE: &str = include_str!("../../../../docs/operations.md");

struct World {
    server: TestProcess,
    api: Api,
    token: String,
}

impl World {
    async fn new() -> Self {
        let server = TestProcess::start().await.unwrap();
        let token = sign_in(&server, "w@example.org").await;
        let api = Api::new(server.url(), Some(token.clone())).unwrap();
        Self { server, api, token }
    }

    async fn upload(&self, name: &str, text: &str) -> String {
        let head =
            format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        let answer = reqwest::Client::new()
            .post(format!("{}/api/v1/documents/upload", self.server.url()))
            .bearer_auth(&self.token)
            .header("content-type", "multipart/form-data; boundary=b")
            .body(format!("{head}{text}\r\n--b--\r\n"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 202);
        let document: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        document["id"].as_str().unwrap().to_owned()
    }

    async fn ended(&self, id: &str) -> Value {
        eventually("it ends", || async {
            let record = self.api.get(&format!("/api/v1/generations/{id}")).await.unwrap().json();
            record["finished_at"].is_string().then_some(record)
        })
        .await
    }
}

async fn sign_in(server: &TestProcess, email: &str) -> String {
    let add = ["--json", "user", "add", "--email", email, "--password-stdin"];
    finish(server.verb(&add).unwrap(), "difference-engine-3\n").await.expect(0);
    let login = json!({"email": email, "password": "difference-engine-3"});
    let session =
        Api::new(server.url(), None).unwrap().post("/api/v1/auth/login", &login).await.unwrap().json();
    session["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_brief_may_be_asked_for_before_its_document_is_read() {
    let world = World::new().await;
    let document = world.upload("operations.md", GUIDE).await;
    let body = json!({
        "id": "g-1", "framework": "brief", "prompt": "How is a server run?", "document_ids": [document],
    });
    let created = world.api.post("/api/v1/generations", &body).await.unwrap();
    assert_eq!(created.status, 201, "{}", created.text);
    let record = world.ended("g-1").await;
    assert_eq!((&record["status"], &record["error"]), (&json!("completed"), &Value::Null));
    assert_eq!(record["result"]["points"].as_array().unwrap().len(), 7);
    assert_eq!(record["result"]["citations"][0]["filename"], "operations.md");
    // The same words by the API of documents: what is quoted can be found.
    let quote = record["result"]["citations"][0]["quote"].as_str().unwrap();
    let words: Vec<&str> =
        quote.split(|c: char| !c.is_alphanumeric()).filter(|w| w.len() > 3).take(3).collect();
    let path = format!("/api/v1/documents/{document}/passages?query={}", words.join("%20"));
    assert!(!world.api.get(&path).await.unwrap().json()["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn nobody_writes_from_the_documents_of_another() {
    let world = World::new().await;
    let document = world.upload("operations.md", GUIDE).await;
    let stranger = Api::new(world.server.url(), Some(sign_in(&world.server, "e@example.org").await)).unwrap();
    for framework in ["brief", "blog"] {
        let body = json!({"framework": framework, "prompt": "all of it", "document_ids": [document]});
        let refused = stranger.post("/api/v1/generations", &body).await.unwrap();
        assert_eq!(refused.status, 422);
        assert_eq!(refused.json()["errors"][0]["pointer"], "/document_ids/0");
    }
}
