//! Resuming: the ticket together with a current tag, and nothing less.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;
use tidegate_gate::{Connection, EndReason, FetchSite, OpenedLease, TicketError};
use tidegate_types::{Limits, OsEntropy, ResumeTag, Secret};

use crate::live::{Live, ended, facts, feed, live, live_with};

async fn spent() -> (Live, Secret, Connection, OpenedLease) {
    let live = live().await;
    let user = live.user().await;
    let ticket = live.mint(&user, &feed()).await;
    let (connection, opened) = live.connect(ticket.reveal(), None).await.unwrap();
    (live, ticket, connection, opened)
}

#[tokio::test]
async fn a_current_tag_resumes_with_a_new_tag_and_replaces_the_old_socket() {
    let (live, ticket, mut old, first) = spent().await;
    let (new, second) = live.connect(ticket.reveal(), Some(&first.tag)).await.unwrap();
    assert!(second.resumed && second.took_over);
    assert_ne!(first.tag, second.tag);
    assert_eq!(ended(&mut old).await, EndReason::Replaced);
    assert_eq!(new.end_reason(), None);
    assert_eq!(live.audited("take-over").await, 1);
}

#[tokio::test]
async fn the_same_tag_is_let_in_again_because_an_answer_may_be_lost() {
    let (live, ticket, connection, first) = spent().await;
    drop(connection);
    for _ in 0..5 {
        drop(live.connect(ticket.reveal(), Some(&first.tag)).await.unwrap());
    }
}

#[tokio::test]
async fn any_tag_issued_after_the_last_presented_one_is_let_in() {
    let (live, ticket, connection, first) = spent().await;
    drop(connection);
    let (_, second) = live.connect(ticket.reveal(), Some(&first.tag)).await.unwrap();
    let (_, third) = live.connect(ticket.reveal(), Some(&first.tag)).await.unwrap();
    assert!(live.connect(ticket.reveal(), Some(&second.tag)).await.is_ok());
    assert!(live.connect(ticket.reveal(), Some(&third.tag)).await.is_ok());
}

#[tokio::test]
async fn a_genuine_older_tag_kills_the_lease_and_its_socket() {
    let (live, ticket, connection, first) = spent().await;
    drop(connection);
    let (_, second) = live.connect(ticket.reveal(), Some(&first.tag)).await.unwrap();
    let (mut serving, third) = live.connect(ticket.reveal(), Some(&second.tag)).await.unwrap();
    assert_eq!(live.connect(ticket.reveal(), Some(&first.tag)).await.unwrap_err(), TicketError::Invalid);
    assert_eq!(ended(&mut serving).await, EndReason::Revoked);
    let current = live.connect(ticket.reveal(), Some(&third.tag)).await.unwrap_err();
    assert_eq!(current, TicketError::Invalid, "the current tag died with its lease");
    assert_eq!(live.audited("lease-killed").await, 1);
}

#[tokio::test]
async fn a_tag_is_known_as_old_after_hundreds_of_newer_ones() {
    let (live, ticket, connection, first) = spent().await;
    drop(connection);
    let mut tag = first.tag.clone();
    for _ in 0..200 {
        tag = live.connect(ticket.reveal(), Some(&tag)).await.unwrap().1.tag;
    }
    assert!(live.connect(ticket.reveal(), Some(&first.tag)).await.is_err());
    assert!(live.connect(ticket.reveal(), Some(&tag)).await.is_err());
}

#[tokio::test]
async fn a_tag_that_was_never_issued_is_refused_and_harms_nothing() {
    let (live, ticket, connection, first) = spent().await;
    for _ in 0..20 {
        let guess = ResumeTag::generate(&OsEntropy);
        assert_eq!(live.open(ticket.reveal(), Some(&guess)).await.unwrap_err(), TicketError::Invalid);
    }
    assert_eq!(connection.end_reason(), None);
    assert!(live.connect(ticket.reveal(), Some(&first.tag)).await.is_ok());
}

#[tokio::test]
async fn a_tag_of_another_lease_is_a_guess() {
    let (live, ticket, _connection, first) = spent().await;
    let other = live.mint(&live.user().await, &feed()).await;
    let (_, other_first) = live.connect(other.reveal(), None).await.unwrap();
    assert!(live.open(ticket.reveal(), Some(&other_first.tag)).await.is_err());
    assert!(live.connect(ticket.reveal(), Some(&first.tag)).await.is_ok());
}

#[tokio::test]
async fn a_lease_is_alive_for_its_idle_time_after_its_last_connection() {
    for (idle, alive) in [(120_000, true), (120_001, false)] {
        let (live, ticket, connection, first) = spent().await;
        live.clock.advance(Duration::from_secs(3_600));
        live.step().await;
        drop(connection);
        live.step().await;
        live.clock.advance(Duration::from_millis(idle));
        assert_eq!(live.connect(ticket.reveal(), Some(&first.tag)).await.is_ok(), alive, "{idle} ms");
    }
}

#[tokio::test]
async fn a_lease_ends_with_its_life_however_busy_it_is() {
    let limits = Limits { lease_seconds: 60, ..Limits::default() };
    let live = live_with(limits).await;
    let ticket = live.mint(&live.user().await, &feed()).await;
    let (connection, first) = live.connect(ticket.reveal(), None).await.unwrap();
    live.clock.advance(Duration::from_secs(60));
    assert_eq!(live.open(ticket.reveal(), Some(&first.tag)).await.unwrap_err(), TicketError::Invalid);
    drop(connection);
}

