//! Revocation: at once here, within a second everywhere.

use std::time::Duration;

use tidegate_gate::{EndReason, NewRevocation, Principal};
use tidegate_types::{Clock as _, ErrorCode, SessionId};

use crate::live::{ended, feed, live};

fn session(principal: &Principal) -> SessionId {
    principal.user().and_then(|user| user.session_id).unwrap()
}

#[tokio::test]
async fn a_revoked_session_loses_its_streams_and_no_other_session_does() {
    let live = live().await;
    let here = live.user().await;
    let there = live.same_user_elsewhere(&here).await;
    let (mut cut, kept) = (live.admit(&here, None).unwrap(), live.admit(&there, None).unwrap());
    live.gate.revoke(vec![NewRevocation::session(session(&here), live.clock.now())], vec![]).await.unwrap();
    assert_eq!(ended(&mut cut).await, EndReason::Revoked);
    assert_eq!(kept.end_reason(), None);
    assert!(live.gate.is_revoked(&here, live.clock.now()));
    assert!(!live.gate.is_revoked(&there, live.clock.now()));
    assert_eq!(live.admit(&here, None).unwrap_err().code, ErrorCode::InvalidToken);
}

#[tokio::test]
async fn a_user_revocation_spares_who_signed_in_afterwards() {
    let live = live().await;
    let user = live.user().await;
    let user_id = user.user().unwrap().user_id;
    let mut before = live.admit(&user, None).unwrap();
    live.clock.advance(Duration::from_secs(1));
    let revoked_at = live.clock.now();
    live.gate.revoke(vec![NewRevocation::user(user_id, revoked_at)], vec![]).await.unwrap();
    assert_eq!(ended(&mut before).await, EndReason::Revoked);
    live.clock.advance(Duration::from_secs(1));
    let after = live.admit(&user, None).unwrap();
    live.step().await;
    assert_eq!(after.end_reason(), None, "reading the same row again ends nobody");
    assert!(live.gate.is_revoked(&user, revoked_at.minus(Duration::from_millis(1))));
    assert!(!live.gate.is_revoked(&user, live.clock.now()));
}

#[tokio::test]
async fn another_process_is_heard_at_the_next_poll() {
    let live = live().await;
    let user = live.user().await;
    let mut connection = live.admit(&user, None).unwrap();
    let command_line = live.other_process().await;
    let revoked = NewRevocation::session(session(&user), live.clock.now());
    command_line.revoke(vec![revoked], vec![]).await.unwrap();
    assert_eq!(connection.end_reason(), None);
    live.clock.advance(Duration::from_secs(1));
    live.step().await;
    assert_eq!(ended(&mut connection).await, EndReason::Revoked);
}

#[tokio::test]
async fn revocations_are_known_after_a_restart() {
    let live = live().await;
    let user = live.user().await;
    live.gate.revoke(vec![NewRevocation::session(session(&user), live.clock.now())], vec![]).await.unwrap();
    let live = live.restart().await;
    assert!(live.gate.is_revoked(&user, live.clock.now()));
}

#[tokio::test]
async fn a_revoked_session_can_neither_spend_nor_resume() {
    let live = live().await;
    let user = live.user().await;
    let (fresh, spent) = (live.mint(&user, &feed()).await, live.mint(&user, &feed()).await);
    let (_connection, opened) = live.connect(spent.reveal(), None).await.unwrap();
    live.gate.revoke(vec![NewRevocation::session(session(&user), live.clock.now())], vec![]).await.unwrap();
    assert!(live.open(fresh.reveal(), None).await.is_err());
    assert!(live.open(spent.reveal(), Some(&opened.tag)).await.is_err());
}

#[tokio::test]
async fn a_thousand_streams_of_one_session_end_at_once() {
    let limits = tidegate_types::Limits {
        feed_connections_per_user: 1_000,
        streams_per_user: 1_000,
        streams_per_address: 1_000,
        ..tidegate_types::Limits::default()
    };
    let live = crate::live::live_with(limits).await;
    let user = live.user().await;
    let mut held: Vec<_> = (0..1_000).map(|_| live.admit(&user, None).unwrap()).collect();
    live.gate.revoke(vec![NewRevocation::session(session(&user), live.clock.now())], vec![]).await.unwrap();
    for connection in &mut held {
        assert_eq!(ended(connection).await, EndReason::Revoked);
    }
}

#[rstest::rstest]
#[case::signed_out("UPDATE sessions SET ended_at = 1")]
#[case::session_gone("DELETE FROM sessions")]
#[case::disabled("UPDATE users SET disabled_at = 1")]
#[case::deleted("DELETE FROM users")]
#[tokio::test]
async fn a_ticket_is_checked_against_the_account_as_it_is_now(#[case] sql: &'static str) {
    let live = live().await;
    let user = live.user().await;
    let ticket = live.mint(&user, &feed()).await;
    assert!(live.gate.reauthorize(&user).await.is_ok());
    live.sql(sql).await;
    assert!(live.gate.reauthorize(&user).await.is_err());
    assert!(live.open(ticket.reveal(), None).await.is_err());
}

#[tokio::test]
async fn a_ticket_carries_the_role_of_now_not_of_its_mint() {
    let live = live().await;
    let user = live.user().await;
    let ticket = live.mint(&user, &feed()).await;
    live.sql("UPDATE users SET role = 'admin'").await;
    let preview = live.look(ticket.reveal()).await.unwrap();
    assert_eq!(preview.principal.user().unwrap().role, tidegate_gate::Role::Admin);
}
