//! Connections: caps held by the living, and ends with a reason.

use std::net::IpAddr;
use std::time::Duration;

use tidegate_gate::{ConnectionFilter, EndReason, NewConnection, Principal, StreamKind};
use tidegate_types::{Clock as _, ErrorCode, Limits, Offset};

use crate::live::{connecting, ended, feed, live, live_with};

fn stream(principal: &Principal, address: &str) -> NewConnection {
    NewConnection {
        kind: StreamKind::Stream,
        address: address.parse::<IpAddr>().unwrap(),
        ..connecting(principal, None)
    }
}

#[tokio::test]
async fn a_third_feed_is_refused_and_no_healthy_one_is_ended_for_it() {
    let live = live().await;
    let user = live.user().await;
    let (first, second) = (live.admit(&user, None).unwrap(), live.admit(&user, None).unwrap());
    first.opened(None);
    second.opened(None);
    let refused = live.admit(&user, None).unwrap_err();
    assert_eq!(refused.code, ErrorCode::ConnectionLimit);
    assert!(refused.retry_after_s > 0);
    assert_eq!((first.end_reason(), second.end_reason()), (None, None));
    drop(first);
    assert!(live.admit(&user, None).is_ok(), "a drop frees its slot at once");
}

#[tokio::test]
async fn streams_feeds_and_users_have_caps_of_their_own() {
    let live = live_with(Limits { streams_per_user: 3, ..Limits::default() }).await;
    let (user, other) = (live.user().await, live.user().await);
    let _feeds = [live.admit(&user, None).unwrap(), live.admit(&user, None).unwrap()];
    let one = live.gate.admit(stream(&user, "127.0.0.1")).unwrap();
    assert!(live.gate.admit(stream(&user, "127.0.0.1")).is_err());
    assert!(live.gate.admit(stream(&other, "127.0.0.1")).is_ok());
    drop(one);
    assert!(live.gate.admit(stream(&user, "127.0.0.1")).is_ok());
}

#[tokio::test]
async fn an_address_has_a_cap_and_an_ipv6_customer_is_one_address() {
    let live = live_with(Limits { streams_per_address: 2, ..Limits::default() }).await;
    let nobody = Principal::Anonymous;
    let _held = [
        live.gate.admit(stream(&nobody, "2001:db8::1")).unwrap(),
        live.gate.admit(stream(&nobody, "2001:db8::2")).unwrap(),
    ];
    assert!(live.gate.admit(stream(&nobody, "2001:db8::3")).is_err());
    assert!(live.gate.admit(stream(&nobody, "2001:db8:0:1::1")).is_ok());
}

#[tokio::test]
async fn a_node_has_a_cap() {
    let live = live_with(Limits { streams_per_node: 2, ..Limits::default() }).await;
    let _held =
        ["10.0.0.1", "10.0.0.2"].map(|at| live.gate.admit(stream(&Principal::Anonymous, at)).unwrap());
    let refused = live.gate.admit(stream(&Principal::Anonymous, "10.0.0.3")).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Overloaded);
}

#[tokio::test]
async fn a_stalled_feed_of_the_same_session_gives_way_after_five_seconds() {
    let live = live().await;
    let user = live.user().await;
    let (mut stalled, healthy) = (live.admit(&user, None).unwrap(), live.admit(&user, None).unwrap());
    stalled.progressed(true);
    healthy.progressed(true);
    live.clock.advance(Duration::from_millis(4_999));
    assert!(live.admit(&user, None).is_err());
    healthy.progressed(false);
    live.clock.advance(Duration::from_millis(1));
    stalled.progressed(true);
    let new = live.admit(&user, None).unwrap();
    assert_eq!(ended(&mut stalled).await, EndReason::Replaced);
    assert_eq!(healthy.end_reason(), None);
    drop((stalled, new));
    let _again = live.admit(&user, None).unwrap();
    assert!(live.admit(&user, None).is_err(), "slots are counted once, however a connection went");
}

#[tokio::test]
async fn a_stalled_feed_of_another_session_keeps_its_place() {
    let live = live().await;
    let here = live.user().await;
    let there = live.same_user_elsewhere(&here).await;
    let held = [live.admit(&there, None).unwrap(), live.admit(&there, None).unwrap()];
    held.iter().for_each(|connection| connection.progressed(true));
    live.clock.advance(Duration::from_secs(60));
    assert!(live.admit(&here, None).is_err());
}

