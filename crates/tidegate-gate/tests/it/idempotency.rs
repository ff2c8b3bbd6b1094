//! Idempotency keys.

use std::time::Duration;

use tidegate_gate::{
    ExposeSecret as _, IdempotencyToken, Idempotent, NewKey, Principal, Scope, StoredAnswer,
};

use crate::support::{Desk, desk, facts, tokens};

async fn ask(desk: &Desk, who: &Principal, route: &str, key: &str, body: &[u8]) -> Idempotent {
    desk.gate.begin_idempotent(who, route, key, body).await.unwrap()
}

fn fresh(answer: Idempotent) -> IdempotencyToken {
    match answer {
        Idempotent::Fresh(token) => token,
        other => panic!("not fresh: {other:?}"),
    }
}

fn created() -> StoredAnswer {
    StoredAnswer {
        status: 201,
        headers: vec![("location".to_owned(), "/x".to_owned())],
        body: b"{\"id\":1}".to_vec(),
    }
}

async fn somebody(desk: &Desk) -> Principal {
    let begun = desk.register().await;
    desk.bearer(tokens(&begun).access_token.expose_secret()).await.unwrap()
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_for_a_day() {
    let desk = desk().await;
    let who = somebody(&desk).await;
    let token = fresh(ask(&desk, &who, "POST /a", "k", b"{}").await);
    desk.gate.finish_idempotent(token, created()).await.unwrap();
    desk.clock.advance(Duration::from_secs(86_399));
    assert_eq!(ask(&desk, &who, "POST /a", "k", b"{}").await, Idempotent::Replay(created()));
    desk.clock.advance(Duration::from_secs(1));
    fresh(ask(&desk, &who, "POST /a", "k", b"{}").await);
}

#[tokio::test]
async fn another_body_is_a_conflict_before_and_after_the_answer() {
    let desk = desk().await;
    let who = somebody(&desk).await;
    let token = fresh(ask(&desk, &who, "POST /a", "k", b"{}").await);
    assert_eq!(ask(&desk, &who, "POST /a", "k", b"[]").await, Idempotent::Conflict);
    desk.gate.finish_idempotent(token, created()).await.unwrap();
    assert_eq!(ask(&desk, &who, "POST /a", "k", b"[]").await, Idempotent::Conflict);
}

#[tokio::test]
async fn a_request_under_way_is_not_begun_twice_unless_its_node_died() {
    let desk = desk().await;
    let who = somebody(&desk).await;
    let first = fresh(ask(&desk, &who, "POST /a", "k", b"{}").await);
    assert_eq!(ask(&desk, &who, "POST /a", "k", b"{}").await, Idempotent::InProgress);
    desk.clock.advance(Duration::from_secs(61));
    let second = fresh(ask(&desk, &who, "POST /a", "k", b"{}").await);
    let late = StoredAnswer { status: 500, ..created() };
    desk.gate.finish_idempotent(first, late).await.unwrap();
    desk.gate.finish_idempotent(second, created()).await.unwrap();
    assert_eq!(ask(&desk, &who, "POST /a", "k", b"{}").await, Idempotent::Replay(created()));
}

#[tokio::test]
async fn an_abandoned_request_may_be_made_again() {
    let desk = desk().await;
    let who = somebody(&desk).await;
    let token = fresh(ask(&desk, &who, "POST /a", "k", b"{}").await);
    desk.gate.abandon_idempotent(token).await.unwrap();
    fresh(ask(&desk, &who, "POST /a", "k", b"[]").await);
}

#[tokio::test]
async fn keys_of_others_and_of_other_routes_are_others() {
    let desk = desk().await;
    let who = somebody(&desk).await;
    let key =
        NewKey { name: "k".to_owned(), scopes: vec![Scope::EventsPublish], expires_at: None, owner: None };
    let key = desk.gate.create_key(key, &facts()).await.unwrap();
    let other = desk.bearer(key.secret.reveal()).await.unwrap();
    fresh(ask(&desk, &who, "POST /a", "k", b"{}").await);
    fresh(ask(&desk, &other, "POST /a", "k", b"{}").await);
    fresh(ask(&desk, &who, "POST /b", "k", b"{}").await);
    fresh(ask(&desk, &Principal::Anonymous, "POST /a", "k", b"{}").await);
    fresh(ask(&desk, &Principal::Anonymous, "POST /a", "k", b"{}").await);
}

#[tokio::test]
async fn of_many_at_once_one_begins() {
    let desk = desk().await;
    let who = somebody(&desk).await;
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let (gate, who) = (desk.gate.clone(), who.clone());
            tokio::spawn(async move { gate.begin_idempotent(&who, "POST /a", "k", b"{}").await.unwrap() })
        })
        .collect();
    let mut begun = 0;
    for call in calls {
        begun += usize::from(matches!(call.await.unwrap(), Idempotent::Fresh(_)));
    }
    assert_eq!(begun, 1);
}
