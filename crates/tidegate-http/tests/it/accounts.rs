//! Accounts over HTTP: registering once, signing in, cookies, rotation, limits, and the feed's ticket.

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::events::{EventStream, ask};
use crate::fixture::{Answer, Server, get};

pub(crate) const PASSWORD: &str = "correct horse battery staple";
const SAME_ORIGIN: (&str, &str) = ("Sec-Fetch-Site", "same-origin");

/// A `POST` of JSON.
pub(crate) async fn post(server: &Server, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let mut headers = headers.to_vec();
    headers.push(("Content-Type", "application/json"));
    ask(server, &format!("POST {path}"), &headers, &body.to_string()).await
}

pub(crate) fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{}", answer.raw))
}

/// A new account's sign-in.
pub(crate) async fn register(server: &Server, email: &str) -> Value {
    let body = json!({ "email": email, "password": PASSWORD, "name": "Ada" });
    let answer = post(server, "/api/v1/auth/register", &[], &body).await;
    assert_eq!(answer.status, 201, "{}", answer.raw);
    json_of(&answer)
}

pub(crate) fn bearer(signed_in: &Value) -> String {
    format!("Bearer {}", signed_in["access_token"].as_str().unwrap())
}

async fn me(server: &Server, header: (&str, &str)) -> Answer {
    server.send(&get("/api/v1/auth/me", &[header])).await
}

async fn login(server: &Server, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    post(server, "/api/v1/auth/login", &[], &body).await
}

async fn refresh(server: &Server, token: &Value) -> Answer {
    post(server, "/api/v1/auth/refresh", &[], &json!({ "refresh_token": token })).await
}

/// `name=value` of the cookie that an answer sets.
fn cookie_of(head: &str, name: &str) -> String {
    let start = format!("set-cookie: {name}=").to_ascii_lowercase();
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&start));
    let line = line.unwrap_or_else(|| panic!("no cookie {name} in {head}"));
    line["set-cookie: ".len()..].split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_registration_answers_with_the_account_and_its_tokens() {
    let server = Server::start().await;
    let signed_in = register(&server, "Ada@example.test").await;
    assert_eq!(signed_in["token_type"], "bearer");
    assert_eq!(signed_in["expires_in"], 600);
    assert!(signed_in["refresh_token"].as_str().unwrap().starts_with("tgr_"));
    let account = json_of(&me(&server, ("Authorization", &bearer(&signed_in))).await);
    assert_eq!(account, signed_in["user"]);
    assert_eq!(
        (account["email"].as_str(), account["role"].as_str()),
        (Some("Ada@example.test"), Some("user"))
    );
    let members: Vec<&String> = account.as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 5, "{members:?}");
    let again = login(&server, "ada@EXAMPLE.test", PASSWORD).await;
    assert_eq!((again.status, &json_of(&again)["user"]), (200, &account));
    assert_eq!(again.header("cache-control"), Some("no-store"));
    assert_eq!(again.header("set-cookie"), None);
}

#[tokio::test]
async fn of_many_registrations_of_one_email_one_is_made() {
    let server = Arc::new(Server::start().await);
    let mut racers = JoinSet::new();
    for _ in 0..20 {
        let server = Arc::clone(&server);
        racers.spawn(async move {
            let body = json!({ "email": "ada@example.test", "password": PASSWORD });
            post(&server, "/api/v1/auth/register", &[], &body).await
        });
    }
    let answers = racers.join_all().await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (1, 19));
    for answer in refused {
        let problem = answer.problem();
        assert_eq!((answer.status, problem["code"].as_str()), (409, Some("email-taken")), "{}", answer.raw);
        assert_eq!(problem["detail"], "Email already registered");
    }
}

#[rstest]
#[case(json!({ "email": "a@b.test", "password": "short" }), "weak-password", "/password")]
#[case(json!({ "email": "a@b.test", "password": "password123" }), "weak-password", "/password")]
#[case(json!({ "email": "a@b.test", "password": "x".repeat(1_025) }), "password-too-long", "/password")]
#[case(json!({ "email": "nobody", "password": PASSWORD }), "validation-failed", "/email")]
#[case(json!({ "email": "a@b.test", "password": PASSWORD, "name": "n".repeat(201) }), "validation-failed", "/name")]
#[case(json!({ "email": "a@b.test" }), "validation-failed", "/password")]
#[case(json!({ "email": "a@b.test", "password": 12345678 }), "validation-failed", "/password")]
#[tokio::test]
async fn what_is_wrong_with_a_registration_is_named(
    #[case] body: Value,
    #[case] code: &str,
    #[case] pointer: &str,
) {
    let server = Server::start().await;
    let answer = post(&server, "/api/v1/auth/register", &[], &body).await;
    let problem = answer.problem();
    assert_eq!((answer.status, problem["code"].as_str()), (422, Some(code)), "{}", answer.raw);
    assert_eq!(problem["errors"][0]["pointer"], pointer);
    assert!(!answer.body.contains("12345678") && !answer.body.contains("password123"));
}

