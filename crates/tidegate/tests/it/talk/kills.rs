//! `kill -9` of the real server while it reads a document, and while it answers: after its start
//! everything that was under way ends, and says how.

use serde_json::json;

use super::model::{Act, ModelService, chunk, head, say, whole};
use super::terminal::Terminal;
use super::world::GUIDE;

/// Text that takes a build for debugging a few seconds to read.
fn long_text() -> Vec<u8> {
    let lines = (0..30_000)
        .map(|n| format!("The keeper of gate {n} wrote tide {} into the ledger.\n\n", n * 7 % 999));
    lines.collect::<String>().into_bytes()
}

#[tokio::test]
async fn a_document_whose_reading_was_killed_is_read_again_from_its_beginning() {
    let mut terminal =
        Terminal::start("[limits]\nextraction_cpu_seconds = 300\nextraction_wall_seconds = 300\n", &[]).await;
    let text = long_text();
    let id = terminal.upload("long.txt", &text).await;
    terminal.document(&id, |record| record["passages"].as_u64() > Some(0)).await;
    terminal.server.kill().await.unwrap();
    terminal.server.restart().await.unwrap();
    let record = terminal.document(&id, |record| record["status"] != "processing").await;
    assert_eq!(record["status"], "ready", "{record}");
    // Nothing of the first attempt is left beside the second.
    let path = format!("/api/v1/documents/{id}/passages?query=keeper%20of%20gate%2029999");
    let found = terminal.api.get(&path).await.unwrap().json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    let frames =
        terminal.api.sse(&format!("/api/v1/documents/{id}/stream")).await.unwrap().to_end().await.unwrap();
    let last = frames.iter().rev().find(|frame| !frame.is_control()).unwrap().json();
    assert_eq!((last["status"].as_str(), last["attempt"].as_u64()), (Some("ready"), Some(2)), "{last}");
}

#[tokio::test]
async fn a_document_that_kills_its_server_each_time_fails_in_the_end() {
    let settings =
        "[limits]\nextraction_attempts = 1\nextraction_cpu_seconds = 300\nextraction_wall_seconds = 300\n";
    let mut terminal = Terminal::start(settings, &[]).await;
    let id = terminal.upload("long.txt", &long_text()).await;
    terminal.document(&id, |record| record["passages"].as_u64() > Some(0)).await;
    terminal.server.kill().await.unwrap();
    terminal.server.restart().await.unwrap();
    let record = terminal.document(&id, |record| record["status"] != "processing").await;
    assert_eq!(
        (record["status"].as_str(), record["error"]["code"].as_str()),
        (Some("failed"), Some("document-unprocessable"))
    );
    let path = format!("/api/v1/documents/{id}/passages");
    assert_eq!(terminal.api.get(&path).await.unwrap().json()["items"], json!([]), "half a document is none");
}

#[tokio::test]
async fn an_answer_that_was_killed_ends_with_what_happened_and_the_next_question_is_answered() {
    let hanging = vec![head(), chunk(say("Half").as_bytes()), Act::Hang];
    let model = ModelService::start(vec![hanging, whole(&["Whole."])]).await;
    let variables = model.variables();
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut terminal = Terminal::start("[llm]\nbetween_tokens_seconds = 60\n", &variables).await;
    let document = terminal.ready("guide.md", GUIDE.as_bytes()).await;
    let conversation = format!("/api/v1/conversations/{}", terminal.conversation(&document).await);
    let asking = terminal.api.with_header("prefer", "respond-async");
    for message in ["How long does a ticket live?", "And a lease?"] {
        let taken =
            asking.post(&format!("{conversation}/turns"), &json!({ "message": message })).await.unwrap();
        assert_eq!(taken.status, 202, "{}", taken.text);
    }
    let mut reader = terminal.api.sse(&format!("{conversation}/turns/1/stream")).await.unwrap();
    let delta = reader.named("delta").await.unwrap();
    terminal.server.kill().await.unwrap();
    terminal.server.restart().await.unwrap();
    // Who was reading goes on after the last event seen, and hears the end.
    let mut again =
        terminal.api.sse_after(&format!("{conversation}/turns/1/stream"), delta.offset()).await.unwrap();
    let error = again.named("turn.error").await.unwrap().json();
    assert_eq!((error["code"].as_str(), error["length"].as_u64()), (Some("server-restarted"), Some(4)));
    for (number, kept) in [(1, "Half"), (2, "")] {
        let turn = terminal.api.get(&format!("{conversation}/turns/{number}")).await.unwrap().json();
        assert_eq!(
            (turn["status"].as_str(), turn["answer"].as_str()),
            (Some("failed"), Some(kept)),
            "{turn}"
        );
    }
    let whole = terminal
        .api
        .post(&format!("/documents/{document}/chat"), &json!({ "message": "Now?" }))
        .await
        .unwrap();
    assert_eq!((whole.status, whole.member("answer")), (200, "Whole.".to_owned()), "{}", whole.text);
}
