//! `run` and `tail` against the real server.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tidegate_testkit::{Api, TestProcess, eventually};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::support::{Ended, finish};

/// A server, a user and a key of theirs.
struct World {
    server: TestProcess,
    key: String,
    api: Api,
}

impl World {
    async fn new() -> Self {
        let server = TestProcess::start().await.unwrap();
        let add = ["--json", "user", "add", "--email", "w@example.org", "--password-stdin"];
        finish(server.verb(&add).unwrap(), "difference-engine-3\n").await.expect(0);
        let create = [
            "--json",
            "key",
            "create",
            "--owner",
            "w@example.org",
            "--scope",
            "generations:work",
            "--scope",
            "streams:read:**",
            "--scope",
            "streams:write:**",
        ];
        let key = finish(server.verb(&create).unwrap(), "").await.expect(0).json().remove(0);
        let key = key["secret"].as_str().unwrap().to_owned();
        let api = Api::new(server.url(), Some(key.clone())).unwrap();
        Self { server, key, api }
    }

    fn command(&self, args: &[&str]) -> tokio::process::Command {
        let mut command = self.server.verb(args).unwrap();
        command.env("TIDEGATE_KEY", &self.key);
        command
    }

    async fn run(&self, args: &[&str]) -> Ended {
        finish(self.command(args), "").await
    }

    async fn record(&self, id: &str) -> Value {
        self.api.get(&format!("/api/v1/generations/{id}")).await.unwrap().json()
    }

    /// The records of a generation's stream.
    async fn events(&self, id: &str) -> Vec<Value> {
        let path = format!("/api/v1/generations/{id}/events?limit=200");
        let page = self.api.get(&path).await.unwrap().json();
        page["items"].as_array().unwrap().iter().map(|item| item["data"].clone()).collect()
    }
}