#[tokio::test]
async fn an_unknown_email_and_a_wrong_password_get_the_same_bytes() {
    let server = Server::start().await;
    register(&server, "ada@example.test").await;
    let shown = |answer: Answer| {
        let mut problem = answer.problem();
        problem["request_id"] = Value::Null;
        (answer.status, problem.to_string(), answer.header("www-authenticate").map(str::to_owned))
    };
    let wrong = shown(login(&server, "ada@example.test", "wrong horse battery staple").await);
    let unknown = shown(login(&server, "eve@example.test", "wrong horse battery staple").await);
    assert_eq!(wrong, unknown);
    assert_eq!((wrong.0, wrong.2.as_deref()), (401, Some("Bearer")));
    assert!(wrong.1.contains("invalid-credentials"));
}

#[rstest]
#[case(None, "unauthenticated", "Bearer")]
#[case(Some("Bearer nonsense"), "invalid-token", "Bearer error=\"invalid_token\"")]
#[case(Some("Bearer tgk_nonsense"), "invalid-token", "Bearer error=\"invalid_token\"")]
#[case(Some("Bearer tgt_nonsense"), "invalid-token", "Bearer error=\"invalid_token\"")]
#[case(Some("Basic dTpw"), "invalid-token", "Bearer error=\"invalid_token\"")]
#[tokio::test]
async fn who_is_unknown_is_told_so_on_every_route(
    #[case] authorization: Option<&str>,
    #[case] code: &str,
    #[case] challenge: &str,
) {
    let server = Server::start().await;
    let headers: Vec<_> = authorization.map(|value| ("Authorization", value)).into_iter().collect();
    let id = "01900000-0000-7000-8000-000000000000";
    let (session, key) = (format!("DELETE /api/v1/auth/sessions/{id}"), format!("DELETE /api/v1/keys/{id}"));
    let routes = [
        "GET /api/v1/auth/me",
        "GET /api/v1/auth/sessions",
        "POST /api/v1/auth/logout",
        "POST /api/v1/auth/password",
        "POST /api/v1/auth/sse-token",
        "GET /api/v1/keys",
        "POST /api/v1/keys",
        &session,
        &key,
    ];
    for route in routes {
        let answer = ask(&server, route, &headers, "").await;
        assert_eq!((answer.status, answer.code().as_str()), (401, code), "{route}");
        assert_eq!(answer.header("www-authenticate"), Some(challenge), "{route}");
        assert_eq!(answer.problem()["status"], 401);
    }
}

#[tokio::test]
async fn a_cookie_session_needs_no_token_and_is_heard_from_its_own_pages_only() {
    let server = Server::start().await;
    let body = json!({ "email": "ada@example.test", "password": PASSWORD, "session": "cookie" });
    assert_eq!(post(&server, "/api/v1/auth/register", &[], &body).await.status, 201);
    let answer = post(&server, "/api/v1/auth/login", &[], &body).await;
    let signed_in = json_of(&answer);
    assert_eq!((answer.status, signed_in["user"]["email"].as_str()), (200, Some("ada@example.test")));
    assert!(signed_in.get("access_token").is_none() && signed_in.get("refresh_token").is_none());
    let set = answer.header("set-cookie").unwrap().to_owned();
    assert!(set.contains("; Path=/; ") && set.contains("; HttpOnly; SameSite=Lax"), "{set}");
    assert!(!set.contains("Secure"), "plain http on this machine: {set}");
    let cookie = cookie_of(&answer.raw, "tidegate");
    let cookie = ("Cookie", cookie.as_str());
    assert_eq!(me(&server, cookie).await.status, 200);

    for site in [None, Some("cross-site"), Some("same-site"), Some("none")] {
        let headers: Vec<_> = site.map(|site| ("Sec-Fetch-Site", site)).into_iter().chain([cookie]).collect();
        let refused = ask(&server, "POST /api/v1/auth/logout", &headers, "").await;
        assert_eq!((refused.status, refused.code().as_str()), (403, "cross-site-request"), "{site:?}");
    }
    assert_eq!(me(&server, cookie).await.status, 200, "no foreign page signed anyone out");
    let out = ask(&server, "POST /api/v1/auth/logout", &[cookie, SAME_ORIGIN], "").await;
    assert_eq!(out.status, 204, "{}", out.raw);
    assert_eq!(cookie_of(&out.raw, "tidegate"), "tidegate=");
    assert_eq!(cookie_of(&out.raw, "sse_token"), "sse_token=");
    assert_eq!(me(&server, cookie).await.code(), "invalid-token");
}