#[tokio::test]
async fn a_resume_from_another_page_is_refused_and_harms_nothing() {
    let live = live().await;
    let page = facts(Some("https://app.test"), Some(FetchSite::CrossSite));
    let ticket = live.mint_from(&live.user().await, &feed(), &page).await;
    let opened = live.gate.open_ticket(ticket.reveal(), None, &feed(), &page).await.unwrap();
    let evil = facts(Some("https://evil.test"), Some(FetchSite::CrossSite));
    let open = |facts| {
        let (gate, text, tag) = (live.gate.clone(), ticket.reveal().to_owned(), opened.tag.clone());
        async move { gate.open_ticket(&text, Some(&tag), &feed(), &facts).await.is_ok() }
    };
    assert!(!open(evil).await);
    assert!(open(page).await);
}

#[tokio::test]
async fn a_fourth_take_over_in_thirty_seconds_kills_the_lease() {
    let (live, ticket, connection, first) = spent().await;
    let mut held = vec![connection];
    let mut tag = first.tag;
    for _ in 0..3 {
        let (connection, opened) = live.connect(ticket.reveal(), Some(&tag)).await.unwrap();
        held.push(connection);
        tag = opened.tag;
    }
    assert!(live.connect(ticket.reveal(), Some(&tag)).await.is_err());
    assert_eq!(ended(held.last_mut().unwrap()).await, EndReason::Revoked);
}

#[tokio::test]
async fn take_overs_count_for_thirty_seconds_and_plain_resumes_not_at_all() {
    let (live, ticket, mut connection, first) = spent().await;
    let mut tag = first.tag;
    for _ in 0..20 {
        live.clock.advance(Duration::from_secs(10));
        (connection, tag) = {
            let (next, opened) = live.connect(ticket.reveal(), Some(&tag)).await.unwrap();
            drop(connection);
            (next, opened.tag)
        };
    }
    drop(connection);
    for _ in 0..20 {
        let (connection, opened) = live.connect(ticket.reveal(), Some(&tag)).await.unwrap();
        assert!(!opened.took_over);
        drop(connection);
        tag = opened.tag;
    }
}

#[tokio::test]
async fn a_handle_and_a_current_tag_resume_and_the_handle_stays() {
    let (live, ticket, connection, first) = spent().await;
    drop(connection);
    let (_, second) = live.connect(first.handle.reveal(), Some(&first.tag)).await.unwrap();
    assert!(second.resumed);
    assert_eq!(second.handle, first.handle);
    let (_, third) = live.connect(ticket.reveal(), Some(&second.tag)).await.unwrap();
    assert_eq!(third.handle, first.handle);
    assert!(live.open(first.handle.reveal(), None).await.is_err());
}

#[tokio::test]
async fn leases_live_on_over_a_restart_and_its_sockets_count_as_ended_then() {
    for (idle, alive) in [(119, true), (121, false)] {
        let (live, ticket, connection, first) = spent().await;
        live.clock.advance(Duration::from_secs(3_600));
        // A crash tells nobody: neither the drop nor the step reaches the store.
        std::mem::forget(connection);
        let live = live.restart().await;
        live.clock.advance(Duration::from_secs(idle));
        assert_eq!(live.connect(ticket.reveal(), Some(&first.tag)).await.is_ok(), alive, "{idle} s");
    }
}

#[derive(Clone, Debug)]
enum Act {
    Drop,
    Resume { back: usize },
    Guess,
    Wait { seconds: u64 },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        2 => Just(Act::Drop),
        6 => (0..6_usize).prop_map(|back| Act::Resume { back }),
        1 => Just(Act::Guess),
        2 => (0..130_u64).prop_map(|seconds| Act::Wait { seconds }),
    ];
    proptest::collection::vec(act, 1..30)
}

/// The rules again, in the simplest words.
#[derive(Debug, Default)]
struct Model {
    issued: usize,
    presented: usize,
    connected: bool,
    idle: u64,
    now: u64,
    takeovers: Vec<u64>,
    dead: bool,
}

impl Model {
    fn resume(&mut self, number: usize) -> bool {
        if self.dead || (!self.connected && self.idle > 120) {
            return false;
        }
        if number < self.presented {
            self.dead = true;
            self.connected = false;
            return false;
        }
        self.takeovers.retain(|at| self.now - at < 30);
        if self.connected {
            self.takeovers.push(self.now);
        }
        if self.takeovers.len() > 3 {
            self.dead = true;
            self.connected = false;
            return false;
        }
        self.presented = number;
        self.issued += 1;
        self.connected = true;
        self.idle = 0;
        true
    }
}

async fn play(acts: Vec<Act>) {
    let (live, ticket, connection, first) = spent().await;
    let mut serving = Some(connection);
    let mut tags: HashMap<usize, ResumeTag> = HashMap::from([(1, first.tag)]);
    let mut model = Model { issued: 1, connected: true, ..Model::default() };
    for act in acts {
        match act {
            Act::Drop => {
                serving = None;
                model.connected = false;
            }
            Act::Wait { seconds } => {
                live.clock.advance(Duration::from_secs(seconds));
                live.step().await;
                model.now += seconds;
                model.idle += if model.connected { 0 } else { seconds };
            }
            Act::Guess => {
                let guess = ResumeTag::generate(&OsEntropy);
                assert!(live.open(ticket.reveal(), Some(&guess)).await.is_err());
            }
            Act::Resume { back } => {
                let number = model.issued.saturating_sub(back).max(1);
                let result = live.connect(ticket.reveal(), Some(&tags[&number])).await;
                let expected = model.resume(number);
                assert_eq!(result.is_ok(), expected, "tag {number}, {model:?}");
                if let Ok((connection, opened)) = result {
                    tags.insert(model.issued, opened.tag);
                    serving = Some(connection);
                }
            }
        }
    }
    drop(serving);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_of_connects_drops_and_resumes_lets_an_older_tag_in(acts in acts()) {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(play(acts));
    }
}
