//! Asking, reading, stopping, deleting: the contract of section 8.

use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};
use tidegate_testkit::{SseReader, TestServer};

use super::world::{World, names, text};

#[tokio::test]
async fn an_answer_streams_in_the_response_to_its_question() {
    let world = World::start().await;
    let began = Instant::now();
    let mut answer = world.ask("How long does a ticket live?").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    let start = answer.record().await.unwrap();
    let first = answer.record().await.unwrap();
    println!("first delta over HTTP after {:?}", began.elapsed());
    let rest = answer.to_end().await.unwrap();
    assert_eq!(start.event.as_deref(), Some("start"));
    assert_eq!(start.json()["turn_id"], "1");
    assert_eq!(start.json()["conversation_id"], world.conversation);
    assert_eq!(start.json()["stream_url"], world.path("/turns/1/stream"));
    assert!(first.data.starts_with("{\"type\":\"delta\",\"text\":"), "{}", first.data);
    let done = rest.iter().find(|frame| frame.event.as_deref() == Some("done")).unwrap().json();
    let end = rest.last().unwrap();
    assert_eq!((end.event.as_deref(), end.json()["reason"].as_str()), (Some("tidegate.end"), Some("eof")));
    let turn = world.turn(1).await;
    assert_eq!((turn["status"].as_str(), &turn["text_sha256"]), (Some("completed"), &done["text_sha256"]));
    assert_eq!(done["length"].as_u64(), turn["answer"].as_str().map(|answer| answer.len() as u64));
    assert!(turn["answer"].as_str().unwrap().contains("60 seconds"));
    assert_eq!(turn["citations"][0]["document_id"], world.document);
}

#[tokio::test]
async fn a_reload_reads_on_at_the_exact_character() {
    let world = World::start().await;
    let whole = world.ask("How long does a ticket live?").await.to_end().await.unwrap();
    let turn = world.turn(1).await;
    assert_eq!(text(&whole), turn["answer"].as_str().unwrap());
    let path = world.path("/turns/1/stream");
    for (at, frame) in whole.iter().enumerate().filter(|(_, frame)| !frame.is_control()) {
        let mut again = world.user.api.sse_after(&path, frame.offset()).await.unwrap();
        if frame.event.as_deref() == Some("done") {
            assert_eq!(again.status, 204, "nothing is left to say");
            continue;
        }
        let rest = again.to_end().await.unwrap();
        assert_eq!(format!("{}{}", text(&whole[..=at]), text(&rest)), text(&whole));
    }
}

#[tokio::test]
async fn who_prefers_it_gets_the_place_of_the_stream() {
    let world = World::start().await;
    let taken = world.ask_later("How long does a ticket live?").await;
    assert_eq!((taken.status, taken.header("preference-applied")), (202, "respond-async"));
    assert_eq!(taken.header("location"), world.path("/turns/1/stream"));
    assert_eq!((taken.member("id").as_str(), taken.member("message").is_empty()), ("1", false));
    let token = world.user.api.post_empty(&world.path("/turns/1/stream-token")).await.unwrap();
    assert_eq!((token.status, token.member("turn_id").as_str()), (200, "1"));
    let url = format!("{}?token={}", token.member("stream_url"), token.member("sse_token"));
    let frames = world.server.anonymous().unwrap().sse(&url).await.unwrap().to_end().await.unwrap();
    assert_eq!(names(&frames).first(), Some(&"start"));
    assert_eq!(names(&frames).last(), Some(&"done"));
    let spent = world.server.anonymous().unwrap().sse(&url).await.unwrap();
    assert_eq!(spent.status, 401);
}

