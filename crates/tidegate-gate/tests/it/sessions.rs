//! Sessions: cookies, lists, ends.

use std::time::Duration;

use tidegate_gate::{Actor, AuthError, ExposeSecret as _, Issued, SessionKind, SignedIn, Via};
use tidegate_types::Clock as _;

use crate::support::{Desk, config, desk, desk_with, facts, loose, tokens};

async fn cookie(desk: &Desk) -> (SignedIn, String) {
    desk.register().await;
    let begun = desk.login(SessionKind::Cookie).await.unwrap();
    let Issued::Cookie(cookie) = &begun.issued else { panic!("tokens were issued") };
    let value = cookie.value.expose_secret().to_owned();
    (begun, value)
}

#[tokio::test]
async fn a_cookie_stands_for_its_session() {
    let desk = desk().await;
    let (begun, value) = cookie(&desk).await;
    let principal = desk.gate.authenticate_cookie(&value, &facts()).await.unwrap();
    let user = principal.user().unwrap();
    assert_eq!(
        (user.user_id, user.session_id, user.via),
        (begun.user.id, Some(begun.session_id), Via::Cookie)
    );
}

#[tokio::test]
async fn a_changed_cookie_stands_for_nobody() {
    let desk = desk().await;
    let (_, value) = cookie(&desk).await;
    let mut changed = value.clone();
    changed.replace_range(60..61, if &value[60..61] == "A" { "B" } else { "A" });
    for bad in [changed.as_str(), "", "x", &value[1..], &format!("{value}A")] {
        let refused = desk.gate.authenticate_cookie(bad, &facts()).await;
        assert_eq!(refused.unwrap_err(), AuthError::Invalid, "{bad:.8}");
    }
}

#[tokio::test]
async fn a_cookie_ends_with_its_session_here_and_elsewhere() {
    let desk = desk().await;
    let other = desk.other_process().await;
    let (begun, value) = cookie(&desk).await;
    assert!(other.authenticate_cookie(&value, &facts()).await.is_ok());
    assert!(desk.gate.end_session(begun.user.id, begun.session_id, &facts()).await.unwrap());
    assert!(!desk.gate.end_session(begun.user.id, begun.session_id, &facts()).await.unwrap());
    assert!(desk.gate.authenticate_cookie(&value, &facts()).await.is_err());
    other.step(desk.clock.now()).await;
    assert!(other.authenticate_cookie(&value, &facts()).await.is_err(), "remembered or not");
}

#[tokio::test]
async fn a_cookie_lives_no_longer_than_its_session() {
    let desk = desk_with(config(), tidegate_types::Limits { session_seconds: 600, ..loose() }).await;
    let (_, value) = cookie(&desk).await;
    desk.clock.advance(Duration::from_secs(599));
    assert!(desk.gate.authenticate_cookie(&value, &facts()).await.is_ok());
    desk.clock.advance(Duration::from_secs(1));
    assert!(desk.gate.authenticate_cookie(&value, &facts()).await.is_err());
}

#[tokio::test]
async fn sessions_are_listed_while_they_live_and_only_ended_by_their_owner() {
    let desk = desk().await;
    let first = desk.register().await;
    desk.clock.advance(Duration::from_secs(1));
    let second = desk.login(SessionKind::Cookie).await.unwrap();
    let listed = desk.gate.list_sessions(first.user.id).await.unwrap();
    let ids: Vec<_> = listed.iter().map(|s| (s.id, s.kind)).collect();
    assert_eq!(ids, [(second.session_id, "cookie"), (first.session_id, "token")]);
    let stranger = tidegate_types::UserId::generate(desk.clock.now(), &tidegate_types::OsEntropy);
    assert!(!desk.gate.end_session(stranger, first.session_id, &facts()).await.unwrap());
    assert_eq!(desk.gate.end_all_sessions(first.user.id, Actor::Operator).await.unwrap(), 2);
    assert!(desk.gate.list_sessions(first.user.id).await.unwrap().is_empty());
    assert!(desk.bearer(tokens(&first).access_token.expose_secret()).await.is_err());
}

#[tokio::test]
async fn the_last_use_is_written_once_a_minute() {
    let desk = desk().await;
    let (begun, value) = cookie(&desk).await;
    let started = desk.clock.now();
    desk.gate.step(started).await;
    desk.clock.advance(Duration::from_secs(61));
    desk.gate.authenticate_cookie(&value, &facts()).await.unwrap();
    desk.gate.step(desk.clock.now()).await;
    let listed = desk.gate.list_sessions(begun.user.id).await.unwrap();
    assert_eq!(listed.iter().find(|s| s.id == begun.session_id).unwrap().last_used_at, desk.clock.now());
}
