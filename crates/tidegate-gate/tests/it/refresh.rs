//! Rotation of refresh tokens.

use std::time::Duration;

use tidegate_gate::{AuditKind, AuthError, ExposeSecret as _, RefreshError, SessionKind, Tokens};

use crate::support::{Desk, config, desk, desk_with, facts, loose, tokens};

async fn refresh(desk: &Desk, token: &str) -> Result<Tokens, RefreshError> {
    desk.gate.refresh(token, &facts()).await
}

async fn first_token(desk: &Desk) -> String {
    tokens(&desk.register().await).refresh_token.expose_secret().to_owned()
}

fn text(tokens: &Tokens) -> String {
    tokens.refresh_token.expose_secret().to_owned()
}

#[tokio::test]
async fn a_token_is_exchanged_for_its_successor() {
    let desk = desk().await;
    let first = first_token(&desk).await;
    let next = refresh(&desk, &first).await.unwrap();
    assert!(first.starts_with("tgr_") && text(&next).starts_with("tgr_"));
    assert_ne!(text(&next), first);
    assert!(desk.bearer(next.access_token.expose_secret()).await.is_ok());
    assert_eq!(desk.audited(AuditKind::Refresh).await, 1);
}

#[tokio::test]
async fn the_same_token_within_ten_seconds_gets_the_same_successor() {
    let desk = desk().await;
    let first = first_token(&desk).await;
    let next = refresh(&desk, &first).await.unwrap();
    desk.clock.advance(Duration::from_secs(10));
    let again = refresh(&desk, &first).await.unwrap();
    assert_eq!(text(&again), text(&next));
    assert!(desk.bearer(again.access_token.expose_secret()).await.is_ok());
}

#[tokio::test]
async fn twenty_at_once_get_one_successor() {
    let desk = desk().await;
    let first = first_token(&desk).await;
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (gate, first) = (desk.gate.clone(), first.clone());
            tokio::spawn(async move { gate.refresh(&first, &facts()).await })
        })
        .collect();
    let mut successors = std::collections::HashSet::new();
    for call in calls {
        successors.insert(text(&call.await.unwrap().unwrap()));
    }
    assert_eq!(successors.len(), 1);
    assert_eq!(desk.audited(AuditKind::Refresh).await, 1);
}

#[tokio::test]
async fn the_same_token_after_its_successor_was_used_ends_the_session() {
    let desk = desk().await;
    let first = first_token(&desk).await;
    let second = refresh(&desk, &first).await.unwrap();
    let third = refresh(&desk, &text(&second)).await.unwrap();
    assert_eq!(refresh(&desk, &first).await.unwrap_err(), RefreshError::Reused);
    assert_eq!(refresh(&desk, &text(&third)).await.unwrap_err(), RefreshError::Reused);
    let refused = desk.bearer(third.access_token.expose_secret()).await;
    assert_eq!(refused.unwrap_err(), AuthError::Invalid);
    assert_eq!(desk.audited(AuditKind::RefreshReused).await, 1);
}

#[tokio::test]
async fn the_same_token_after_ten_seconds_ends_the_session() {
    let desk = desk().await;
    let first = first_token(&desk).await;
    let second = refresh(&desk, &first).await.unwrap();
    desk.clock.advance(Duration::from_millis(10_001));
    assert_eq!(refresh(&desk, &first).await.unwrap_err(), RefreshError::Reused);
    assert_eq!(refresh(&desk, &text(&second)).await.unwrap_err(), RefreshError::Reused);
}

#[tokio::test]
async fn reuse_ends_one_session_and_no_other() {
    let desk = desk().await;
    let first = first_token(&desk).await;
    let elsewhere = desk.login(SessionKind::Token).await.unwrap();
    let second = refresh(&desk, &first).await.unwrap();
    refresh(&desk, &text(&second)).await.unwrap();
    refresh(&desk, &first).await.unwrap_err();
    assert!(refresh(&desk, &text(tokens(&elsewhere))).await.is_ok());
}

#[tokio::test]
async fn reuse_seen_by_one_process_is_known_to_the_other() {
    let desk = desk().await;
    let first = first_token(&desk).await;
    let other = desk.other_process().await;
    let second = other.refresh(&first, &facts()).await.unwrap();
    other.refresh(&text(&second), &facts()).await.unwrap();
    other.refresh(&first, &facts()).await.unwrap_err();
    assert_eq!(refresh(&desk, &text(&second)).await.unwrap_err(), RefreshError::Reused);
}

#[tokio::test]
async fn a_failed_write_leaves_the_token_unspent() {
    let desk = desk().await;
    let first = first_token(&desk).await;
    desk.sql("CREATE TRIGGER broken BEFORE INSERT ON audit_batches BEGIN SELECT RAISE(ABORT, 'broken'); END")
        .await;
    assert!(matches!(refresh(&desk, &first).await, Err(RefreshError::Db(_))));
    desk.clock.advance(Duration::from_secs(60));
    desk.sql("DROP TRIGGER broken").await;
    assert!(refresh(&desk, &first).await.is_ok(), "had it been spent, this would be reuse");
}

#[tokio::test]
async fn a_token_that_lies_unused_too_long_is_refused() {
    let mut limits = loose();
    limits.refresh_idle_seconds = 60;
    let desk = desk_with(config(), limits).await;
    let first = first_token(&desk).await;
    desk.clock.advance(Duration::from_secs(59));
    let second = refresh(&desk, &first).await.unwrap();
    desk.clock.advance(Duration::from_secs(60));
    assert_eq!(refresh(&desk, &text(&second)).await.unwrap_err(), RefreshError::Invalid);
}

#[tokio::test]
async fn no_refresh_outlives_the_session() {
    let mut limits = loose();
    limits.session_seconds = 600;
    let desk = desk_with(config(), limits).await;
    let mut token = first_token(&desk).await;
    for _ in 0..5 {
        desk.clock.advance(Duration::from_secs(100));
        token = text(&refresh(&desk, &token).await.unwrap());
    }
    desk.clock.advance(Duration::from_secs(100));
    assert_eq!(refresh(&desk, &token).await.unwrap_err(), RefreshError::Invalid);
}

#[tokio::test]
async fn a_changed_or_foreign_token_is_refused_and_harms_nobody() {
    let desk = desk().await;
    let first = first_token(&desk).await;
    for place in [4, 20, 30, 40, 73] {
        let mut forged = first.clone().into_bytes();
        forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        assert_eq!(refresh(&desk, &forged).await.unwrap_err(), RefreshError::Invalid, "byte {place}");
    }
    for junk in ["", "tgr_", "x", &first[1..], &format!("{first}A")] {
        assert_eq!(refresh(&desk, junk).await.unwrap_err(), RefreshError::Invalid);
    }
    assert!(refresh(&desk, &first).await.is_ok());
}

#[tokio::test]
async fn no_access_token_outlives_the_session() {
    let mut limits = loose();
    limits.session_seconds = 700;
    let desk = desk_with(config(), limits).await;
    let first = first_token(&desk).await;
    desk.clock.advance(Duration::from_secs(300));
    assert_eq!(refresh(&desk, &first).await.unwrap().expires_in, 400);
}
