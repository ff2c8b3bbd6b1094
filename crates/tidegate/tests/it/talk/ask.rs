//! `tidegate ask` against the real program.

use serde_json::json;
use tidegate_testkit::{Api, TestProcess, eventually};

use super::world::GUIDE;
use crate::support::finish;

#[tokio::test]
async fn a_question_in_the_terminal_is_answered_with_its_sources() {
    let server = TestProcess::start().await.unwrap();
    let add = ["--json", "user", "add", "--email", "a@example.org", "--password-stdin"];
    finish(server.verb(&add).unwrap(), "difference-engine-3\n").await.expect(0);
    let create = ["--json", "key", "create", "--owner", "a@example.org", "--scope", "generations:work"];
    let key = finish(server.verb(&create).unwrap(), "").await.expect(0).json().remove(0);
    let key = key["secret"].as_str().unwrap().to_owned();
    let api = Api::new(server.url(), Some(key.clone())).unwrap();
    let form = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"guide.md\"\r\n\
         Content-Type: text/markdown\r\n\r\n{GUIDE}\r\n--b--\r\n"
    );
    let request = api.request(reqwest::Method::POST, "/api/v1/documents/upload");
    let request = request.header("content-type", "multipart/form-data; boundary=b").body(form);
    let uploaded = api.send(request).await.unwrap();
    assert_eq!(uploaded.status, 202, "{}", uploaded.text);
    let path = format!("/api/v1/documents/{}", uploaded.member("id"));
    eventually("the document is ready", || async {
        (api.get(&path).await.unwrap().member("status") == "ready").then_some(())
    })
    .await;
    let run = |args: &'static [&'static str]| {
        let mut command = server.verb(args).unwrap();
        command.env("TIDEGATE_KEY", &key);
        finish(command, "")
    };
    let answered = run(&["ask", "guide.md", "How long does a ticket live?"]).await.expect(0);
    assert!(answered.stdout.contains("60 seconds") && answered.stdout.contains("guide.md"), "{answered:?}");
    assert!(answered.stderr.contains("bytes"), "{answered:?}");
    let records = run(&["--json", "ask", "guide.md", "How long does a ticket live?"]).await.expect(0).json();
    assert_eq!(records.first().unwrap()["event"], "start");
    assert_eq!(records.last().unwrap()["event"], json!("done"));
    run(&["ask", "nothing.md", "How?"]).await.expect(4);
}
