//! API keys over HTTP: who may make which, secrets shown once, revocation.

use rstest::rstest;
use serde_json::{Value, json};
use tidegate_gate::{Actor, NewUser, Role};

use crate::accounts::{PASSWORD, bearer, json_of, post, register};
use crate::events::ask;
use crate::fixture::{Answer, Server, get};

/// Signs an admin in; answers the value of `Authorization`.
pub(crate) async fn admin(server: &Server) -> String {
    let (email, password) = ("root@example.test".to_owned(), PASSWORD.to_owned().into());
    let new = NewUser { email, password, role: Role::Admin, name: None };
    server.gate.add_user(new, Actor::Operator).await.unwrap();
    let body = json!({ "email": "root@example.test", "password": PASSWORD });
    bearer(&json_of(&post(server, "/api/v1/auth/login", &[], &body).await))
}

async fn create(server: &Server, authorization: &str, body: &Value) -> Answer {
    post(server, "/api/v1/keys", &[("Authorization", authorization)], body).await
}

#[tokio::test]
async fn a_users_key_for_work_is_their_own_and_its_secrets_are_shown_once() {
    let server = Server::start().await;
    let signed_in = register(&server, "ada@example.test").await;
    let ada = bearer(&signed_in);
    let body =
        json!({ "name": "worker", "scopes": ["generations:work"], "expires_at": "2999-01-01T00:00:00Z" });
    let made = create(&server, &ada, &body).await;
    assert_eq!(made.status, 201, "{}", made.raw);
    let key = json_of(&made);
    assert!(key["secret"].as_str().unwrap().starts_with("tgk_"));
    assert!(key["signing_secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!((&key["owner_id"], &key["scopes"]), (&signed_in["user"]["id"], &body["scopes"]));
    let path = format!("/api/v1/keys/{}", key["id"].as_str().unwrap());
    assert_eq!(made.header("location"), Some(path.as_str()));
    let auth = [("Authorization", ada.as_str())];
    let one = server.send(&get(&path, &auth)).await;
    let list = server.send(&get("/api/v1/keys", &auth)).await;
    for answer in [&one, &list] {
        assert_eq!(answer.status, 200);
        assert!(!answer.body.contains("tgk_") && !answer.body.contains("whsec_"), "{}", answer.body);
    }
    assert_eq!(json_of(&list)["items"], json!([json_of(&one)]));

    let secret = format!("Bearer {}", key["secret"].as_str().unwrap());
    let by_key = server.send(&get("/api/v1/auth/me", &[("Authorization", &secret)])).await;
    assert_eq!((by_key.status, by_key.code().as_str()), (403, "forbidden"), "a key is known, but no user");
    let more = create(&server, &secret, &json!({ "name": "more", "scopes": ["generations:work"] })).await;
    assert_eq!(more.status, 403, "keys make no keys");
    assert_eq!(ask(&server, &format!("DELETE {path}"), &auth, "").await.status, 204);
    let over = server.send(&get("/api/v1/auth/me", &[("Authorization", &secret)])).await;
    assert_eq!((over.status, over.code().as_str()), (401, "invalid-token"));
    assert!(json_of(&server.send(&get(&path, &auth)).await)["revoked_at"].is_string());
}

#[tokio::test]
async fn a_users_own_key_publishes_to_that_users_feed_and_no_other() {
    let server = Server::start().await;
    let ada = register(&server, "ada@example.test").await;
    let eve = register(&server, "eve@example.test").await;
    let made = create(&server, &bearer(&ada), &json!({ "name": "k", "scopes": ["events:publish"] })).await;
    assert_eq!(made.status, 201, "{}", made.raw);
    let secret = format!("Bearer {}", json_of(&made)["secret"].as_str().unwrap());
    for (user, status) in [(&ada, 202), (&eve, 403)] {
        let event = json!({ "user_id": user["user"]["id"], "type": "novel.created", "data": {} }).to_string();
        let headers = [("Authorization", secret.as_str()), ("Content-Type", "application/json")];
        assert_eq!(ask(&server, "POST /api/v1/events", &headers, &event).await.status, status);
    }
}

#[rstest]
#[case("streams:read:public/**")]
#[case("streams:write:runs/*")]
#[tokio::test]
async fn scopes_that_reach_others_are_granted_by_admins_only(#[case] scope: &str) {
    let server = Server::start().await;
    let ada = bearer(&register(&server, "ada@example.test").await);
    let root = admin(&server).await;
    let body = json!({ "name": "k", "scopes": ["generations:work", scope] });
    let refused = create(&server, &ada, &body).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"));
    assert_eq!(refused.problem()["errors"][0]["pointer"], "/scopes/1");
    let made = create(&server, &root, &body).await;
    assert_eq!((made.status, &json_of(&made)["owner_id"]), (201, &Value::Null), "{}", made.raw);
}

#[tokio::test]
async fn a_foreign_key_is_as_absent_as_none_but_admins_see_all() {
    let server = Server::start().await;
    let ada = bearer(&register(&server, "ada@example.test").await);
    let eve = bearer(&register(&server, "eve@example.test").await);
    let root = admin(&server).await;
    let key = json_of(&create(&server, &ada, &json!({ "name": "k", "scopes": ["generations:work"] })).await);
    let path = format!("/api/v1/keys/{}", key["id"].as_str().unwrap());
    let eve = [("Authorization", eve.as_str())];
    assert_eq!(server.send(&get(&path, &eve)).await.status, 404);
    assert_eq!(ask(&server, &format!("DELETE {path}"), &eve, "").await.status, 404);
    assert_eq!(json_of(&server.send(&get("/api/v1/keys", &eve)).await)["items"], json!([]));
    let root = [("Authorization", root.as_str())];
    assert_eq!(
        json_of(&server.send(&get("/api/v1/keys", &root)).await)["items"].as_array().unwrap().len(),
        1
    );
    assert_eq!(ask(&server, &format!("DELETE {path}"), &root, "").await.status, 204);
}

#[rstest]
#[case(json!({ "name": "", "scopes": ["generations:work"] }), "/name")]
#[case(json!({ "name": "k", "scopes": [] }), "/scopes")]
#[case(json!({ "name": "k", "scopes": ["generations:everything"] }), "/scopes/0")]
#[case(json!({ "name": "k", "scopes": ["generations:work"], "expires_at": "2001-01-01T00:00:00Z" }), "/expires_at")]
#[case(json!({ "name": "k", "scopes": ["generations:work"], "expires_at": "tomorrow" }), "/expires_at")]
#[tokio::test]
async fn what_is_wrong_with_a_new_key_is_named(#[case] body: Value, #[case] pointer: &str) {
    let server = Server::start().await;
    let ada = bearer(&register(&server, "ada@example.test").await);
    let refused = create(&server, &ada, &body).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "validation-failed"), "{}", refused.raw);
    assert_eq!(refused.problem()["errors"][0]["pointer"], pointer);
}
