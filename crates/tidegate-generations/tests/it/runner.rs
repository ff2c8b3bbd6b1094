//! Built-in frameworks, run by the node's own worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tidegate_generations::{
    Claim, CreateError, Failure, Framework, Generation, Invalid, Job, New, Origin, Rejected, Runner, Status,
};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::rig::{Rig, claim, id_of, new};

/// Does what the prompt says.
#[derive(Default)]
struct Puppet {
    running: AtomicUsize,
    most: AtomicUsize,
    release: Notify,
    asked_to_stop: AtomicBool,
}

struct Count<'a>(&'a Puppet);

impl<'a> Count<'a> {
    fn up(puppet: &'a Puppet) -> Self {
        let now = puppet.running.fetch_add(1, Ordering::SeqCst) + 1;
        puppet.most.fetch_max(now, Ordering::SeqCst);
        Self(puppet)
    }
}

impl Drop for Count<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Framework for Puppet {
    fn name(&self) -> &str {
        "puppet"
    }

    async fn check(&self, wish: &Origin) -> Result<(), Rejected> {
        if wish.prompt == "refuse" {
            return Err(Invalid::new("/prompt", "is refused").into());
        }
        Ok(())
    }

    async fn run(&self, job: Job) -> Result<Value, Failure> {
        let _count = Count::up(self);
        job.report("begun", 0.25, "Begun".to_owned(), Map::from_iter([("n".to_owned(), json!(7))])).await?;
        match job.prompt() {
            "fail" => Err(Failure::new("no-luck", "It did not work").with("n", 3)),
            "again" if job.attempt() == 1 => Err(Failure::for_now("not-yet", "Not yet")),
            "panic" => panic!("planted"),
            "huge" => Ok(json!("x".repeat(400_000))),
            "hang" => std::future::pending().await,
            "wait" => {
                tokio::select! {
                    () = self.release.notified() => Ok(json!("released")),
                    () = job.cancelled() => {
                        self.asked_to_stop.store(true, Ordering::SeqCst);
                        Err(Failure::Stopped)
                    }
                }
            }
            "stubborn" => {
                job.cancelled().await;
                Ok(json!("done all the same"))
            }
            _ => Ok(json!({"said": job.prompt(), "by": job.owner()})),
        }
    }
}

struct World {
    rig: Rig,
    puppet: Arc<Puppet>,
    drain: CancellationToken,
    worker: JoinHandle<()>,
}

impl World {
    async fn start() -> Self {
        Self::over(Rig::start().await).await
    }

    async fn over(rig: Rig) -> Self {
        let puppet = Arc::new(Puppet::default());
        let rig = rig.restart_with(vec![puppet.clone()]).await;
        let drain = CancellationToken::new();
        let worker = tokio::spawn(Runner::new(rig.generations.clone()).run(drain.clone()));
        Self { rig, puppet, drain, worker }
    }

    async fn create(&self, id: &str, prompt: &str) {
        let new = New { prompt: prompt.to_owned(), framework: "puppet".to_owned(), ..new(id) };
        let new = New { max_attempts: Some(2), ..new };
        self.rig.generations.create(self.rig.owner, new).await.unwrap();
    }

    /// The record once it is as wanted.
    async fn until(&self, id: &str, wanted: impl Fn(&Generation) -> bool) -> Generation {
        let seen = async {
            let mut record = self.rig.lookup(id).await;
            while !wanted(&record) {
                let (id, after) = (record.id.clone(), record.offset);
                let wait = Duration::from_secs(5);
                record = self.rig.generations.wait_change(&id, after, wait).await.unwrap().unwrap();
            }
            record
        };
        tokio::time::timeout(Duration::from_secs(30), seen).await.expect("it comes to that")
    }

    async fn finished(&self, id: &str) -> Generation {
        self.until(id, |record| record.status.is_finished()).await
    }

    /// Drains as a server that stops.
    async fn stop(self) -> Rig {
        self.drain.cancel();
        tokio::time::timeout(Duration::from_secs(8), self.worker).await.expect("in time").unwrap();
        self.rig
    }
}

