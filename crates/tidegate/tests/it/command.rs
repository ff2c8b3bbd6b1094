//! The built-in framework `command` on the real server.

use serde_json::{Value, json};
use tidegate_testkit::{Api, TestProcess, eventually};

use crate::support::finish;

const COMMANDS: &str = r#"
[[command]]
name = "steps"
run = ["/bin/sh", "-c", "read line; for i in 1 2; do echo \"[$i/2] $line $1 ${JWT_SECRET:-no secret}\"; sleep 0.3; done; pwd; ls -A", "steps", "{word}"]

[[command]]
name = "sleep"
run = ["/bin/sh", "-c", "sleep 600 & echo up; wait"]

[[command]]
name = "late"
run = ["/bin/sleep", "600"]
timeout = "1s"

[[command]]
name = "missing"
run = ["/no/such/program"]
"#;

struct World {
    server: TestProcess,
    api: Api,
}

impl World {
    async fn new(file: &str) -> Self {
        let server = TestProcess::start_with(file, &[]).await.unwrap();
        let add = ["--json", "user", "add", "--email", "w@example.org", "--password-stdin"];
        finish(server.verb(&add).unwrap(), "difference-engine-3\n").await.expect(0);
        let api = Api::new(server.url(), None).unwrap();
        let login = json!({"email": "w@example.org", "password": "difference-engine-3"});
        let session = api.post("/api/v1/auth/login", &login).await.unwrap().json();
        let token = session["access_token"].as_str().unwrap().to_owned();
        let api = Api::new(server.url(), Some(token)).unwrap();
        Self { server, api }
    }

    async fn create(&self, id: &str, options: Value) -> tidegate_testkit::TestAnswer {
        let body = json!({"id": id, "framework": "command", "prompt": "hello\n", "options": options});
        self.api.post("/api/v1/generations", &body).await.unwrap()
    }

    async fn record(&self, id: &str) -> Value {
        self.api.get(&format!("/api/v1/generations/{id}")).await.unwrap().json()
    }

    async fn ended(&self, id: &str) -> Value {
        eventually("it ends", || async {
            let record = self.record(id).await;
            record["finished_at"].is_string().then_some(record)
        })
        .await
    }
}

#[tokio::test]
async fn an_allowed_command_runs_without_a_shell_of_ours_and_without_our_variables() {
    let world = World::new(COMMANDS).await;
    let options = json!({"command": "steps", "arguments": {"word": "a; echo b"}});
    assert_eq!(world.create("g-1", options).await.status, 201);
    let record = world.ended("g-1").await;
    assert_eq!((&record["status"], &record["worker"]), (&json!("completed"), &json!("built-in")));
    let page = world.api.get("/api/v1/generations/g-1/events").await.unwrap().json();
    let items = page["items"].as_array().unwrap();
    let lines: Vec<&str> = items
        .iter()
        .filter_map(|item| item["data"]["lines"].as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(lines[..2], ["[1/2] hello a; echo b no secret", "[2/2] hello a; echo b no secret"]);
    assert_eq!(lines.len(), 3, "an empty folder of its own: {lines:?}");
    assert!(items.iter().any(|item| item["data"]["progress"] == 0.5));
    assert!(!std::path::Path::new(lines[2]).exists(), "removed afterwards");
}

#[tokio::test]
async fn what_the_list_does_not_name_is_refused_before_it_exists() {
    let world = World::new(COMMANDS).await;
    for (options, pointer) in [
        (json!({}), "/options/command"),
        (json!({"command": "rm"}), "/options/command"),
        (json!({"command": "steps"}), "/options/arguments/word"),
        (json!({"command": "steps", "arguments": {"word": "--help"}}), "/options/arguments/word"),
        (json!({"command": "sleep", "arguments": {"word": "x"}}), "/options/arguments/word"),
    ] {
        let refused = world.create("g-1", options).await;
        assert_eq!((refused.status, &refused.json()["errors"][0]["pointer"]), (422, &json!(pointer)));
    }
    assert_eq!(world.api.get("/api/v1/generations/g-1").await.unwrap().status, 404);
    let off = World::new("").await;
    assert_eq!(off.create("g-1", json!({"command": "steps"})).await.json()["code"], "unknown-framework");
}

#[tokio::test]
async fn a_cancel_a_time_limit_and_a_missing_program_end_it_in_words() {
    let world = World::new(COMMANDS).await;
    world.create("late", json!({"command": "late"})).await;
    world.create("missing", json!({"command": "missing"})).await;
    world.create("sleep", json!({"command": "sleep"})).await;
    eventually("it is up", || async { (world.record("sleep").await["message"] == "up").then_some(()) }).await;
    world.api.post_empty("/api/v1/generations/sleep/cancel").await.unwrap();
    assert_eq!(world.ended("sleep").await["status"], "cancelled");
    assert_eq!(world.ended("late").await["error"]["code"], "timeout");
    assert_eq!(world.ended("missing").await["error"]["code"], "not-started");
}

#[tokio::test]
async fn a_stopped_server_hands_its_jobs_back_and_the_next_one_runs_them() {
    let mut world = World::new(COMMANDS).await;
    world.create("g-1", json!({"command": "sleep"})).await;
    eventually("it is up", || async { (world.record("g-1").await["message"] == "up").then_some(()) }).await;
    let started = tokio::time::Instant::now();
    assert!(world.server.terminate().await.unwrap().success());
    assert!(started.elapsed().as_secs() < 10);
    world.server.restart().await.unwrap();
    let again = eventually("it is up again", || async {
        let record = world.record("g-1").await;
        (record["message"] == "up").then_some(record)
    })
    .await;
    assert_eq!((&again["status"], &again["attempt"]), (&json!("processing"), &json!(1)));
}
