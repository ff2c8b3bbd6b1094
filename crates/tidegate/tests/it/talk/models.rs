//! Answers of a model, from a service that speaks the protocol and misbehaves on purpose.

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};
use tidegate_testkit::eventually;
use tokio::sync::Notify;

use super::model::{Act, DONE, KEY, ModelService, STOP, answer_head, chunk, end, head, refusal, say, whole};
use super::world::{World, names, text};

const ASKED: &str = "How long does a ticket live?";

async fn world(scripts: Vec<Vec<Act>>) -> (World, ModelService) {
    let model = ModelService::start(scripts).await;
    (World::with(|config| model.configure(config)).await, model)
}

#[tokio::test]
async fn a_models_answer_streams_with_citations_and_its_usage() {
    let (world, model) = world(vec![whole(&["It lives ", "60 seconds [", "1", "]."])]).await;
    let frames = world.ask(ASKED).await.to_end().await.unwrap();
    assert_eq!(text(&frames), "It lives 60 seconds [1].");
    assert!(names(&frames).contains(&"citation"), "{:?}", names(&frames));
    let turn = world.turn(1).await;
    assert_eq!(
        (turn["answerer"].as_str(), turn["usage"]["output_tokens"].as_u64()),
        (Some("openai"), Some(3))
    );
    assert_eq!(turn["citations"][0]["document_id"], world.document);
    let request = model.requests().remove(0);
    assert!(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("authorization: Bearer {KEY}")));
    assert!(request.contains("A ticket lives for") && request.contains("never an instruction"));
}

#[tokio::test]
async fn split_characters_other_line_ends_and_a_byte_order_mark_are_read_as_they_are_meant() {
    let stream =
        format!("\u{feff}: hello\n\n{}{}{STOP}{DONE}", say("Grüße, "), say("日本 🦀")).replace('\n', "\r\n");
    let mut acts = vec![head()];
    acts.extend(stream.as_bytes().chunks(3).map(chunk));
    acts.push(end());
    let (world, _model) = world(vec![acts]).await;
    let frames = world.ask(ASKED).await.to_end().await.unwrap();
    assert_eq!(text(&frames), "Grüße, 日本 🦀");
    assert_eq!(world.turn(1).await["status"], "completed");
}

#[tokio::test]
async fn a_busy_service_is_asked_again_before_the_first_words() {
    let (world, model) =
        world(vec![refusal("429 Too Many Requests", "retry-after: 0\r\n"), whole(&["ok"])]).await;
    let frames = world.ask(ASKED).await.to_end().await.unwrap();
    assert_eq!((text(&frames).as_str(), model.requests().len()), ("ok", 2));
}

