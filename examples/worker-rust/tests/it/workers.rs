//! What a worker has to do: claim, report, obey a cancel, survive a lost connection.

use std::path::Path;
use std::process::Stdio;

use rstest::rstest;
use serde_json::{Value, json};
use tidegate_testkit::{Api, TestProcess, eventually};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

#[derive(Clone, Copy, Debug)]
enum Kind {
    Rust,
    Python,
}

/// A server, a user, a key of theirs and a worker that uses it.
struct World {
    server: TestProcess,
    api: Api,
    _worker: Child,
}

impl World {
    async fn new(kind: Kind) -> Self {
        let server = TestProcess::start().await.unwrap();
        let add = ["--json", "user", "add", "--email", "w@example.org", "--password-stdin"];
        verb(&server, &add, "difference-engine-3\n").await;
        let create = ["--json", "key", "create", "--owner", "w@example.org", "--scope", "generations:work"];
        let key: Value = serde_json::from_str(&verb(&server, &create, "").await).unwrap();
        let key = key["secret"].as_str().unwrap().to_owned();
        let api = Api::new(server.url(), Some(key.clone())).unwrap();
        let worker = command(kind)
            .env("TIDEGATE_URL", server.url())
            .env("TIDEGATE_KEY", &key)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let worker = worker.unwrap_or_else(|error| match kind {
            Kind::Rust => panic!("the worker can't be started: {error}"),
            Kind::Python => panic!("python3 can't be started ({error}): apt-get install python3"),
        });
        Self { server, api, _worker: worker }
    }

    async fn create(&self, id: &str, options: Value) {
        let body = json!({"id": id, "framework": "external", "prompt": "one two three", "options": options});
        let created = self.api.post("/api/v1/generations", &body).await.unwrap();
        assert_eq!(created.status, 201, "{}", created.text);
    }

    /// The record once it is as wanted.
    async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("{id} gets there"), || async {
            let record = self.api.get(&format!("/api/v1/generations/{id}")).await.ok()?.json();
            wanted(&record).then_some(record)
        })
        .await
    }
}

fn command(kind: Kind) -> Command {
    match kind {
        Kind::Rust => Command::new(env!("CARGO_BIN_EXE_worker")),
        Kind::Python => {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../worker-python/worker.py");
            let mut command = Command::new("python3");
            command.arg("-W").arg("error").arg(script);
            command
        }
    }
}

async fn verb(server: &TestProcess, args: &[&str], input: &str) -> String {
    let mut command = server.verb(args).unwrap();
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[rstest]
#[case(Kind::Rust)]
#[case(Kind::Python)]
#[tokio::test]
async fn a_worker_claims_reports_and_completes_one_after_another(#[case] kind: Kind) {
    let world = World::new(kind).await;
    for id in ["g-1", "g-2"] {
        world.create(id, json!({"steps": 4, "step_seconds": 0.05})).await;
        let record = world.until(id, |record| record["finished_at"].is_string()).await;
        assert_eq!((&record["status"], &record["result"]["words"]), (&json!("completed"), &json!(3)));
        let events = world.api.get(&format!("/api/v1/generations/{id}/events")).await.unwrap().json();
        let steps: Vec<f64> = events["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| item["data"]["stage"] == "counting")
            .filter_map(|item| item["data"]["progress"].as_f64())
            .collect();
        assert_eq!(steps, [0.25, 0.5, 0.75, 1.0]);
    }
}

#[rstest]
#[case(Kind::Rust)]
#[case(Kind::Python)]
#[tokio::test]
async fn a_worker_stops_when_the_owner_cancels(#[case] kind: Kind) {
    let world = World::new(kind).await;
    world.create("g-1", json!({"steps": 1_000, "step_seconds": 0.1})).await;
    world.until("g-1", |record| record["progress"].as_f64().is_some_and(|p| p > 0.0)).await;
    let cancel = world.api.post_empty("/api/v1/generations/g-1/cancel").await.unwrap();
    assert_eq!(cancel.status, 202);
    let record = world.until("g-1", |record| record["finished_at"].is_string()).await;
    assert_eq!(record["status"], "cancelled");
}

#[rstest]
#[case(Kind::Rust)]
#[case(Kind::Python)]
#[tokio::test]
async fn a_worker_survives_a_server_that_is_killed_and_comes_back(#[case] kind: Kind) {
    let mut world = World::new(kind).await;
    world.create("g-1", json!({"steps": 10, "step_seconds": 0.1})).await;
    world.until("g-1", |record| record["progress"].as_f64().is_some_and(|p| p >= 0.2)).await;
    world.server.kill().await.unwrap();
    world.server.restart().await.unwrap();
    let record = world.until("g-1", |record| record["finished_at"].is_string()).await;
    assert_eq!((&record["status"], &record["attempt"]), (&json!("completed"), &json!(1)));
    world.create("g-2", json!({"steps": 1, "step_seconds": 0})).await;
    assert_eq!(world.until("g-2", |r| r["finished_at"].is_string()).await["status"], "completed");
}
