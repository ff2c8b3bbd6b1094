//! Documents over HTTP and from the command line, against the real server.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tidegate_testkit::{Api, TestAnswer, TestProcess, TestServer, eventually};

use crate::support::finish;

const TEXT: &str = "# Gates\n\nA tide gate lets water through one way and shuts against the flow back.\n\n\
    # Events\n\nServer-sent events are one way too.\n";

/// A multipart body with one file.
fn form(filename: &str, media_type: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--b\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\
         Content-Type: {media_type}\r\n\r\n"
    );
    [head.as_bytes(), bytes, b"\r\n--b--\r\n"].concat()
}

async fn post(api: &Api, path: &str, filename: &str, bytes: &[u8]) -> TestAnswer {
    let body = form(filename, "application/octet-stream", bytes);
    let request =
        api.request(Method::POST, path).header("content-type", "multipart/form-data; boundary=b").body(body);
    api.send(request).await.unwrap()
}

async fn upload(api: &Api, filename: &str, bytes: &[u8]) -> TestAnswer {
    post(api, "/api/v1/documents/upload", filename, bytes).await
}

async fn ready(api: &Api, id: &str) -> Value {
    eventually("the document is processed", || async {
        let record = api.get(&format!("/api/v1/documents/{id}")).await.unwrap().json();
        (record["status"] != "processing").then_some(record)
    })
    .await
}

