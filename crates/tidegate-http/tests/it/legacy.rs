//! Front ends that existed before, calling as their code does: plain `EventSource` without headers,
//! forms, cookies, tickets in the query, tokens that are never refreshed.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use tidegate_gate::Role;

use crate::events::{EventStream, ask};
use crate::fixture::{Answer, Server, get};
use crate::members::Member;
use crate::people::{Person, body, key, user};

const STORY: &str = "POST /api/master-mode/generate-story";
const URLENCODED: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// What a browser sends with a request of a page's own.
async fn page_headers(server: &Server, member: &Member) -> [(&'static str, String); 2] {
    [("Cookie", member.cookie(server).await), ("Sec-Fetch-Site", "same-origin".to_owned())]
}

fn borrowed<'a>(headers: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// A worker that has claimed one.
struct Work {
    worker: Person,
    path: String,
    lease: String,
}

impl Work {
    async fn claim(server: &Server, framework: &str) -> Self {
        let (worker, _) = key(server, &["generations:work"], None).await;
        let wish = json!({ "frameworks": [framework], "lease_seconds": 60 });
        let claimed = body(&worker.call(server, "POST /api/v1/work/claim", &wish).await, 200);
        let path = format!("/api/v1/generations/{}", claimed["generation"]["id"].as_str().unwrap());
        Self { worker, path, lease: claimed["lease_token"].as_str().unwrap().to_owned() }
    }

    async fn report(&self, server: &Server, verb: &str, report: Value) -> Answer {
        let request = format!("POST {}/{verb}", self.path);
        let answer =
            self.worker.call_with(server, &request, &[("Tidegate-Lease", &self.lease)], &report).await;
        assert_eq!(answer.status, 200, "{}", answer.raw);
        answer
    }
}

#[tokio::test]
async fn a_page_may_open_its_stream_before_its_form_has_arrived_and_sees_all_in_its_own_words() {
    let server = Server::start().await;
    let ann = Member::new(&server, "ann", Role::User).await;
    let headers = page_headers(&server, &ann).await;
    let mut form = borrowed(&headers);
    form.push(URLENCODED);
    let early = async {
        let mut early =
            EventStream::open(&server, "/api/master-mode/progress/mine-1", &borrowed(&headers)).await;
        assert_eq!((early.status, early.next().await.unwrap().name.as_str()), (200, "tidegate.hello"));
        early
    };
    let late = async {
        server.until(|page| page.contains("tidegate_sockets 1")).await;
        ask(&server, STORY, &form, "prompt=A+tale&client_generation_id=mine-1&voice=calm").await
    };
    let (mut stream, answer) = tokio::join!(early, late);
    assert_eq!(body(&answer, 200), json!({ "generation_id": "mine-1", "status": "processing" }));
    let first = stream.next_but_ping().await.unwrap();
    let event = first.json();
    assert_eq!(
        (first.name.as_str(), &event["stage"], &event["status"]),
        ("", &json!("init"), &json!("processing"))
    );
    assert_eq!((&event["user_id"], &event["progress"]), (&json!(ann.id), &json!(0.0)));
    assert_eq!(event["current_step"], event["message"]);

    let work = Work::claim(&server, "master_mode").await;
    let report = json!({ "stage": "drawing", "progress": 0.29, "message": "Frame 29", "frames": [1, 2] });
    work.report(&server, "progress", report).await;
    stream.next_but_ping().await.unwrap();
    let drawn = stream.next_but_ping().await.unwrap();
    let event = drawn.json();
    assert_eq!((&event["progress"], &event["current_step"]), (&json!(29.0), &json!("Frame 29")));
    assert_eq!(event["frames"], json!([1, 2]));
    let url = "/api/generations/mine-1";
    let record = body(&server.send(&get(url, &borrowed(&headers))).await, 200);
    assert_eq!((&record["progress"], &record["current_step"]), (&json!(29.0), &json!("Frame 29")));
    assert_eq!((&record["user_id"], &record["status"]), (&json!(ann.id), &json!("processing")));
    assert_eq!(
        (&record["title"], &record["options"]),
        (&json!("Master Mode Video"), &json!({ "voice": "calm" }))
    );

    work.report(&server, "complete", json!({ "result": { "url": "v.mp4" } })).await;
    let rest = stream.rest().await;
    let done = rest.iter().find(|event| event.name.is_empty()).unwrap();
    assert_eq!((&done.json()["status"], &done.json()["progress"]), (&json!("completed"), &json!(100.0)));
    assert_eq!(rest.last().unwrap().json()["reason"], "eof");

    // The browser comes back by itself, first from the middle, then from the end.
    let back_from = |id: &str| [headers.to_vec(), vec![("Last-Event-ID", id.to_owned())]].concat();
    let again = back_from(drawn.id.as_deref().unwrap());
    let stream = EventStream::open(&server, "/api/master-mode/progress/mine-1", &borrowed(&again)).await;
    let seen = stream.rest().await;
    assert_eq!(seen.iter().filter(|event| event.name.is_empty()).count(), 1);
    let again = back_from(done.id.as_deref().unwrap());
    let over = server.send(&get("/api/master-mode/progress/mine-1", &borrowed(&again))).await;
    assert_eq!(over.status, 204, "{}", over.raw);
}

#[tokio::test]
async fn a_story_waits_as_processing_before_any_worker_has_it() {
    let server = Server::start().await;
    let ann = user(&server, "ann").await;
    let wanted = json!({ "prompt": "p", "title": "Mine", "scenes": 3, "style": { "ink": true } });
    let answer = body(&ann.call(&server, STORY, &wanted).await, 200);
    assert_eq!(answer["status"], "processing");
    let path = format!("/api/generations/{}", answer["generation_id"].as_str().unwrap());
    let record = body(&ann.get(&server, &path).await, 200);
    assert_eq!((&record["status"], &record["stage"]), (&json!("processing"), &json!("init")));
    assert_eq!((&record["framework"], &record["title"]), (&json!("master_mode"), &json!("Mine")));
    assert_eq!(record["options"], json!({ "scenes": 3, "style": { "ink": true } }));
}

#[tokio::test]
async fn a_multipart_form_is_taken_and_a_file_in_it_is_not() {
    let server = Server::start().await;
    let ann = user(&server, "ann").await;
    let headers =
        [("Authorization", ann.authorization.as_str()), ("Content-Type", "multipart/form-data; boundary=b")];
    let part =
        |head: &str, value: &str| format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n");
    let fields =
        [part("name=\"prompt\"", "A tale"), part("name=\"title\"", ""), part("name=\"n\"", "7")].concat();
    let made = body(&ask(&server, STORY, &headers, &format!("{fields}--b--\r\n")).await, 200);
    let path = format!("/api/generations/{}", made["generation_id"].as_str().unwrap());
    let record = body(&ann.get(&server, &path).await, 200);
    assert_eq!((&record["title"], &record["options"]), (&json!("Master Mode Video"), &json!({ "n": "7" })));
    let file = part("name=\"face\"; filename=\"a.png\"", "png");
    let refused = ask(&server, STORY, &headers, &format!("{fields}{file}--b--\r\n")).await;
    assert_eq!((refused.status, refused.code()), (422, "validation-failed".to_owned()));
    let bad = ann.call(&server, STORY, &json!({ "prompt": "p", "client_generation_id": "a b" })).await;
    assert_eq!((bad.status, &bad.problem()["errors"][0]["pointer"]), (422, &json!("/client_generation_id")));
    let without = ann.call(&server, STORY, &json!({ "title": "t" })).await;
    assert_eq!((without.status, &without.problem()["errors"][0]["pointer"]), (422, &json!("/prompt")));
}

#[tokio::test]
async fn a_story_is_its_owners_alone_and_one_that_never_comes_is_not_found() {
    let server = Server::start().await;
    let (ann, eve) = (user(&server, "ann").await, user(&server, "eve").await);
    body(&ann.call(&server, STORY, &json!({ "prompt": "p", "client_generation_id": "s-1" })).await, 200);
    for path in ["/api/master-mode/progress/s-1", "/api/generations/s-1"] {
        assert_eq!(server.send(&get(path, &[])).await.status, 401, "{path}");
        assert_eq!(eve.get(&server, path).await.status, 403, "{path}");
    }
    let stolen = eve.call(&server, STORY, &json!({ "prompt": "q", "client_generation_id": "s-1" })).await;
    assert_eq!((stolen.status, stolen.code()), (409, "id-taken".to_owned()));
    assert_eq!(ask(&server, STORY, &[URLENCODED], "prompt=p").await.status, 401);
    let began = tokio::time::Instant::now();
    assert_eq!(ann.get(&server, "/api/master-mode/progress/a%20b").await.status, 404);
    assert_eq!(server.send(&get("/api/master-mode/progress/unknown", &[])).await.status, 401);
    assert!(began.elapsed() < Duration::from_secs(5), "these are refused at once");
    let never = ann.get(&server, "/api/master-mode/progress/unknown").await;
    assert_eq!((never.status, never.code()), (404, "not-found".to_owned()));
    assert!(began.elapsed() >= Duration::from_secs(10));
}

#[tokio::test]
async fn a_page_that_waits_for_its_story_is_sent_away_by_a_shutdown() {
    let server = Server::start().await;
    let ann = user(&server, "ann").await;
    let headers = [("Authorization", ann.authorization.clone())];
    let address = server.address;
    let waiting = tokio::spawn(async move {
        let request = get("/api/master-mode/progress/unknown", &borrowed(&headers));
        EventStream::send_to(address, &request).await.rest().await
    });
    server.until(|page| page.contains("tidegate_sockets 1")).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.stop().await;
    let end = waiting.await.unwrap().pop().unwrap();
    assert_eq!((end.name.as_str(), &end.json()["reason"]), ("tidegate.end", &json!("drain")));
}

#[rstest]
#[case("/generations")]
#[case("/generations/generate")]
#[tokio::test]
async fn a_ticket_in_the_query_opens_the_stream_of_its_family_where_cancelled_reads_failed(
    #[case] family: &str,
) {
    let server = Server::start().await;
    let (ann, eve) = (user(&server, "ann").await, user(&server, "eve").await);
    let wanted = json!({ "id": "c-1", "prompt": "p", "framework": "external" });
    body(&ann.call(&server, "POST /api/v1/generations", &wanted).await, 201);
    let mint = format!("POST {family}/c-1/stream-token");
    assert_eq!(ask(&server, &mint, &[], "").await.status, 401);
    assert_eq!(eve.call(&server, &mint, &json!({})).await.status, 403);
    assert_eq!(ann.call(&server, &format!("POST {family}/c-2/stream-token"), &json!({})).await.status, 404);
    let token = body(&ask(&server, &mint, &[("Authorization", &ann.authorization)], "").await, 200);
    assert_eq!(
        (&token["stream_url"], &token["generation_id"]),
        (&json!(format!("{family}/c-1/stream")), &json!("c-1"))
    );
    assert_eq!(token["expires_in"], 60);

    let url = format!("{family}/c-1/stream?token={}", token["sse_token"].as_str().unwrap());
    let mut stream = EventStream::open(&server, &url, &[]).await;
    assert_eq!(stream.status, 200, "{}", stream.head);
    assert_eq!(stream.next().await.unwrap().name, "tidegate.hello");
    assert_eq!(stream.next().await.unwrap().json()["status"], "pending");
    let work = Work::claim(&server, "external").await;
    assert_eq!(stream.next_but_ping().await.unwrap().json()["stage"], "claimed");
    assert_eq!(ann.call(&server, "POST /api/v1/generations/c-1/cancel", &json!({})).await.status, 202);
    let cancelling = stream.next_but_ping().await.unwrap();
    assert_eq!(
        (&cancelling.json()["status"], &cancelling.json()["stage"]),
        (&json!("processing"), &json!("cancelling"))
    );
    work.report(&server, "progress", json!({ "stage": "x", "status": "cancelled" })).await;
    let rest = stream.rest().await;
    let last = rest.iter().find(|event| event.name.is_empty()).unwrap();
    assert_eq!(
        (&last.json()["status"], &last.json()["error"]["code"]),
        (&json!("failed"), &json!("cancelled"))
    );
    let record = body(&ann.get(&server, "/generations/c-1").await, 200);
    assert_eq!((&record["status"], &record["error"]["code"]), (&json!("failed"), &json!("cancelled")));
    let own = body(&ann.get(&server, "/api/v1/generations/c-1").await, 200);
    assert_eq!(own["status"], "cancelled", "the API proper says what it is");

    // The browser's own reconnect: the same URL with the last id. A copy of the URL opens nothing.
    let back = [("Last-Event-ID", cancelling.id.as_deref().unwrap())];
    let seen = EventStream::open(&server, &url, &back).await.rest().await;
    assert_eq!(seen.iter().filter(|event| event.name.is_empty()).count(), 1);
    let id = seen.iter().find(|event| event.name.is_empty()).unwrap().id.clone().unwrap();
    let over = server.send(&get(&url, &[("Last-Event-ID", &id)])).await;
    assert_eq!(over.status, 204, "{}", over.raw);
    assert_eq!(server.send(&get(&url, &[])).await.code(), "ticket-invalid");
    let jwt = ann.authorization.trim_start_matches("Bearer ");
    let leaked = server.send(&get(&format!("{family}/c-1/stream?token={jwt}"), &[])).await;
    assert_eq!((leaked.status, leaked.code()), (401, "credential-in-url".to_owned()));
}

#[tokio::test]
async fn a_feed_opens_by_cookie_and_by_sse_token_in_the_query() {
    let server = Server::start().await;
    let ann = user(&server, "ann").await;
    let mint = || async {
        ask(&server, "POST /api/v1/auth/sse-token", &[("Authorization", &ann.authorization)], "").await
    };
    let token = body(&mint().await, 200);
    let url = format!("/api/v1/events/stream?sse_token={}", token["sse_token"].as_str().unwrap());
    let mut by_query = EventStream::open(&server, &url, &[]).await;
    assert_eq!((by_query.status, by_query.next().await.unwrap().name.as_str()), (200, "tidegate.hello"));
    let minted = mint().await;
    let cookie = minted.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let headers = [("Cookie", cookie.as_str()), ("Sec-Fetch-Site", "same-origin")];
    let mut by_cookie = EventStream::open(&server, "/api/v1/events/stream", &headers).await;
    assert_eq!((by_cookie.status, by_cookie.next().await.unwrap().name.as_str()), (200, "tidegate.hello"));
}

#[tokio::test]
async fn tokens_of_these_paths_live_for_a_week_under_both_names_and_are_still_revocable() {
    let server = Server::start().await;
    let json_body = [("Content-Type", "application/json")];
    let ann =
        json!({ "email": "ann@example.org", "password": "seven green bottles", "name": "Ann" }).to_string();
    let registered = body(&ask(&server, "POST /auth/register", &json_body, &ann).await, 201);
    assert_eq!(registered["user"]["email"], "ann@example.org");
    let taken = ask(&server, "POST /auth/register", &json_body, &ann).await;
    assert_eq!((taken.status, taken.code()), (409, "email-taken".to_owned()));
    let signed_in = body(&ask(&server, "POST /auth/login", &json_body, &ann).await, 200);
    for answer in [&registered, &signed_in] {
        assert_eq!(answer["expires_in"], 604_800);
        assert!(answer["access_token"].is_string());
        assert_eq!(answer["accessToken"], answer["access_token"]);
    }
    let authorization = format!("Bearer {}", signed_in["accessToken"].as_str().unwrap());
    let headers = [("Authorization", authorization.as_str())];
    let me = body(&server.send(&get("/auth/me", &headers)).await, 200);
    assert_eq!((&me["email"], &me["name"]), (&json!("ann@example.org"), &json!("Ann")));
    let wrong = ann.replace("green", "blue");
    assert_eq!(ask(&server, "POST /auth/login", &json_body, &wrong).await.code(), "invalid-credentials");
    assert_eq!(ask(&server, "POST /api/v1/auth/logout", &headers, "").await.status, 204);
    assert_eq!(server.send(&get("/auth/me", &headers)).await.status, 401);
}

#[rstest]
#[case("/auth/login", 405)]
#[case("/auth/register", 405)]
#[case("/auth/me", 401)]
#[tokio::test]
async fn a_browser_gets_a_page_where_a_program_gets_an_answer(#[case] path: &str, #[case] status: u16) {
    let server = Server::start().await;
    let page = server.send(&get(path, &[("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")])).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let program = server.send(&get(path, &[("Accept", "application/json")])).await;
    assert_eq!(program.status, status, "{}", program.raw);
    assert_eq!(program.header("allow").is_some(), status == 405);
}

#[tokio::test]
async fn without_the_setting_none_of_these_paths_is_there() {
    let server = Server::with(|setup| setup.config.legacy_routes = false).await;
    let ann = user(&server, "ann").await;
    for path in [
        "/api/master-mode/progress/a",
        "/api/generations/a",
        "/generations/a",
        "/generations/a/stream",
        "/generations/generate/a/stream",
        "/auth/me",
        "/auth/login",
    ] {
        assert_eq!(ann.get(&server, path).await.status, 404, "{path}");
    }
    for path in [STORY, "POST /generations/a/stream-token", "POST /auth/register"] {
        assert_eq!(ann.call(&server, path, &json!({})).await.status, 404, "{path}");
    }
}
