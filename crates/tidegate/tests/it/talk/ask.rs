//! `tidegate ask` against the real program.

use std::sync::Arc;

use serde_json::json;
use tidegate_testkit::eventually;
use tokio::sync::Notify;

use super::model::{Act, ModelService, chunk, head, say, whole};
use super::terminal::{Relay, Running, Terminal};
use super::world::GUIDE;

const ASKED: &str = "How long does a ticket live?";

/// A server whose model is this one, with the guide as a document.
async fn terminal(model: &ModelService) -> Terminal {
    let variables = model.variables();
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let terminal = Terminal::start("[llm]\nbetween_tokens_seconds = 60\n", &variables).await;
    terminal.ready("guide.md", GUIDE.as_bytes()).await;
    terminal
}

#[tokio::test]
async fn a_question_in_the_terminal_is_answered_with_its_sources() {
    let terminal = Terminal::start("", &[]).await;
    terminal.ready("guide.md", GUIDE.as_bytes()).await;
    let answered = terminal.run(&["ask", "guide.md", ASKED]).await.expect(0);
    assert!(answered.stdout.contains("60 seconds") && answered.stdout.contains("guide.md"), "{answered:?}");
    assert!(answered.stderr.contains("bytes"), "{answered:?}");
    let records = terminal.run(&["--json", "ask", "guide.md", ASKED]).await.expect(0).json();
    assert_eq!(records.first().unwrap()["event"], "start");
    assert_eq!(records.last().unwrap()["event"], json!("done"));
    terminal.run(&["ask", "nothing.md", "How?"]).await.expect(4);
}

#[tokio::test]
async fn a_lost_connection_is_resumed_and_no_word_is_missed_or_doubled() {
    let go = Arc::new(Notify::new());
    let mut script = vec![head(), chunk(say("First, ").as_bytes()), Act::Await(Arc::clone(&go))];
    script.extend(whole(&["second."]).into_iter().skip(1));
    let model = ModelService::start(vec![script]).await;
    let terminal = terminal(&model).await;
    let relay = Relay::to(&terminal.server).await;
    let mut command = terminal.verb(&["ask", "guide.md", ASKED]);
    command.env("TIDEGATE_URL", relay.url());
    let mut ask = Running::start(command);
    ask.until("First, ").await;
    relay.cut();
    go.notify_one();
    let (code, said, notes) = ask.end().await;
    assert_eq!((code, said.as_str()), (0, "First, second.\n"), "{notes}");
    assert!(notes.contains("nothing was missed"), "{notes}");
}

#[tokio::test]
async fn ctrl_c_stops_the_answer_on_the_server_and_keeps_what_was_written() {
    let model = ModelService::hanging("Half").await;
    let terminal = terminal(&model).await;
    let mut ask = Running::start(terminal.verb(&["ask", "guide.md", ASKED]));
    ask.until("Half").await;
    ask.interrupt().await;
    let (code, said, notes) = ask.end().await;
    assert_eq!((code, said.as_str()), (130, "Half\n"), "{notes}");
    let list = terminal.api.get("/api/v1/conversations").await.unwrap().json();
    let path = format!("/api/v1/conversations/{}/turns/1", list["items"][0]["id"].as_str().unwrap());
    let turn = terminal.api.get(&path).await.unwrap().json();
    assert_eq!((turn["status"].as_str(), turn["answer"].as_str()), (Some("stopped"), Some("Half")));
    eventually("the service sees that nobody listens", || async { (model.closed() == 1).then_some(()) })
        .await;
}

#[tokio::test]
async fn a_killed_server_is_waited_for_and_the_answers_end_is_told() {
    let model = ModelService::hanging("Half").await;
    let mut terminal = terminal(&model).await;
    let mut ask = Running::start(terminal.verb(&["ask", "guide.md", ASKED]));
    ask.until("Half").await;
    terminal.server.kill().await.unwrap();
    terminal.server.restart().await.unwrap();
    let (code, said, notes) = ask.end().await;
    assert_eq!((code, said.as_str()), (1, "Half\n"), "{notes}");
    assert!(notes.contains("reconnecting") && notes.contains("restarted"), "{notes}");
}