#[tokio::test]
async fn by_https_the_session_cookie_is_bound_to_the_host() {
    let server =
        Server::with(|setup| setup.config.public_url = Some("https://tide.example".to_owned())).await;
    let body = json!({ "email": "ada@example.test", "password": PASSWORD, "session": "cookie" });
    let answer = post(&server, "/api/v1/auth/register", &[], &body).await;
    let set = answer.header("set-cookie").unwrap();
    assert!(
        set.starts_with("__Host-tidegate=") && set.contains("; Path=/; ") && set.ends_with("; Secure"),
        "{set}"
    );
    assert!(!set.to_ascii_lowercase().contains("domain"));
}

#[tokio::test]
async fn tabs_that_refresh_at_once_get_the_same_successor_and_a_spent_one_ends_the_session() {
    let server = Arc::new(Server::start().await);
    let first = register(&server, "ada@example.test").await;
    let mut tabs = JoinSet::new();
    for _ in 0..20 {
        let (server, token) = (Arc::clone(&server), first["refresh_token"].clone());
        tabs.spawn(async move { refresh(&server, &token).await });
    }
    let mut successors: Vec<Value> = Vec::new();
    for answer in tabs.join_all().await {
        assert_eq!(answer.status, 200, "{}", answer.raw);
        let tokens = json_of(&answer);
        assert_eq!(
            (tokens["token_type"].as_str(), tokens["expires_in"].as_u64()),
            (Some("bearer"), Some(600))
        );
        successors.push(tokens);
    }
    let second = successors.pop().unwrap();
    assert!(successors.iter().all(|tokens| tokens["refresh_token"] == second["refresh_token"]));
    assert_ne!(second["refresh_token"], first["refresh_token"]);

    let third = json_of(&refresh(&server, &second["refresh_token"]).await);
    assert_eq!(me(&server, ("Authorization", &bearer(&third))).await.status, 200);
    let reused = refresh(&server, &first["refresh_token"]).await;
    assert_eq!((reused.status, reused.code().as_str()), (401, "refresh-reused"));
    assert_eq!(refresh(&server, &third["refresh_token"]).await.status, 401, "the whole family is over");
    assert_eq!(me(&server, ("Authorization", &bearer(&third))).await.code(), "invalid-token");
}

#[tokio::test]
async fn the_eleventh_sign_in_of_an_account_within_a_minute_waits() {
    let server = Server::start().await;
    register(&server, "ada@example.test").await;
    for _ in 0..10 {
        assert_eq!(login(&server, "ada@example.test", "wrong horse battery staple").await.status, 401);
    }
    let limited = login(&server, "ada@example.test", PASSWORD).await;
    assert_eq!((limited.status, limited.code().as_str()), (429, "rate-limited"));
    let after: u64 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&after), "{after}");
    assert_eq!(limited.problem()["retry_after"], after);
    assert_eq!(login(&server, "eve@example.test", PASSWORD).await.status, 401, "others are not held back");
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions_and_only_these() {
    let server = Server::start().await;
    let here = register(&server, "ada@example.test").await;
    let there = json_of(&login(&server, "ada@example.test", PASSWORD).await);
    let (here, there) = (bearer(&here), bearer(&there));
    let change = |current: &str, new: &str| json!({ "current_password": current, "new_password": new });
    let auth = [("Authorization", here.as_str())];
    let path = "/api/v1/auth/password";
    let wrong = post(&server, path, &auth, &change("not the password", "another horse entirely")).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (401, "invalid-credentials"));
    let weak = post(&server, path, &auth, &change(PASSWORD, "short")).await;
    assert_eq!((weak.status, weak.code().as_str()), (422, "weak-password"));
    assert_eq!(weak.problem()["errors"][0]["pointer"], "/new_password");
    let done = post(&server, path, &auth, &change(PASSWORD, "another horse entirely")).await;
    assert_eq!((done.status, done.body.as_str()), (204, ""));
    assert_eq!(me(&server, auth[0]).await.status, 200);
    assert_eq!(me(&server, ("Authorization", &there)).await.status, 401);
    assert_eq!(login(&server, "ada@example.test", PASSWORD).await.status, 401);
    assert_eq!(login(&server, "ada@example.test", "another horse entirely").await.status, 200);
}