fn id_of(ended: &Ended) -> String {
    ended.json()[0]["generation_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_commands_output_becomes_progress_and_its_exit_status_the_end() {
    let world = World::new().await;
    let script = "for i in 1 2 3 4; do echo \"[$i/4] step $i\"; sleep 0.3; done; echo done";
    let ended = world.run(&["--json", "run", "--title", "Steps", "--", "sh", "-c", script]).await.expect(0);
    let id = id_of(&ended);
    assert!(ended.stderr.contains("[4/4] step 4"), "the output passes through: {}", ended.stderr);
    let record = world.record(&id).await;
    assert_eq!((&record["status"], &record["title"]), (&Value::from("completed"), &Value::from("Steps")));
    assert_eq!(record["result"]["exit_code"], 0);
    let events = world.events(&id).await;
    let lines: Vec<&str> =
        events.iter().filter_map(|e| e["lines"].as_array()).flatten().filter_map(Value::as_str).collect();
    assert_eq!(lines, ["[1/4] step 1", "[2/4] step 2", "[3/4] step 3", "[4/4] step 4", "done"]);
    assert!(events.iter().any(|e| e["progress"] == 0.5 && e["message"] == "[2/4] step 2"), "{events:#?}");

    let tail = world.run(&["--json", "tail", &id]).await.expect(0);
    let told = tail.json();
    assert_eq!(told.len(), events.len());
    assert_eq!(told.last().unwrap()["data"]["status"], "completed");
}

#[tokio::test]
async fn a_failing_command_fails_the_generation_and_passes_its_exit_code_through() {
    let world = World::new().await;
    let ended =
        world.run(&["--json", "run", "--", "sh", "-c", "echo no such luck >&2; exit 7"]).await.expect(7);
    let id = id_of(&ended);
    let record = world.record(&id).await;
    assert_eq!(record["status"], "failed");
    assert_eq!(record["error"]["exit_code"], 7);
    assert_eq!(record["error"]["message"], "no such luck");
    world.run(&["tail", &id]).await.expect(1);
    world.run(&["--json", "run", "--", "/no/such/command"]).await.expect(127);
    world.run(&["tail", "no-such-generation"]).await.expect(4);
}

#[tokio::test]
async fn a_cancel_from_elsewhere_reaches_the_command() {
    let world = World::new().await;
    let script = "trap 'echo stopping; exit 9' INT; echo up; while :; do sleep 0.1; done";
    let mut child = world
        .command(&["--json", "run", "--", "sh", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let id = first["generation_id"].as_str().unwrap().to_owned();
    eventually("the command says that it is up", || async {
        (world.record(&id).await["message"] == "up").then_some(())
    })
    .await;
    let cancelled = world.api.post_empty(&format!("/api/v1/generations/{id}/cancel")).await.unwrap();
    assert_eq!(cancelled.status, 202, "{}", cancelled.text);
    let status = tokio::time::timeout(Duration::from_secs(10), child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(9));
    assert_eq!(world.record(&id).await["status"], "cancelled");
}

#[tokio::test]
async fn a_restart_of_the_server_costs_neither_the_job_nor_its_watcher_anything() {
    let mut world = World::new().await;
    let script = "for i in 1 2 3 4 5 6 7 8; do echo \"$i/8\"; sleep 0.4; done";
    let mut run = world
        .command(&["--json", "run", "--id", "restarted", "--", "sh", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the job is under way", || async {
        (world.record("restarted").await["status"] == "processing").then_some(())
    })
    .await;
    let watcher = tokio::spawn(finish(world.command(&["--json", "tail", "restarted"]), ""));
    eventually("some progress", || async {
        (world.record("restarted").await["progress"].as_f64()? >= 0.25).then_some(())
    })
    .await;
    world.server.restart().await.unwrap();
    let status = tokio::time::timeout(Duration::from_secs(20), run.wait()).await.unwrap().unwrap();
    assert!(status.success());
    let told = watcher.await.unwrap().expect(0);
    assert!(told.stderr.contains("reconnect"), "it says so: {}", told.stderr);
    let offsets: Vec<u64> =
        told.json().iter().map(|line| line["offset"].as_str().unwrap().parse().unwrap()).collect();
    let expected: Vec<u64> = (1..=u64::try_from(offsets.len()).unwrap()).collect();
    assert_eq!(offsets, expected, "nothing lost, nothing twice");
    let events = world.events("restarted").await;
    let lines: Vec<&str> =
        events.iter().filter_map(|e| e["lines"].as_array()).flatten().filter_map(Value::as_str).collect();
    assert_eq!(lines, ["1/8", "2/8", "3/8", "4/8", "5/8", "6/8", "7/8", "8/8"]);
}

#[tokio::test]
async fn publish_ticket_and_tail_work_on_any_stream() {
    let world = World::new().await;
    world.run(&["publish", "news/a", "-d", "{\"n\":1}"]).await.expect(0);
    let sent =
        world.run(&["--json", "publish", "news/a", "--progress", "0.5", "--message", "half"]).await.expect(0);
    assert_eq!(sent.json()[0]["offset"], "0000000000000002");
    let ticket = world.run(&["--json", "ticket", "news/a"]).await.expect(0).json().remove(0);
    let url = ticket["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(&world.server.url()).unwrap().to_owned();
    let anonymous = Api::new(world.server.url(), None).unwrap();
    let mut reader = anonymous.sse(&path).await.unwrap();
    assert_eq!(reader.status, 200);
    let records = reader.records(2).await.unwrap();
    assert_eq!(records[1].json()["message"], "half");
    assert_eq!(anonymous.sse(&path).await.unwrap().status, 401, "a ticket opens once");
}

#[tokio::test]
async fn doctor_finds_a_healthy_server_healthy() {
    let world = World::new().await;
    let ended = world.run(&["--json", "doctor"]).await.expect(0);
    let checks: Vec<String> = ended.json().iter().map(|f| f["check"].as_str().unwrap().to_owned()).collect();
    for wanted in [
        "server",
        "ready",
        "clock",
        "credential",
        "ticket",
        "open",
        "buffering",
        "reconnect",
        "ticket single use",
    ] {
        assert!(checks.iter().any(|check| check == wanted), "{wanted}: {checks:?}");
    }
    let foreign = world.run(&["doctor", "--origin", "https://app.example.org"]).await.expect(1);
    assert!(foreign.stdout.contains("cors.origins"), "{}", foreign.stdout);
}

#[tokio::test]
async fn ctrl_c_reaches_the_command_and_cancels_the_generation() {
    let world = World::new().await;
    let script = "echo up; while :; do sleep 0.1; done";
    let mut child = world
        .command(&["--json", "run", "--id", "interrupted", "--", "sh", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the command says that it is up", || async {
        (world.record("interrupted").await["message"] == "up").then_some(())
    })
    .await;
    let pid = child.id().unwrap().to_string();
    tokio::process::Command::new("kill").args(["-INT", &pid]).status().await.unwrap();
    let status = tokio::time::timeout(Duration::from_secs(10), child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(130), "128 + SIGINT, as a shell tells it");
    assert_eq!(world.record("interrupted").await["status"], "cancelled");
    world.run(&["tail", "interrupted"]).await.expect(1);
}
