//! The built-in frameworks over documents, run by the node's own worker.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tidegate_documents::{Blog, Brief};
use tidegate_generations::{
    CreateError, Generation, Generations, GenerationsConfig, GenerationsParts, New, NoAnnounce, Runner,
    SqliteGenerations, Status,
};
use tidegate_types::{Limits, OsEntropy, SystemClock, UserId};
use tokio_util::sync::CancellationToken;

use crate::rig::Rig;

const TIDES: &str = include_str!("../files/tides.md");
const GATES: &str = include_str!("../files/gates.txt");

struct World {
    rig: Rig,
    generations: Generations,
    drain: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.drain.cancel();
    }
}

impl World {
    async fn new() -> Self {
        let rig = Rig::start().await;
        let store = SqliteGenerations::open(rig.db.clone()).await.unwrap();
        let generations = Generations::open(GenerationsParts {
            store: Arc::new(store),
            log: rig.log.clone(),
            announce: Arc::new(NoAnnounce),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            limits: Arc::new(Limits::default()),
            config: GenerationsConfig { external: Vec::new(), retention: Duration::from_secs(86_400) },
            frameworks: vec![
                Arc::new(Brief::new(rig.documents.clone())),
                Arc::new(Blog::new(rig.documents.clone(), None)),
            ],
        });
        let generations = generations.await.unwrap();
        let drain = CancellationToken::new();
        tokio::spawn(Runner::new(generations.clone()).run(drain.clone()));
        Self { rig, generations, drain }
    }

    async fn create(
        &self,
        owner: UserId,
        framework: &str,
        ids: &[String],
        options: Value,
    ) -> Result<Generation, CreateError> {
        let new = New {
            title: Some("Tides [and] <gates>".to_owned()),
            prompt: "How does a tide gate work?".to_owned(),
            framework: framework.to_owned(),
            options: options.as_object().cloned().unwrap_or_else(Map::new),
            document_ids: ids.to_vec(),
            ..New::default()
        };
        self.generations.create(owner, new).await.map(|created| created.record)
    }

    async fn result(&self, framework: &str, ids: &[String], options: Value) -> Value {
        let mut record = self.create(self.rig.owner, framework, ids, options).await.unwrap();
        while !record.status.is_finished() {
            let wait = Duration::from_secs(10);
            record = self.generations.wait_change(&record.id, record.offset, wait).await.unwrap().unwrap();
        }
        assert_eq!(record.status, Status::Completed, "{:?}", record.error);
        record.result.unwrap()
    }

    async fn two_documents(&self) -> Vec<String> {
        let tides = self.rig.ready("tides.md", TIDES.as_bytes()).await;
        let gates = self.rig.ready("gates.txt", GATES.as_bytes()).await;
        vec![tides.id.to_string(), gates.id.to_string()]
    }

    /// Every citation stands in its document, byte for byte.
    async fn citations_hold(&self, result: &Value) {
        let citations = result["citations"].as_array().unwrap();
        for (citation, number) in citations.iter().zip(1..) {
            assert_eq!(citation["number"], number);
            let id = citation["document_id"].as_str().unwrap().parse().unwrap();
            let text = self.rig.documents.text(&id).await.unwrap().unwrap();
            let place = |name: &str| usize::try_from(citation[name].as_u64().unwrap()).unwrap();
            assert_eq!(&text[place("start")..place("end")], citation["quote"].as_str().unwrap());
        }
    }
}

#[tokio::test]
async fn a_brief_says_what_both_documents_say_with_each_sentence_quoted_and_cited() {
    let world = World::new().await;
    let ids = world.two_documents().await;
    let result = world.result("brief", &ids, json!({"points": 6})).await;
    world.citations_hold(&result).await;
    let points = result["points"].as_array().unwrap();
    assert_eq!(points.len(), 6);
    assert_eq!((&result["kind"], &result["method"]), (&json!("brief"), &json!("extractive")));
    let cited: HashSet<&str> =
        result["citations"].as_array().unwrap().iter().map(|c| c["document_id"].as_str().unwrap()).collect();
    assert_eq!(cited.len(), 2, "both are heard: {points:#?}");
    let about = points.iter().filter(|point| point["text"].as_str().unwrap().contains("gate")).count();
    assert!(about >= 3, "it is about what was asked: {points:#?}");
    let markdown = result["markdown"].as_str().unwrap();
    assert!(markdown.starts_with("# Tides \\[and\\] \\<gates\\>\n"), "{markdown}");
    assert!(markdown.contains("## Sources\n\n1. ") && markdown.contains("[6]"), "{markdown}");
}