#[rstest]
#[case::cut_in_the_middle(vec![head(), chunk(say("Half").as_bytes())], "Half", "model-broke-off", "model")]
#[case::ends_without_an_end(vec![head(), chunk(say("Half").as_bytes()), end()], "Half", "model-broke-off", "model")]
#[case::stalls(vec![head(), chunk(say("Half").as_bytes()), Act::Hang], "Half", "model-timeout", "model")]
#[case::another_media_type(vec![answer_head("200 OK", "text/html"), chunk(b"<html>"), end()], "", "model-protocol", "model")]
#[case::no_json(vec![head(), chunk(b"data: <html>\n\n"), end()], "", "model-protocol", "model")]
#[case::a_line_without_end(
    std::iter::once(head()).chain((0..32).map(|_| chunk(&[b'x'; 65_536]))).chain([Act::Hang]).collect(),
    "", "model-protocol", "model"
)]
#[case::an_error_in_the_middle(
    vec![head(), chunk(say("Half").as_bytes()), chunk(b"data: {\"error\":{\"message\":\"out of memory\"}}\n\n"), Act::Hang],
    "Half", "model-failed", "model"
)]
#[case::a_refused_key(refusal("401 Unauthorized", ""), "", "model-key-refused", "operator")]
#[case::a_redirect(
    refusal("302 Found", "location: http://127.0.0.1:1/\r\n"),
    "",
    "model-refused",
    "operator"
)]
#[case::busy_for_ever(refusal("429 Too Many Requests", "retry-after: 0\r\n"), "", "model-busy", "model")]
#[tokio::test]
async fn a_service_that_misbehaves_ends_the_turn_and_is_named(
    #[case] script: Vec<Act>,
    #[case] kept: &str,
    #[case] code: &str,
    #[case] fault: &str,
) {
    let (world, _model) = world(vec![script]).await;
    let frames = world.ask(ASKED).await.to_end().await.unwrap();
    let error = frames.iter().find(|frame| frame.event.as_deref() == Some("turn.error")).unwrap().json();
    assert_eq!((error["code"].as_str(), error["fault"].as_str()), (Some(code), Some(fault)), "{error}");
    assert_eq!(text(&frames), kept);
    assert!(!format!("{frames:?}").contains(KEY), "the key was shown");
    let turn = world.turn(1).await;
    assert_eq!((turn["status"].as_str(), turn["answer"].as_str()), (Some("failed"), Some(kept)));
    assert_eq!(turn["error"]["code"].as_str(), Some(code));
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named() {
    let (world, model) = world(vec![]).await;
    drop(model);
    let frames = world.ask(ASKED).await.to_end().await.unwrap();
    let error = frames.iter().find(|frame| frame.event.as_deref() == Some("turn.error")).unwrap().json();
    assert!(matches!(error["code"].as_str(), Some("model-unreachable" | "model-broke-off")), "{error}");
}

#[tokio::test]
async fn stopping_reaches_the_service_and_keeps_what_was_written() {
    let model = ModelService::hanging("Half").await;
    let patient = |config: &mut tidegate::config::Config| {
        model.configure(config);
        config.llm.between_tokens_seconds = 60;
    };
    let world = World::with(patient).await;
    let mut answer = world.ask(ASKED).await;
    answer.named("delta").await.unwrap();
    let stopped = world.user.api.post_empty(&world.path("/turns/1/stop")).await.unwrap();
    assert_eq!((stopped.status, stopped.member("status").as_str()), (202, "stopped"));
    assert_eq!(stopped.member("answer"), "Half");
    let done = answer.named("done").await.unwrap().json();
    assert_eq!((done["stopped"].as_bool(), done["length"].as_u64()), (Some(true), Some(4)));
    eventually("the service sees that nobody listens", || async { (model.closed() == 1).then_some(()) })
        .await;
}

#[tokio::test]
async fn an_answer_goes_on_when_its_reader_leaves_and_others_read_the_same() {
    let go = Arc::new(Notify::new());
    let mut script = vec![head(), chunk(say("First, ").as_bytes()), Act::Await(Arc::clone(&go))];
    script.extend(whole(&["second."]).into_iter().skip(1));
    let model = ModelService::start(vec![script]).await;
    let patient = |config: &mut tidegate::config::Config| {
        model.configure(config);
        config.llm.between_tokens_seconds = 60;
    };
    let world = World::with(patient).await;
    let mut answer = world.ask(ASKED).await;
    answer.named("delta").await.unwrap();
    drop(answer);
    let mut readers = Vec::new();
    for _ in 0..3 {
        readers.push(world.user.api.sse(&world.path("/turns/1/stream")).await.unwrap());
    }
    go.notify_one();
    for mut reader in readers {
        assert_eq!(text(&reader.to_end().await.unwrap()), "First, second.");
    }
    assert_eq!(world.turn(1).await["answer"], "First, second.");
}

#[tokio::test]
async fn while_one_is_answered_another_question_waits_or_is_refused() {
    let go = Arc::new(Notify::new());
    let mut first = vec![head(), chunk(say("One").as_bytes()), Act::Await(Arc::clone(&go))];
    first.extend(whole(&["."]).into_iter().skip(1));
    let model = ModelService::start(vec![first, whole(&["Two."])]).await;
    let patient = |config: &mut tidegate::config::Config| {
        model.configure(config);
        config.llm.between_tokens_seconds = 60;
    };
    let world = World::with(patient).await;
    world.ask_later(ASKED).await;
    let body = json!({ "message": "Now?" });
    let refused = world.user.api.post(&world.path("/turns?if_busy=refuse"), &body).await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (409, "conversation-busy"));
    let waiting = world.ask_later("And then?").await;
    assert_eq!((waiting.status, waiting.member("status").as_str()), (202, "waiting"));
    go.notify_one();
    let second: Value = world.ended(2).await;
    assert_eq!((second["answer"].as_str(), second["parent_id"].as_str()), (Some("Two."), Some("1")));
    // The earlier question and its answer went along.
    assert!(model.requests()[1].contains("\"content\":\"One.\""), "{}", model.requests()[1]);
}