#[tokio::test]
async fn a_built_in_framework_is_claimed_reported_and_completed_like_any_workers_job() {
    let world = World::start().await;
    world.create("g-1", "hello").await;
    let record = world.finished("g-1").await;
    assert_eq!((record.status, record.worker.as_deref()), (Status::Completed, Some("built-in")));
    assert_eq!(record.result, Some(json!({"said": "hello", "by": world.rig.owner})));
    let (records, closed) = world.rig.records("g-1").await;
    let stages: Vec<_> = records.iter().map(|r| r["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["init", "claimed", "begun", "completed"]);
    assert_eq!((&records[2]["n"], &records[2]["progress"], closed), (&json!(7), &json!(0.25), true));
}

#[tokio::test]
async fn what_the_framework_refuses_is_never_created() {
    let world = World::start().await;
    let refused = New { prompt: "refuse".to_owned(), framework: "puppet".to_owned(), ..new("g-1") };
    let error = world.rig.generations.create(world.rig.owner, refused).await.unwrap_err();
    assert!(matches!(error, CreateError::Invalid(invalid) if invalid.pointer == "/prompt"));
    assert!(world.rig.generations.lookup(&id_of("g-1")).await.unwrap().is_none());
}

#[tokio::test]
async fn failures_panics_and_oversized_results_end_the_job_in_words() {
    let world = World::start().await;
    for (prompt, code) in [("fail", "no-luck"), ("panic", "internal"), ("huge", "result-refused")] {
        world.create(prompt, prompt).await;
        let record = world.finished(prompt).await;
        assert_eq!(record.status, Status::Failed, "{prompt}");
        assert_eq!(record.error.unwrap()["code"], code);
    }
    world.create("again", "again").await;
    let record = world.finished("again").await;
    assert_eq!((record.status, record.attempt), (Status::Completed, 2));
}

#[tokio::test]
async fn a_cancel_reaches_the_framework_and_a_result_that_comes_all_the_same_counts() {
    let world = World::start().await;
    world.create("g-1", "wait").await;
    world.until("g-1", |record| record.stage == "begun").await;
    world.rig.generations.cancel(&id_of("g-1")).await.unwrap();
    assert_eq!(world.finished("g-1").await.status, Status::Cancelled);
    assert!(world.puppet.asked_to_stop.load(Ordering::SeqCst));
    world.create("g-2", "stubborn").await;
    world.until("g-2", |record| record.stage == "begun").await;
    world.rig.generations.cancel(&id_of("g-2")).await.unwrap();
    assert_eq!(world.finished("g-2").await.status, Status::Completed);
}

#[tokio::test]
async fn a_deleted_job_is_stopped_and_leaves_its_place() {
    let world = World::start().await;
    world.create("g-1", "wait").await;
    world.until("g-1", |record| record.stage == "begun").await;
    world.rig.generations.delete(&id_of("g-1")).await.unwrap();
    let gone = async {
        while world.puppet.running.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("it hears of it");
    assert!(world.puppet.asked_to_stop.load(Ordering::SeqCst));
}

#[tokio::test]
async fn no_more_run_at_once_than_the_limit_says() {
    let world = World::start().await;
    for n in 0..9 {
        world.create(&format!("g-{n}"), "wait").await;
    }
    world.until("g-3", |record| record.stage == "begun").await;
    assert_eq!(world.rig.lookup("g-8").await.queue_place, Some(5));
    for n in 0..9 {
        world.until(&format!("g-{n}"), |record| record.stage == "begun").await;
        world.puppet.release.notify_one();
    }
    for n in 0..9 {
        assert_eq!(world.finished(&format!("g-{n}")).await.status, Status::Completed);
    }
    assert_eq!(world.puppet.most.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_drain_hands_jobs_back_and_the_next_start_goes_on_within_the_same_attempt() {
    let world = World::start().await;
    world.create("g-1", "wait").await;
    world.create("g-2", "hang").await;
    world.until("g-1", |record| record.stage == "begun").await;
    world.until("g-2", |record| record.stage == "begun").await;
    let rig = world.stop().await;
    for id in ["g-1", "g-2"] {
        let record = rig.lookup(id).await;
        assert_eq!((record.status, record.attempt, record.progress), (Status::Pending, 1, 0.25), "{id}");
        assert!(!rig.records(id).await.1, "its readers wait for more");
    }
    let world = World::over(rig).await;
    world.until("g-1", |record| record.stage == "begun").await;
    world.puppet.release.notify_one();
    let record = world.finished("g-1").await;
    assert_eq!((record.status, record.attempt), (Status::Completed, 1));
    let (records, _) = world.rig.records("g-1").await;
    let epochs: Vec<_> = records.iter().filter_map(|r| r["epoch"].as_u64()).collect();
    assert_eq!(epochs, [1, 2], "the first one is fenced");
}

#[tokio::test]
async fn outside_workers_never_get_what_the_server_runs_itself() {
    let world = World::start().await;
    let rig = world.stop().await.restart_with(vec![Arc::new(Puppet::default())]).await;
    let new = New { framework: "puppet".to_owned(), ..new("g-1") };
    rig.generations.create(rig.owner, new).await.unwrap();
    let asked = Claim { frameworks: vec!["puppet".to_owned()], ..claim() };
    assert!(rig.generations.claim(asked).await.unwrap().is_none());
    let named = Claim { id: Some(id_of("g-1")), frameworks: Vec::new(), ..claim() };
    assert!(rig.generations.claim(named).await.unwrap().is_none());
}

#[tokio::test]
async fn a_record_that_nobody_claims_says_so() {
    let rig = Rig::start().await;
    rig.create("g-1").await;
    assert_eq!(rig.lookup("g-1").await.message.as_deref(), Some("Waiting for a worker"));
    rig.clock.advance(Duration::from_secs(31));
    let words = "Waiting for a worker; no worker asks for `external` at the moment";
    assert_eq!(rig.lookup("g-1").await.message.as_deref(), Some(words));
    assert_eq!(rig.lookup("g-1").await.queue_place, Some(1));
    rig.claim().await.unwrap();
    rig.create("g-2").await;
    assert_eq!(rig.lookup("g-2").await.message.as_deref(), Some("Waiting for a worker"));
    rig.clock.advance(Duration::from_secs(41));
    assert_eq!(rig.lookup("g-2").await.message.as_deref(), Some(words), "its lease is over");
}