#[tokio::test]
async fn a_question_with_an_idempotency_key_is_asked_once_and_its_answer_read_again() {
    let world = World::start().await;
    let api = world.user.api.with_header("idempotency-key", "k1");
    let mut texts = Vec::new();
    for _ in 0..2 {
        let request = api.request(Method::POST, &world.path("/turns"));
        let response =
            request.json(&json!({ "message": "How long does a ticket live?" })).send().await.unwrap();
        texts.push(text(&SseReader::new(response).to_end().await.unwrap()));
    }
    assert_eq!(texts[0], texts[1]);
    let conversation = world.user.api.get(&world.path("")).await.unwrap().json();
    assert_eq!(conversation["turns"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn asking_again_makes_a_sibling() {
    let world = World::start().await;
    world.ask_later("How long does a ticket live?").await;
    world.ended(1).await;
    let api = world.user.api.with_header("accept", "application/json");
    let again = api.post_empty(&world.path("/turns/1/regenerate")).await.unwrap();
    assert_eq!(again.status, 202, "{}", again.text);
    assert_eq!((again.member("id"), again.member("sibling_of")), ("2".into(), "1".into()));
    assert_eq!(again.json()["parent_id"], Value::Null);
    world.ended(2).await;
}

#[tokio::test]
async fn conversations_are_their_owners() {
    let world = World::start().await;
    world.ask_later("How long does a ticket live?").await;
    let other = world.server.user().await.unwrap();
    let body = json!({ "message": "Mine?" });
    for (method, rest) in [
        (Method::GET, ""),
        (Method::DELETE, ""),
        (Method::POST, "/turns"),
        (Method::GET, "/turns/1"),
        (Method::GET, "/turns/1/stream"),
        (Method::POST, "/turns/1/stop"),
        (Method::POST, "/turns/1/regenerate"),
        (Method::POST, "/turns/1/stream-token"),
    ] {
        let send = |api: &tidegate_testkit::Api| {
            let request = api.request(method.clone(), &world.path(rest));
            let request = if method == Method::POST { request.json(&body) } else { request };
            let api = api.clone();
            async move { api.send(request).await.unwrap() }
        };
        assert_eq!(send(&other.api).await.status, 403, "{method} {rest}");
        assert_eq!(send(&world.server.anonymous().unwrap()).await.status, 401, "{method} {rest}");
    }
    let absent = "/api/v1/conversations/0199a7c2-0000-7000-8000-000000000000";
    assert_eq!(world.user.api.get(absent).await.unwrap().status, 404);
    assert_eq!(world.user.api.get(&world.path("/turns/9")).await.unwrap().status, 404);
    let mine = other.api.get("/api/v1/conversations").await.unwrap().json();
    assert_eq!(mine["items"], json!([]));
    let theirs = json!({ "document_ids": [world.document] });
    assert_eq!(other.api.post("/api/v1/conversations", &theirs).await.unwrap().status, 404);
    let raw = format!("/v1/stream/conversations/{}/turns/1?live=events", world.conversation);
    assert_eq!(other.api.get(&raw).await.unwrap().status, 403);
}

#[tokio::test]
async fn a_bad_question_is_told_where_it_is_bad() {
    let world = World::start().await;
    for (body, pointer) in [
        (json!({ "message": "" }), "/message"),
        (json!({ "message": "x".repeat(40_000) }), "/message"),
        (json!({ "message": "x", "parent_id": "seven" }), "/parent_id"),
        (json!({ "message": "x", "parent_id": "7" }), "/parent_id"),
        (json!({ "message": "x", "answerer": "oracle" }), "/answerer"),
        (json!({}), "/message"),
    ] {
        let refused = world.user.api.post(&world.path("/turns"), &body).await.unwrap();
        assert_eq!((refused.status, refused.json()["errors"][0]["pointer"].as_str()), (422, Some(pointer)));
    }
    let body = json!({ "message": "x" });
    let refused = world.user.api.post(&world.path("/turns?if_busy=maybe"), &body).await.unwrap();
    assert_eq!(refused.status, 422);
}

#[tokio::test]
async fn a_document_has_a_chat_of_its_own_and_old_paths_lead_to_it() {
    let world = World::start().await;
    let body = json!({ "message": "How long does a ticket live?" });
    let mut conversations = Vec::new();
    for prefix in ["/api/v1/documents", "/documents"] {
        let path = format!("{prefix}/{}/chat/stream", world.document);
        let request = world.user.api.request(Method::POST, &path).header("accept", "application/json");
        let frames = SseReader::new(request.json(&body).send().await.unwrap()).to_end().await.unwrap();
        assert!(text(&frames).contains("60 seconds"));
        let start = frames.iter().find(|frame| frame.event.as_deref() == Some("start")).unwrap().json();
        conversations.push(start["conversation_id"].clone());
    }
    let whole = world.user.api.post(&format!("/documents/{}/chat", world.document), &body).await.unwrap();
    assert_eq!(whole.status, 200, "{}", whole.text);
    assert!(whole.member("answer").contains("60 seconds"));
    conversations.push(whole.json()["conversation_id"].clone());
    assert!(conversations.iter().all(|id| *id == conversations[0]));
    let other = world.server.user().await.unwrap();
    let refused = other.api.post(&format!("/documents/{}/chat", world.document), &body).await.unwrap();
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn sessions_are_conversations_under_another_name() {
    let world = World::start().await;
    let bare = world.user.api.post_empty("/api/v1/sessions").await.unwrap();
    assert_eq!(bare.status, 201, "{}", bare.text);
    let body = json!({ "title": "Blog", "document_ids": [world.document] });
    let made = world.user.api.post("/api/v1/sessions", &body).await.unwrap();
    let found = world.user.api.get(&format!("/api/v1/sessions/{}", made.member("id"))).await.unwrap();
    assert_eq!((found.status, found.member("session_id")), (200, made.member("id")));
    assert_eq!(found.json()["turns"], json!([]));
}

#[tokio::test]
async fn deleting_ends_open_tails_with_deleted() {
    let model = super::model::ModelService::hanging("Half").await;
    let world = World::with(|config| model.configure(config)).await;
    let mut answer = world.ask("How long does a ticket live?").await;
    answer.named("delta").await.unwrap();
    let deleted = world.user.api.delete(&world.path("")).await.unwrap();
    assert_eq!(deleted.status, 204);
    let end = answer.named("tidegate.end").await.unwrap();
    assert_eq!(end.json()["reason"], "deleted");
    assert_eq!(world.user.api.get(&world.path("")).await.unwrap().status, 404);
}

#[tokio::test]
async fn after_a_restart_an_unfinished_answer_ends_and_says_so() {
    let model = super::model::ModelService::hanging("Half").await;
    let world = World::with(|config| model.configure(config)).await;
    let mut answer = world.ask("How long does a ticket live?").await;
    let delta = answer.named("delta").await.unwrap();
    let World { server, user, document, conversation } = world;
    let server: TestServer = server.restart().await.unwrap();
    let world = World { server, user, document, conversation };
    let mut again = world.user.api.sse_after(&world.path("/turns/1/stream"), delta.offset()).await.unwrap();
    let error = again.named("turn.error").await.unwrap().json();
    assert_eq!((error["code"].as_str(), error["fault"].as_str()), (Some("server-restarted"), Some("server")));
    let turn = world.turn(1).await;
    assert_eq!((turn["status"].as_str(), turn["answer"].as_str()), (Some("failed"), Some("Half")));
    assert_eq!(turn["error"]["code"], "server-restarted");
}
