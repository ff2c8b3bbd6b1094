//! What operators see and do, and that nobody else does.

use rstest::rstest;
use serde_json::Value;
use tidegate_gate::Role;
use tidegate_log::NewStream;

use crate::events::{EventStream, ask};
use crate::fixture::{Answer, Server, get};
use crate::members::Member;

struct House {
    server: Server,
    admin: Member,
    ann: Member,
}

impl House {
    async fn new() -> Self {
        let server = Server::start().await;
        let admin = Member::new(&server, "admin", Role::Admin).await;
        let ann = Member::new(&server, "ann", Role::User).await;
        Self { server, admin, ann }
    }

    /// A call of the admin.
    async fn call(&self, request: &str) -> Answer {
        ask(&self.server, request, &[("Authorization", &self.admin.authorization)], "").await
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.call(&format!("GET {path}")).await;
        assert_eq!(answer.status, 200, "{}", answer.raw);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// The feed of Ann, open.
    async fn anns_feed(&self) -> EventStream {
        let path = format!("users/{}/events", self.ann.id).parse().unwrap();
        self.server.log.create(&path, NewStream::json()).await.unwrap();
        let url = format!("/v1/stream/{path}?live=events");
        let headers = [("Authorization", self.ann.authorization.as_str())];
        let mut feed = EventStream::open(&self.server, &url, &headers).await;
        assert_eq!(feed.next().await.unwrap().name, "tidegate.hello", "{}", feed.head);
        feed
    }

    async fn audited(&self, query: &str, action: &str) -> Value {
        let page = self.json(&format!("/api/v1/admin/audit?{query}")).await;
        let rows = page["items"].as_array().unwrap();
        rows.iter().find(|row| row["detail"]["action"] == action).cloned().unwrap_or_else(|| panic!("{page}"))
    }
}

#[rstest]
#[case("GET /api/v1/admin/stats")]
#[case("GET /api/v1/admin/connections")]
#[case("DELETE /api/v1/admin/connections/01939999-0000-7000-8000-000000000000")]
#[case("GET /api/v1/admin/streams")]
#[case("GET /api/v1/admin/users")]
#[case("GET /api/v1/admin/users/01939999-0000-7000-8000-000000000000")]
#[case("POST /api/v1/admin/users/01939999-0000-7000-8000-000000000000/disable")]
#[case("POST /api/v1/admin/users/01939999-0000-7000-8000-000000000000/enable")]
#[case("GET /api/v1/admin/users/01939999-0000-7000-8000-000000000000/sessions")]
#[case("DELETE /api/v1/admin/users/01939999-0000-7000-8000-000000000000/sessions")]
#[case("GET /api/v1/admin/audit")]
#[case("GET /api/v1/admin/audit/export")]
#[case("GET /api/v1/admin/audit/verify")]
#[tokio::test]
async fn only_admins_get_in(#[case] request: &str) {
    let House { server, ann, .. } = House::new().await;
    let nobody = ask(&server, request, &[], "").await;
    assert_eq!((nobody.status, nobody.code()), (401, "unauthenticated".to_owned()));
    let user = ask(&server, request, &[("Authorization", &ann.authorization)], "").await;
    assert_eq!((user.status, user.code()), (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn an_operator_sees_a_connection_ends_it_and_the_audit_says_so() {
    let house = House::new().await;
    let feed = house.anns_feed().await;
    let stats = house.json("/api/v1/admin/stats").await;
    assert_eq!((&stats["connections"]["open"], &stats["connections"]["users"]), (&1.into(), &1.into()));
    assert_eq!(stats["connections_opened"], 1);
    let listed = house.json(&format!("/api/v1/admin/connections?user_id={}", house.ann.id)).await;
    let one = &listed["items"][0];
    assert_eq!(one["stream"], format!("users/{}/events", house.ann.id));
    assert_eq!(one["transport"], "sse");
    let others = house.json(&format!("/api/v1/admin/connections?user_id={}", house.admin.id)).await;
    assert_eq!(others["items"], serde_json::json!([]));

    let request = format!("DELETE /api/v1/admin/connections/{}", one["id"].as_str().unwrap());
    assert_eq!(house.call(&request).await.status, 204);
    let end = feed.rest().await.pop().unwrap();
    assert_eq!((end.name.as_str(), end.json()["reason"].as_str()), ("tidegate.end", Some("revoked")));
    house.server.until(|page| page.contains("tidegate_connections 0")).await;
    assert_eq!(house.call(&request).await.status, 404);
    let row = house.audited(&format!("user_id={}", house.ann.id), "disconnect").await;
    assert_eq!(row["actor"], format!("user:{}", house.admin.id));
    assert_eq!(row["address"], "127.0.0.1");
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once_and_may_be_let_in_again() {
    let house = House::new().await;
    let feed = house.anns_feed().await;
    let user = format!("/api/v1/admin/users/{}", house.ann.id);
    let disabled = house.call(&format!("POST {user}/disable")).await;
    assert_eq!(disabled.status, 200, "{}", disabled.raw);
    let end = feed.rest().await.pop().unwrap();
    assert_eq!(end.json()["reason"], "revoked");
    assert!(house.json(&user).await["disabled_at"].is_string());
    assert_eq!(house.call(&format!("POST {user}/enable")).await.status, 200);
    assert!(house.json(&user).await["disabled_at"].is_null());
    let by_user = format!("user_id={}", house.ann.id);
    house.audited(&by_user, "disable-user").await;
    house.audited(&by_user, "enable-user").await;
    let absent = house.call("POST /api/v1/admin/users/01939999-0000-7000-8000-000000000000/disable").await;
    assert_eq!(absent.status, 404);
    let own = house.call(&format!("POST /api/v1/admin/users/{}/disable", house.admin.id)).await;
    assert_eq!((own.status, own.code()), (409, "conflict".to_owned()));
}

#[tokio::test]
async fn ending_somebodys_sessions_signs_them_out_everywhere() {
    let house = House::new().await;
    house.ann.cookie(&house.server).await;
    let sessions = format!("/api/v1/admin/users/{}/sessions", house.ann.id);
    assert_eq!(house.json(&sessions).await["items"].as_array().unwrap().len(), 2);
    let ended = house.call(&format!("DELETE {sessions}")).await;
    assert_eq!((ended.status, ended.body.as_str()), (200, "{\"ended\":2}"));
    assert_eq!(house.json(&sessions).await["items"], serde_json::json!([]));
    let headers = [("Authorization", house.ann.authorization.as_str())];
    assert_eq!(house.server.send(&get("/v1/stream/a", &headers)).await.status, 401);
    house.audited("kind=revoke", "end-all-sessions").await;
}

#[tokio::test]
async fn streams_are_listed_by_prefix_a_page_at_a_time() {
    let house = House::new().await;
    for path in ["runs/1", "runs/2", "runs/3", "other/1"] {
        house.server.log.create(&path.parse().unwrap(), NewStream::json()).await.unwrap();
    }
    let first = house.json("/api/v1/admin/streams?prefix=runs/&limit=2").await;
    let paths = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|i| i["path"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(paths(&first), ["runs/1", "runs/2"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = house.json(&format!("/api/v1/admin/streams?prefix=runs/&limit=2&cursor={cursor}")).await;
    assert_eq!((paths(&second), &second["next_cursor"]), (vec!["runs/3".to_owned()], &Value::Null));
    let bad = house.call("GET /api/v1/admin/streams?cursor=..").await;
    assert_eq!((bad.status, bad.code()), (400, "invalid-cursor".to_owned()));
}

#[tokio::test]
async fn users_are_listed_a_page_at_a_time_and_found_by_email() {
    let house = House::new().await;
    let first = house.json("/api/v1/admin/users?limit=1").await;
    assert_eq!(first["items"][0]["email"], "admin@example.org");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = house.json(&format!("/api/v1/admin/users?limit=1&cursor={cursor}")).await;
    assert_eq!((&second["items"][0]["role"], &second["next_cursor"]), (&"user".into(), &Value::Null));
    let found = house.json("/api/v1/admin/users?email=ANN@example.org").await;
    assert_eq!(found["items"][0]["id"], house.ann.id.to_string());
}

#[tokio::test]
async fn the_audit_pages_exports_and_verifies_without_any_secret() {
    let house = House::new().await;
    for _ in 0..3 {
        house.call("GET /api/v1/admin/audit/export").await;
    }
    let first = house.json("/api/v1/admin/audit?kind=admin&limit=2").await;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = house.json(&format!("/api/v1/admin/audit?kind=admin&limit=2&cursor={cursor}")).await;
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    assert_eq!(second["next_cursor"], Value::Null);
    let unknown = house.call("GET /api/v1/admin/audit?kind=nothing").await;
    assert_eq!((unknown.status, unknown.code()), (422, "validation-failed".to_owned()));

    let export = house.call("GET /api/v1/admin/audit/export").await;
    assert_eq!(export.header("content-type"), Some("application/jsonl"));
    assert!(export.raw.contains("\"kind\":\"register\"") && export.raw.contains("export-audit"));
    let token = house.admin.authorization.trim_start_matches("Bearer ");
    assert!(!export.raw.contains(token));
    let verdict = house.json("/api/v1/admin/audit/verify").await;
    assert_eq!(verdict["verdict"], "intact");
    assert!(verdict["rows"].as_u64().unwrap() >= 6);
}

#[tokio::test]
async fn an_export_of_many_pages_holds_every_row_once() {
    let house = House::new().await;
    for n in 0..450 {
        let event =
            tidegate_gate::AuditEvent::new(tidegate_gate::AuditKind::Mint, tidegate_gate::Actor::Server);
        house.server.gate.audit(event.subject(n)).await;
    }
    let request = format!(
        "GET /api/v1/admin/audit/export?kind=mint HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\r\n",
        house.admin.authorization
    );
    let export = house.server.send(&request).await;
    for n in 0..450 {
        assert_eq!(export.body.matches(&format!("\"subject\":\"{n}\"")).count(), 1, "{n}");
    }
}