#[tokio::test]
async fn the_same_documents_give_the_same_brief() {
    let world = World::new().await;
    let ids = world.two_documents().await;
    let first = world.result("brief", &ids, json!({})).await;
    assert_eq!(first, world.result("brief", &ids, json!({})).await);
    let twice: Vec<String> = ids.iter().chain(&ids).cloned().collect();
    assert_eq!(first["points"], world.result("brief", &twice, json!({})).await["points"]);
}

#[tokio::test]
async fn an_article_has_an_opening_sections_under_headings_and_sources() {
    let world = World::new().await;
    let ids = world.two_documents().await;
    let result = world.result("blog", &ids, json!({"sections": 3})).await;
    world.citations_hold(&result).await;
    let sections = result["sections"].as_array().unwrap();
    assert_eq!(sections.len(), 4);
    assert!(sections[0]["heading"].is_null());
    assert!(sections[1..].iter().all(|section| section["heading"].as_str().is_some_and(|h| !h.is_empty())));
    let cited: Vec<u64> = sections
        .iter()
        .flat_map(|section| section["citations"].as_array().unwrap())
        .map(|number| number.as_u64().unwrap())
        .collect();
    assert_eq!(cited.iter().collect::<HashSet<_>>().len(), cited.len(), "no sentence stands twice");
    // An article that names no documents is over all of its owner's.
    let all = world.result("blog", &[], json!({"method": "extractive"})).await;
    assert_eq!(all["documents"].as_array().unwrap().len(), 2);
    let refused = world.create(world.rig.owner, "blog", &ids, json!({"method": "model"})).await;
    assert!(matches!(refused, Err(CreateError::Invalid(invalid)) if invalid.pointer == "/options/method"));
    // A text without headings gets them from what it is about.
    let plain = world.result("blog", &ids[1..], json!({"sections": 2})).await;
    assert_eq!(plain["sections"].as_array().unwrap().len(), 3, "{plain:#}");
}

#[tokio::test]
async fn stages_come_in_their_order_and_progress_never_falls() {
    let world = World::new().await;
    let ids = world.two_documents().await;
    let mut record = world.create(world.rig.owner, "brief", &ids, json!({})).await.unwrap();
    while !record.status.is_finished() {
        let wait = Duration::from_secs(10);
        record = world.generations.wait_change(&record.id, record.offset, wait).await.unwrap().unwrap();
    }
    let (records, _) = world.rig.records(&Generations::stream_path(&record.id)).await;
    let mut stages: Vec<&str> = records.iter().filter_map(|r| r["stage"].as_str()).collect();
    stages.dedup();
    assert_eq!(stages, ["init", "claimed", "load", "read", "rank", "compose", "check", "completed"]);
    let progress: Vec<f64> = records.iter().filter_map(|r| r["progress"].as_f64()).collect();
    assert!(progress.is_sorted(), "{progress:?}");
    assert!(records.iter().any(|r| r["current_file"] == "tides.md"));
}

#[tokio::test]
async fn documents_of_others_are_as_absent_as_those_that_never_were() {
    let world = World::new().await;
    let ids = world.two_documents().await;
    let stranger = UserId::generate(tidegate_types::Clock::now(&SystemClock), &OsEntropy);
    let never = "01890a5d-ac96-774b-bcce-b302099a8057".to_owned();
    for (owner, ids, pointer) in [
        (stranger, ids.clone(), "/document_ids/0"),
        (world.rig.owner, vec![ids[0].clone(), never], "/document_ids/1"),
        (world.rig.owner, vec!["../../etc/passwd".to_owned()], "/document_ids/0"),
    ] {
        for framework in ["brief", "blog"] {
            match world.create(owner, framework, &ids, json!({})).await.unwrap_err() {
                CreateError::Invalid(invalid) => assert_eq!(invalid.pointer, pointer),
                other => panic!("{other}"),
            }
        }
    }
    let refused = world.create(world.rig.owner, "brief", &[], json!({})).await;
    assert!(matches!(refused, Err(CreateError::Invalid(invalid)) if invalid.pointer == "/document_ids"));
    for bad in [json!(2), json!(21), json!("many"), json!(-1)] {
        let refused = world.create(world.rig.owner, "brief", &ids, json!({"points": bad})).await;
        assert!(
            matches!(refused, Err(CreateError::Invalid(invalid)) if invalid.pointer == "/options/points")
        );
    }
}

#[tokio::test]
async fn a_document_without_prose_fails_in_words_and_one_deleted_meanwhile_too() {
    let world = World::new().await;
    let list = world.rig.ready("list.txt", b"apples\npears\nplums\n").await;
    let record = world.create(world.rig.owner, "brief", &[list.id.to_string()], json!({})).await.unwrap();
    let mut ended = record;
    while !ended.status.is_finished() {
        let wait = Duration::from_secs(10);
        ended = world.generations.wait_change(&ended.id, ended.offset, wait).await.unwrap().unwrap();
    }
    assert_eq!(ended.error.unwrap()["code"], "nothing-to-quote");
}