#[tokio::test]
async fn sessions_are_listed_in_pages_and_ended_by_their_owner_only() {
    let server = Server::start().await;
    let here = bearer(&register(&server, "ada@example.test").await);
    let there = bearer(&json_of(&login(&server, "ada@example.test", PASSWORD).await));
    let eve = bearer(&register(&server, "eve@example.test").await);
    let list = |path: &'static str| get(path, &[("Authorization", &here)]);
    let all = json_of(&server.send(&list("/api/v1/auth/sessions")).await);
    assert_eq!((all["items"].as_array().unwrap().len(), &all["next_cursor"]), (2, &Value::Null));
    let other = all["items"].as_array().unwrap().iter().find(|item| item["current"] == false).unwrap();
    assert_eq!(other["kind"], "token");
    let page = json_of(&server.send(&list("/api/v1/auth/sessions?limit=1")).await);
    let next = format!("/api/v1/auth/sessions?limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
    let last = json_of(&server.send(&get(&next, &[("Authorization", &here)])).await);
    assert_eq!(json!([page["items"][0], last["items"][0]]), all["items"]);
    assert_eq!(last["next_cursor"], Value::Null);
    assert_eq!(server.send(&list("/api/v1/auth/sessions?cursor=x")).await.code(), "invalid-cursor");

    let end = format!("DELETE /api/v1/auth/sessions/{}", other["id"].as_str().unwrap());
    assert_eq!(ask(&server, &end, &[("Authorization", &eve)], "").await.status, 404);
    assert_eq!(me(&server, ("Authorization", &there)).await.status, 200);
    assert_eq!(ask(&server, &end, &[("Authorization", &here)], "").await.status, 204);
    assert_eq!(me(&server, ("Authorization", &there)).await.status, 401);
    assert_eq!(ask(&server, &end, &[("Authorization", &here)], "").await.status, 404);
}

#[tokio::test]
async fn auth_bodies_are_small_json_without_surprises() {
    let server = Server::start().await;
    let path = "/api/v1/auth/login";
    let large = json!({ "email": "a@b.test", "password": "x".repeat(16_384) });
    assert_eq!(post(&server, path, &[], &large).await.code(), "body-too-large");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(ask(&server, "POST /api/v1/auth/login", &form, "email=a").await.status, 415);
    let text = [("Content-Type", "application/json")];
    assert_eq!(ask(&server, "POST /api/v1/auth/login", &text, "{").await.code(), "invalid-json");
    let in_url = ask(&server, "GET /api/v1/auth/me?access_token=x", &[], "").await;
    assert_eq!((in_url.status, in_url.code().as_str()), (401, "credential-in-url"));
}

#[tokio::test]
async fn the_feeds_cookie_opens_it_and_lets_the_browsers_reconnect_in_by_its_handle() {
    let server = Server::start().await;
    let ada = bearer(&register(&server, "ada@example.test").await);
    let minted = ask(&server, "POST /api/v1/auth/sse-token", &[("Authorization", &ada)], "").await;
    assert_eq!(minted.status, 200, "{}", minted.raw);
    let body = json_of(&minted);
    assert_eq!((&body["success"], &body["expires_in"]), (&json!(true), &json!(60)));
    assert_eq!(body["stream_url"], "/api/v1/events/stream");
    let at = tidegate_types::Timestamp::parse_rfc3339(body["expires_at"].as_str().unwrap()).unwrap();
    assert!(at <= tidegate_types::Clock::now(&tidegate_types::SystemClock), "the time of issue");
    let set = minted.header("set-cookie").unwrap();
    assert!(set.contains("; Path=/api/v1/events; ") && set.contains("; HttpOnly; SameSite=Strict"), "{set}");
    let ticket = cookie_of(&minted.raw, "sse_token");
    assert_eq!(ticket, format!("sse_token={}", body["sse_token"].as_str().unwrap()));

    let feed = "/api/v1/events/stream";
    let foreign = server.send(&get(feed, &[("Cookie", &ticket)])).await;
    assert_eq!(foreign.code(), "cross-site-request", "a foreign page spends nothing");
    let mut first = EventStream::open(&server, feed, &[("Cookie", &ticket), SAME_ORIGIN]).await;
    assert_eq!(first.status, 200, "{}", first.head);
    let hello = first.next().await.unwrap();
    let handle = cookie_of(&first.head_as_sent, "sse_token");
    assert!(handle.starts_with("sse_token=tgh_"), "{handle}");
    let spent = server.send(&get(feed, &[("Cookie", &ticket), SAME_ORIGIN])).await;
    assert_eq!((spent.status, spent.code().as_str()), (401, "ticket-invalid"));
    let id = ("Last-Event-ID", hello.id.as_deref().unwrap());
    let bare = server.send(&get(feed, &[("Cookie", &handle), SAME_ORIGIN])).await;
    assert_eq!(bare.status, 401, "the handle counts with its tag only");
    let mut second = EventStream::open(&server, feed, &[("Cookie", &handle), SAME_ORIGIN, id]).await;
    assert_eq!(second.status, 200, "{}", second.head);
    assert_eq!(second.next().await.unwrap().name, "tidegate.hello");
    assert_eq!(first.rest().await.pop().unwrap().json()["reason"], "replaced");
    drop(second);

    let by_query =
        json_of(&ask(&server, "POST /api/v1/auth/sse-token", &[("Authorization", &ada)], "").await);
    let url = format!("{feed}?sse_token={}", by_query["sse_token"].as_str().unwrap());
    let wins = EventStream::open(&server, &url, &[("Cookie", "sse_token=tgt_bad")]).await;
    assert_eq!(wins.status, 200, "a ticket in the query wins over the cookie: {}", wins.head);
}

#[test]
fn the_openapi_document_names_every_call_of_accounts_and_keys() {
    let document = serde_json::to_value(tidegate_http::openapi()).unwrap();
    let calls = [
        ("/api/v1/auth/register", "post", "201"),
        ("/api/v1/auth/login", "post", "200"),
        ("/api/v1/auth/refresh", "post", "200"),
        ("/api/v1/auth/logout", "post", "204"),
        ("/api/v1/auth/password", "post", "204"),
        ("/api/v1/auth/me", "get", "200"),
        ("/api/v1/auth/sessions", "get", "200"),
        ("/api/v1/auth/sessions/{id}", "delete", "204"),
        ("/api/v1/auth/sse-token", "post", "200"),
        ("/api/v1/keys", "post", "201"),
        ("/api/v1/keys", "get", "200"),
        ("/api/v1/keys/{id}", "get", "200"),
        ("/api/v1/keys/{id}", "delete", "204"),
    ];
    for (path, method, status) in calls {
        let call = &document["paths"][path][method];
        assert!(call["responses"][status].is_object(), "{method} {path}");
    }
    assert!(
        document["paths"]["/api/v1/keys"]["post"]["description"].as_str().unwrap().contains("only admins")
    );
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in ["Account", "SignedIn", "Refreshed", "FeedTicket", "ApiKey", "CreatedApiKey", "NewApiKey"] {
        assert!(schemas.contains_key(name), "{name}");
    }
    // A sign-in by cookie has no tokens, and must be described by the same schema.
    let (tokens, rest) = (&schemas["SignedIn"]["allOf"][0], &schemas["SignedIn"]["allOf"][1]);
    assert_eq!(tokens["$ref"], "#/components/schemas/Tokens");
    assert_eq!(
        (&schemas["Tokens"]["required"], &rest["required"]),
        (&Value::Null, &json!(["user", "expires_in"]))
    );
}

#[tokio::test]
async fn a_closed_registration_makes_no_account_on_any_path() {
    let server = Server::with(|setup| setup.config.registration = false).await;
    let body = json!({ "email": "ada@example.test", "password": PASSWORD });
    for path in ["/api/v1/auth/register", "/auth/register"] {
        let answer = post(&server, path, &[], &body).await;
        assert_eq!((answer.status, answer.code()), (403, "registration-closed".to_owned()), "{path}");
    }
    let answer = post(&server, "/api/v1/auth/login", &[], &body).await;
    assert_eq!(answer.code(), "invalid-credentials");
}