#[tokio::test]
async fn a_document_is_uploaded_read_searched_and_deleted() {
    let server = TestServer::start().await.unwrap();
    let api = server.user().await.unwrap().api;
    let answer = upload(&api, "gates.md", TEXT.as_bytes()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let record = answer.json();
    assert_eq!(record["status"], "processing");
    assert_eq!(record["filename"], "gates.md");
    assert_eq!(record["media_type"], "text/markdown");
    assert_eq!(record["size"], TEXT.len());
    let id = answer.member("id");
    assert_eq!(answer.header("location"), format!("/api/v1/documents/{id}"));
    let record = ready(&api, &id).await;
    assert_eq!((&record["status"], &record["passages"]), (&Value::from("ready"), &Value::from(2)));
    let list = api.get("/api/v1/documents").await.unwrap().json();
    assert_eq!(list["items"][0]["id"], id);

    let path = format!("/api/v1/documents/{id}/passages");
    let first = api.get(&format!("{path}?limit=1")).await.unwrap().json();
    assert_eq!(first["items"][0]["heading"], "Gates");
    let next = first["next_cursor"].as_str().unwrap();
    let second = api.get(&format!("{path}?limit=1&cursor={next}")).await.unwrap().json();
    assert_eq!(second["items"][0]["heading"], "Events");
    assert_eq!(second["next_cursor"], Value::Null);

    let found = api.get(&format!("{path}?query=flowing%20wat")).await.unwrap().json();
    let hit = &found["items"][0];
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let marked: Vec<_> = hit["snippet"].as_array().unwrap().iter().filter(|p| p["match"] == true).collect();
    assert_eq!(marked.iter().map(|p| p["text"].as_str().unwrap()).collect::<Vec<_>>(), ["water", "flow"]);
    let (text, range) = (hit["text"].as_str().unwrap(), &hit["highlights"][0]);
    let (start, end) = (range["start"].as_u64().unwrap(), range["end"].as_u64().unwrap());
    assert_eq!(&text[start as usize..end as usize], "water");

    assert_eq!(api.delete(&format!("/api/v1/documents/{id}")).await.unwrap().status, 204);
    assert_eq!(api.get(&format!("/api/v1/documents/{id}")).await.unwrap().code(), "not-found");
}

#[tokio::test]
async fn what_a_person_types_is_never_a_query_language_error() {
    let server = TestServer::start().await.unwrap();
    let api = server.user().await.unwrap().api;
    let id = upload(&api, "a.txt", b"alpha beta").await.member("id");
    ready(&api, &id).await;
    for query in
        ["%22", "a%22b", "NEAR(a", "AND", "-alpha", "col:x", "*", "%00", "(", "%F0%9F%A6%80", "^", "{x}"]
    {
        let answer = api.get(&format!("/api/v1/documents/{id}/passages?query={query}")).await.unwrap();
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    }
}

#[tokio::test]
async fn nobody_reads_or_deletes_what_is_anothers() {
    let server = TestServer::start().await.unwrap();
    let owner = server.user().await.unwrap();
    let id = upload(&owner.api, "a.txt", b"secret").await.member("id");
    ready(&owner.api, &id).await;
    let paths = ["", "/passages", "/passages?query=secret", "/content", "/stream"];
    for stranger in [server.user().await.unwrap().api, server.admin().await.unwrap().api] {
        for path in paths {
            let answer = stranger.get(&format!("/api/v1/documents/{id}{path}")).await.unwrap();
            assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"), "{path}");
        }
        assert_eq!(stranger.delete(&format!("/api/v1/documents/{id}")).await.unwrap().status, 403);
        let token = stranger.post_empty(&format!("/api/v1/documents/{id}/stream-token")).await.unwrap();
        assert_eq!(token.status, 403);
        let list = stranger.get("/api/v1/documents").await.unwrap().json();
        assert_eq!(list["items"], serde_json::json!([]));
    }
    let nobody = server.anonymous().unwrap();
    for path in paths {
        assert_eq!(nobody.get(&format!("/api/v1/documents/{id}{path}")).await.unwrap().status, 401, "{path}");
    }
    assert_eq!(upload(&nobody, "a.txt", b"x").await.status, 401);
    for absent in ["01890a5d-ac96-774b-bcce-b302099a8057", "nonsense"] {
        for path in paths {
            let answer = owner.api.get(&format!("/api/v1/documents/{absent}{path}")).await.unwrap();
            assert_eq!(answer.status, 404, "{absent}{path}");
        }
    }
    let worker = server.key_of(Some(owner.id), &["generations:work"]).await.unwrap().api;
    assert_eq!(worker.get(&format!("/api/v1/documents/{id}/passages")).await.unwrap().status, 200);
    let operator = server.key(&["generations:work"]).await.unwrap().api;
    let refused = operator.get(&format!("/api/v1/documents/{id}/passages")).await.unwrap();
    assert_eq!(refused.code(), "insufficient-scope");
    let reader = server.key(&["streams:read:documents/**"]).await.unwrap().api;
    assert_eq!(reader.get(&format!("/api/v1/documents/{id}/passages")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_file_comes_back_to_be_saved_and_never_shown() {
    let server = TestServer::start().await.unwrap();
    let api = server.user().await.unwrap().api;
    let page = b"<!doctype html><script>alert(1)</script><p>Text</p>";
    let id = upload(&api, "../../\u{202e}page \u{fc}.html", page).await.member("id");
    let record = ready(&api, &id).await;
    assert_eq!(record["filename"], "page \u{fc}.html");
    let answer = api.get(&format!("/api/v1/documents/{id}/content")).await.unwrap();
    assert_eq!(answer.text.as_bytes(), page);
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"page _.html\"; filename*=UTF-8''page%20%C3%BC.html"
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-security-policy").starts_with("sandbox"));
}

#[tokio::test]
async fn uploads_that_are_not_taken_say_why_and_leave_nothing() {
    let server = TestServer::start_with(|config| config.limits.upload_bytes = 100_000).await.unwrap();
    let api = server.user().await.unwrap().api;
    let cases: [(&str, &[u8], u16, &str); 6] = [
        ("a.txt", &[b'x'; 100_001], 413, "body-too-large"),
        ("a.txt", &[b'x'; 400_000], 413, "body-too-large"),
        ("a.pdf", b"<html><script>x</script>", 415, "unsupported-media-type"),
        ("a.exe", b"MZ\x90\0\x03\0\0\0", 415, "unsupported-media-type"),
        ("a.txt", b"", 422, "document-unprocessable"),
        ("a.pdf", b"%PDF-1.7\nno pages here", 422, "document-unprocessable"),
    ];
    for (filename, bytes, status, code) in cases {
        let answer = upload(&api, filename, bytes).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{filename}: {}", answer.text);
    }
    let request = api.request(Method::POST, "/api/v1/documents/upload").json(&serde_json::json!({}));
    assert_eq!(api.send(request).await.unwrap().status, 415);
    let request = api.request(Method::POST, "/api/v1/documents/upload");
    let request = request.header("content-type", "multipart/form-data; boundary=b").body("--b--\r\n");
    assert_eq!(api.send(request).await.unwrap().status, 422);
    let list = api.get("/api/v1/documents").await.unwrap().json();
    assert_eq!(list["items"], serde_json::json!([]));
}

#[tokio::test]
async fn the_same_key_and_file_give_the_first_answer_again() {
    let server = TestServer::start().await.unwrap();
    let api = server.user().await.unwrap().api.with_header("idempotency-key", "one");
    let first = upload(&api, "a.txt", b"alpha").await;
    let again = upload(&api, "a.txt", b"alpha").await;
    assert_eq!((first.status, again.status), (202, 202));
    assert_eq!(first.member("id"), again.member("id"));
    assert_eq!(upload(&api, "a.txt", b"beta").await.code(), "idempotency-conflict");
    let list = api.get("/api/v1/documents").await.unwrap().json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_ticket_opens_the_stream_of_the_processing() {
    let server = TestServer::start().await.unwrap();
    let user = server.user().await.unwrap();
    let id = upload(&user.api, "gates.md", TEXT.as_bytes()).await.member("id");
    let minted = user.api.post_empty(&format!("/api/v1/documents/{id}/stream-token")).await.unwrap();
    assert_eq!(minted.status, 200, "{}", minted.text);
    assert_eq!(minted.member("stream_url"), format!("/api/v1/documents/{id}/stream"));
    let url = format!("{}?token={}", minted.member("stream_url"), minted.member("sse_token"));
    let mut reader = server.anonymous().unwrap().sse(&url).await.unwrap();
    let mut stages = Vec::new();
    while let Some(frame) = reader.next().await.unwrap() {
        if frame.event.as_deref() == Some("tidegate.end") {
            break;
        }
        if frame.event.is_none() {
            let record: Value = serde_json::from_str(&frame.data).unwrap();
            stages.push(record["stage"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(stages.first().map(String::as_str), Some("received"));
    assert_eq!(stages.last().map(String::as_str), Some("ready"));
    let told = eventually("the feed is told", || async {
        let feed = user.api.get("/api/v1/events?after=-1").await.unwrap().json();
        feed["items"].get(0).cloned()
    });
    assert_eq!(told.await["type"], "document.ready");
}

#[tokio::test]
async fn front_ends_that_existed_before_reach_documents_under_their_paths() {
    let server = TestServer::start().await.unwrap();
    let api = server.user().await.unwrap().api;
    for path in ["/documents", "/documents/upload"] {
        let answer = post(&api, path, "a.txt", b"alpha").await;
        assert_eq!(answer.status, 202, "{path}: {}", answer.text);
    }
    let list = api.get("/documents").await.unwrap().json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let id = list["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(api.get(&format!("/documents/{id}")).await.unwrap().member("id"), id);
    let page = api.with_header("accept", "text/html,*/*").get("/documents").await.unwrap();
    assert!(page.text.starts_with("<!doctype html>"));
    assert_eq!(api.delete(&format!("/documents/{id}")).await.unwrap().status, 204);
}

#[tokio::test]
async fn upload_in_the_terminal_waits_for_the_end_and_says_how_it_went() {
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
    ];
    let key = finish(server.verb(&create).unwrap(), "").await.expect(0).json().remove(0);
    let key = key["secret"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("gates.md"), folder.path().join("bad.pdf"));
    std::fs::write(&good, TEXT).unwrap();
    std::fs::write(&bad, "<html>").unwrap();
    let run = |args: &[&str]| {
        let mut command = server.verb(args).unwrap();
        command.env("TIDEGATE_KEY", &key);
        finish(command, "")
    };
    let ended = run(&["--json", "upload", "--wait", good.to_str().unwrap()]).await.expect(0);
    let record = &ended.json()[0];
    assert_eq!((&record["status"], &record["passages"]), (&Value::from("ready"), &Value::from(2)));
    let ended = run(&["upload", good.to_str().unwrap(), bad.to_str().unwrap()]).await.expect(1);
    assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("unsupported-media-type"), "{ended:?}");
    run(&["upload", "/no/such/file"]).await.expect(1);
    assert!(ended.after < Duration::from_secs(20));
}
