//! Frameworks that a model writes for: stories, and articles from quotes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tidegate_documents::{
    Blog, MasterMode, Model, ModelConfig, Upstream, UpstreamBody, UpstreamError, UpstreamRequest,
    UpstreamResponse, Writer,
};
use tidegate_generations::{
    Generation, Generations, GenerationsConfig, GenerationsParts, New, NoAnnounce, Runner, SqliteGenerations,
    Status,
};
use tidegate_types::{Limits, OsEntropy, SystemClock};
use tokio_util::sync::CancellationToken;

use crate::rig::Rig;

/// Says one text after the other; then hangs.
#[derive(Debug, Default)]
struct Scribe {
    texts: Mutex<VecDeque<String>>,
    asked: Mutex<Vec<Value>>,
}

#[async_trait]
impl Upstream for Scribe {
    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamError> {
        self.asked.lock().unwrap().push(serde_json::from_slice(&request.body).unwrap());
        let text = self.texts.lock().unwrap().pop_front();
        let mut chunks: Vec<Result<Bytes, UpstreamError>> = Vec::new();
        for word in text.iter().flat_map(|text| text.split_inclusive(' ')) {
            let chunk = json!({"choices": [{"delta": {"content": word}}]});
            chunks.push(Ok(Bytes::from(format!("data: {chunk}\n\n"))));
        }
        let body: UpstreamBody = match text {
            Some(_) => {
                chunks.push(Ok(Bytes::from_static(b"data: [DONE]\n\n")));
                Box::pin(stream::iter(chunks))
            }
            None => Box::pin(stream::iter(chunks).chain(stream::pending())),
        };
        Ok(UpstreamResponse {
            status: 200,
            media_type: "text/event-stream".to_owned(),
            retry_after: None,
            body,
        })
    }
}

struct World {
    rig: Rig,
    scribe: Arc<Scribe>,
    generations: Generations,
    _drain: tokio_util::sync::DropGuard,
}

impl World {
    async fn new(texts: &[&str]) -> Self {
        let rig = Rig::start().await;
        let scribe = Arc::new(Scribe::default());
        scribe.texts.lock().unwrap().extend(texts.iter().map(|text| (*text).to_owned()));
        let model = Model::new(ModelConfig::new("http://127.0.0.1:9/v1", "small"), scribe.clone());
        let writer = Writer::new(model, Arc::new(OsEntropy));
        let generations = Generations::open(GenerationsParts {
            store: Arc::new(SqliteGenerations::open(rig.db.clone()).await.unwrap()),
            log: rig.log.clone(),
            announce: Arc::new(NoAnnounce),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            limits: Arc::new(Limits::default()),
            config: GenerationsConfig { external: Vec::new(), retention: Duration::from_secs(86_400) },
            frameworks: vec![
                Arc::new(MasterMode::new(writer.clone())),
                Arc::new(Blog::new(rig.documents.clone(), Some(writer))),
            ],
        });
        let generations = generations.await.unwrap();
        let drain = CancellationToken::new();
        tokio::spawn(Runner::new(generations.clone()).run(drain.clone()));
        Self { rig, scribe, generations, _drain: drain.drop_guard() }
    }

    async fn create(&self, framework: &str, ids: Vec<String>, options: Value) -> Generation {
        let new = New {
            prompt: "A keeper of a tide gate".to_owned(),
            framework: framework.to_owned(),
            options: options.as_object().cloned().unwrap(),
            document_ids: ids,
            ..New::default()
        };
        self.generations.create(self.rig.owner, new).await.unwrap().record
    }

    async fn until(&self, mut record: Generation, wanted: impl Fn(&Generation) -> bool) -> Generation {
        while !wanted(&record) {
            let wait = Duration::from_secs(10);
            record = self.generations.wait_change(&record.id, record.offset, wait).await.unwrap().unwrap();
        }
        record
    }

    async fn ended(&self, record: Generation) -> Generation {
        self.until(record, |record| record.status.is_finished()).await
    }
}

#[tokio::test]
async fn a_story_is_planned_and_written_scene_by_scene() {
    let world = World::new(&["1. The Dyke\n2. The Storm", "It was calm.", "Then <b>it</b> was not."]).await;
    let options = json!({"scenes": "2", "style": "a fairy tale"});
    let record = world.ended(world.create("master_mode", Vec::new(), options).await).await;
    assert_eq!(record.status, Status::Completed, "{:?}", record.error);
    let result = record.result.unwrap();
    assert_eq!(
        result["scenes"],
        json!([
            {"number": 1, "title": "The Dyke", "text": "It was calm."},
            {"number": 2, "title": "The Storm", "text": "Then <b>it</b> was not."},
        ])
    );
    assert!(result["markdown"].as_str().unwrap().contains("## 2. The Storm\n\nThen \\<b\\>it"));
    let asked = world.scribe.asked.lock().unwrap().clone();
    let last = asked[2]["messages"][1]["content"].as_str().unwrap();
    assert!(last.contains("style: a fairy tale") && last.contains("It was calm."), "{last}");
}

#[tokio::test]
async fn a_cancel_ends_a_story_whose_model_hangs() {
    let world = World::new(&["One\nTwo"]).await;
    let record = world.create("master_mode", Vec::new(), json!({"scenes": 2})).await;
    let record = world.until(record, |record| record.stage == "write").await;
    world.generations.cancel(&record.id).await.unwrap();
    assert_eq!(world.ended(record).await.status, Status::Cancelled);
}

#[tokio::test]
async fn an_article_by_the_model_keeps_the_sources_that_it_names_and_no_markup() {
    let said = "Gates are old [1].\n\n## How\nThe flap hangs [2, 99]. ![x](http://a)\n";
    let world = World::new(&[said, "No source at all."]).await;
    let tides = world.rig.ready("tides.md", include_bytes!("../files/tides.md")).await;
    let ids = vec![tides.id.to_string()];
    let record = world.ended(world.create("blog", ids.clone(), json!({})).await).await;
    assert_eq!(record.status, Status::Completed, "{:?}", record.error);
    let result = record.result.unwrap();
    assert_eq!(result["method"], "model");
    let numbers: Vec<u64> =
        result["citations"].as_array().unwrap().iter().map(|c| c["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(result["sections"][1]["text"], "The flap hangs [2]. !\\[x\\](http://a)");
    let asked = world.scribe.asked.lock().unwrap()[0].clone();
    let rules = asked["messages"][0]["content"].as_str().unwrap();
    assert!(!rules.contains("flap"), "nothing of a document stands among the rules");
    let record = world.ended(world.create("blog", ids, json!({})).await).await;
    assert_eq!(record.error.unwrap()["code"], json!("worker-lost"), "attempts are used up");
}