#[tokio::test]
async fn a_resume_at_the_cap_takes_over_its_own_slot() {
    let live = live().await;
    let user = live.user().await;
    let ticket = live.mint(&user, &feed()).await;
    let (mut old, opened) = live.connect(ticket.reveal(), None).await.unwrap();
    let _other = live.admit(&user, None).unwrap();
    assert!(live.admit(&user, None).is_err());
    let (new, _) = live.connect(ticket.reveal(), Some(&opened.tag)).await.unwrap();
    assert_eq!(ended(&mut old).await, EndReason::Replaced);
    assert!(live.admit(&user, None).is_err(), "old and new count as one");
    drop(old);
    assert!(live.admit(&user, None).is_err());
    drop(new);
    assert!(live.admit(&user, None).is_ok());
}

#[tokio::test]
async fn all_who_try_one_ticket_share_one_slot_until_one_wins() {
    let live = live().await;
    let user = live.user().await;
    let ticket = live.mint(&user, &feed()).await;
    let lease = live.look(ticket.reveal()).await.unwrap().lease;
    let racers: Vec<_> = (0..64).map(|_| live.admit(&user, Some(lease)).unwrap()).collect();
    let _other = live.admit(&user, None).unwrap();
    assert!(live.admit(&user, None).is_err());
    drop(racers);
    assert!(live.admit(&user, None).is_ok());
}

#[tokio::test]
async fn a_try_that_fails_does_not_disturb_the_socket_of_its_lease() {
    let live = live().await;
    let user = live.user().await;
    let ticket = live.mint(&user, &feed()).await;
    let (connection, _) = live.connect(ticket.reveal(), None).await.unwrap();
    assert!(live.connect(ticket.reveal(), None).await.is_err());
    assert_eq!(connection.end_reason(), None);
}

#[tokio::test]
async fn a_drain_ends_every_connection_and_lets_none_in() {
    let live = live().await;
    let user = live.user().await;
    let mut held = [live.admit(&user, None).unwrap(), live.admit(&user, None).unwrap()];
    live.gate.drain();
    for connection in &mut held {
        assert_eq!(ended(connection).await, EndReason::Drain);
    }
    assert_eq!(live.admit(&user, None).unwrap_err().code, ErrorCode::Draining);
}

#[tokio::test]
async fn a_connection_ends_at_the_age_that_is_set_and_at_none_by_default() {
    for (age, expected) in [(3_600, Some(EndReason::Age)), (0, None)] {
        let live = live_with(Limits { tail_age_seconds: age, ..Limits::default() }).await;
        let user = live.user().await;
        let old = live.admit(&user, None).unwrap();
        live.clock.advance(Duration::from_secs(3_599));
        let young = live.admit(&user, None).unwrap();
        live.gate.step(live.clock.now()).await;
        assert_eq!(old.end_reason(), None);
        live.clock.advance(Duration::from_secs(1));
        live.gate.step(live.clock.now()).await;
        assert_eq!((old.end_reason(), young.end_reason()), (expected, None));
    }
}

#[tokio::test]
async fn an_operator_sees_connections_and_ends_one() {
    let live = live().await;
    let user = live.user().await;
    let (mut one, other) = (live.admit(&user, None).unwrap(), live.admit(&live.user().await, None).unwrap());
    one.opened(None);
    other.opened(None);
    one.note_offsets(Offset::START, Offset::new(5).unwrap());
    let filter = ConnectionFilter { user_id: user.user().map(|u| u.user_id), ..ConnectionFilter::default() };
    let listed = live.gate.connections(&filter);
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].id, listed[0].last), (one.id(), Offset::new(5)));
    assert!(live.gate.disconnect(one.id(), EndReason::Age));
    assert!(!live.gate.disconnect(one.id(), EndReason::Slow), "the first reason stays");
    assert_eq!(ended(&mut one).await, EndReason::Age);
    assert_eq!(live.gate.connections(&ConnectionFilter::default()).len(), 2);
}

#[tokio::test]
async fn a_sessions_next_feed_starts_where_its_last_one_ended() {
    let live = live().await;
    let user = live.user().await;
    let connection = live.admit(&user, None).unwrap();
    connection.opened(None);
    connection.note_offsets(Offset::START, Offset::new(9).unwrap());
    assert_eq!(live.gate.last_feed_position(&user, &feed().path), None, "it is still being read");
    drop(connection);
    live.clock.advance(Duration::from_secs(120));
    assert_eq!(live.gate.last_feed_position(&user, &feed().path), Offset::new(9));
    live.clock.advance(Duration::from_millis(1));
    assert_eq!(live.gate.last_feed_position(&user, &feed().path), None);
}
