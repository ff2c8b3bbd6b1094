//! Articles and stories over HTTP, by the routes of existing front ends: with and without a model.

use serde_json::{Value, json};
use tidegate_testkit::eventually;

use super::model::{ModelService, refusal, whole};
use super::world::World;

/// A model in whose presence the server writes stories itself.
async fn with_model(model: &ModelService) -> World {
    World::with(|config| {
        model.configure(config);
        config.generations.external.retain(|name| name != "master_mode");
    })
    .await
}

async fn ended(world: &World, id: &str) -> Value {
    eventually("the generation ends", || async {
        let record = world.user.api.get(&format!("/api/v1/generations/{id}")).await.unwrap().json();
        record["finished_at"].is_string().then_some(record)
    })
    .await
}

#[tokio::test]
async fn an_article_over_a_sessions_documents_is_quoted_and_cited() {
    let world = World::start().await;
    let body = json!({ "session_id": world.conversation, "prompt": "How tickets work", "title": "Tickets" });
    let made = world.user.api.post("/api/v1/blog/generate", &body).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.member("generation_id");
    assert_eq!(
        (made.member("id"), made.header("location")),
        (id.clone(), format!("/api/v1/generations/{id}").as_str())
    );
    let record = ended(&world, &id).await;
    assert_eq!(
        (record["status"].as_str(), record["framework"].as_str()),
        (Some("completed"), Some("blog")),
        "{record}"
    );
    let result = &record["result"];
    assert_eq!(
        (result["kind"].as_str(), result["method"].as_str()),
        (Some("blog"), Some("extractive")),
        "{result}"
    );
    assert_eq!(result["citations"][0]["document_id"], world.document);
    assert!(result["markdown"].as_str().unwrap().starts_with("# Tickets"), "{result}");
    let frames = world
        .user
        .api
        .sse(&format!("/api/v1/generations/{id}/stream"))
        .await
        .unwrap()
        .to_end()
        .await
        .unwrap();
    let stages: Vec<Value> = frames
        .iter()
        .filter(|frame| !frame.is_control())
        .map(|frame| frame.json()["stage"].clone())
        .collect();
    for stage in ["load", "read", "rank", "compose", "check"] {
        assert!(stages.contains(&json!(stage)), "{stage} in {stages:?}");
    }
}

#[tokio::test]
async fn an_article_is_refused_over_what_is_anothers_or_absent_and_made_once_for_a_key() {
    let world = World::start().await;
    let stranger = world.server.user().await.unwrap();
    let route = "/api/v1/blog/generate";
    let body = json!({ "session_id": world.conversation, "prompt": "x" });
    assert_eq!(stranger.api.post(route, &body).await.unwrap().status, 403);
    assert_eq!(world.server.anonymous().unwrap().post(route, &body).await.unwrap().status, 401);
    let body = json!({ "document_ids": [world.document], "prompt": "x" });
    let refused = stranger.api.post(route, &body).await.unwrap();
    assert_eq!(
        (refused.status, refused.json()["errors"][0]["pointer"].as_str()),
        (422, Some("/document_ids/0"))
    );
    let absent = json!({ "session_id": "0199a7c2-0000-7000-8000-000000000000", "prompt": "x" });
    assert_eq!(world.user.api.post(route, &absent).await.unwrap().status, 404);
    assert_eq!(
        world.user.api.post(route, &json!({ "document_ids": [world.document] })).await.unwrap().status,
        422
    );
    let once = world.user.api.with_header("idempotency-key", "k");
    let (first, again) = (once.post(route, &body).await.unwrap(), once.post(route, &body).await.unwrap());
    assert_eq!((first.status, first.member("id")), (201, again.member("id")));
}

#[tokio::test]
async fn a_model_writes_the_article_and_is_asked_again_when_it_is_busy() {
    let model = ModelService::start(vec![
        refusal("429 Too Many Requests", "retry-after: 0\r\n"),
        whole(&["Tickets are short-lived [1].\n\n## Leases\n\nA lease is left behind [1]. <b>x</b>"]),
    ])
    .await;
    let world = with_model(&model).await;
    let body = json!({ "document_ids": [world.document], "prompt": "How tickets work" });
    let made = world.user.api.post("/api/v1/blog/generate", &body).await.unwrap();
    let record = ended(&world, &made.member("id")).await;
    assert_eq!(record["status"], "completed", "{record}");
    assert_eq!(record["result"]["method"], "model");
    assert_eq!(record["result"]["citations"][0]["document_id"], world.document);
    assert!(!record["result"]["markdown"].as_str().unwrap().contains("<b>"), "{record}");
    assert_eq!(model.requests().len(), 2);
}

#[tokio::test]
async fn a_story_is_written_by_the_model_where_no_worker_is_named_for_it() {
    let model = ModelService::start(vec![
        whole(&["The Dyke\nThe Storm"]),
        whole(&["It was calm."]),
        whole(&["Then not."]),
    ])
    .await;
    let world = with_model(&model).await;
    let form = "prompt=A+keeper&scenes=2&style=a+fairy+tale";
    let request = world.user.api.request(reqwest::Method::POST, "/api/master-mode/generate-story");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
    let made = world.user.api.send(request).await.unwrap();
    assert_eq!(made.member("status"), "processing", "{}", made.text);
    let record = ended(&world, &made.member("generation_id")).await;
    assert_eq!(record["status"], "completed", "{record}");
    assert_eq!(
        record["result"]["scenes"][1],
        json!({ "number": 2, "title": "The Storm", "text": "Then not." })
    );
    assert!(model.requests()[1].contains("a fairy tale"));
}

#[tokio::test]
async fn a_model_that_refuses_its_key_fails_the_story_and_says_whose_fault_it_was() {
    let model = ModelService::start(vec![refusal("401 Unauthorized", "")]).await;
    let world = with_model(&model).await;
    let body = json!({ "framework": "master_mode", "prompt": "A keeper", "options": { "scenes": 1 } });
    let made = world.user.api.post("/api/v1/generations", &body).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text);
    let record = ended(&world, &made.member("id")).await;
    assert_eq!(
        (record["status"].as_str(), record["error"]["code"].as_str()),
        (Some("failed"), Some("model-key-refused")),
        "{record}"
    );
    assert_eq!(record["error"]["fault"], "operator", "{record}");
    assert!(!record.to_string().contains(super::model::KEY));
}

#[tokio::test]
async fn without_a_model_or_a_worker_a_story_says_that_nobody_asks_for_it() {
    let world = World::start().await;
    let body = json!({ "framework": "master_mode", "prompt": "A keeper" });
    let made = world.user.api.post("/api/v1/generations", &body).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!("/api/v1/generations/{}", made.member("id"));
    eventually("the record says so", || async {
        let record = world.user.api.get(&path).await.unwrap().json();
        assert_eq!(record["status"], "pending", "{record}");
        record["message"].as_str().is_some_and(|message| message.contains("worker")).then_some(())
    })
    .await;
}
