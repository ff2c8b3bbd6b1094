//! Being let in by a ticket in one write: the door, races, what a kill leaves, and older databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tidegate_db::rusqlite::{Connection, params};
use tidegate_gate::{EnterError, NewRevocation, TicketError, TicketPreview};
use tidegate_types::Clock as _;

use crate::live::{Live, asking, ended, feed, live, no_browser, start};

#[tokio::test]
async fn who_is_turned_away_at_the_door_keeps_the_ticket_and_is_let_in_later() {
    let live = live().await;
    let ticket = live.mint(&live.user().await, &feed()).await;
    for _ in 0..3 {
        let away = live.gate.enter_by_ticket(asking(ticket.reveal(), None), |_| Err::<(), _>("full")).await;
        assert_eq!(away.unwrap_err(), EnterError::TurnedAway("full"));
    }
    assert_eq!(live.audited("redeem").await, 0);
    live.open(ticket.reveal(), None).await.unwrap();
    assert_eq!(live.audited("redeem").await, 1);
}

#[tokio::test]
async fn nobody_is_asked_at_the_door_who_can_not_be_let_in() {
    let live = live().await;
    let user = live.user().await;
    let (spent, fresh) = (live.mint(&user, &feed()).await, live.mint(&user, &feed()).await);
    live.open(spent.reveal(), None).await.unwrap();
    live.sql("UPDATE users SET disabled_at = 1").await;
    for text in [spent.reveal(), fresh.reveal()] {
        let asked = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&asked);
        let door = move |_: &TicketPreview| {
            seen.store(true, Ordering::SeqCst);
            Ok::<_, ()>(())
        };
        let refused = live.gate.enter_by_ticket(asking(text, None), door).await.unwrap_err();
        assert_eq!(refused, EnterError::Ticket(TicketError::Invalid));
        assert!(!asked.load(Ordering::SeqCst));
    }
}

/// Many tickets, many racers each, all at once: whatever lands in one commit is decided in turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_all_who_race_for_many_tickets_at_once_one_is_let_in_by_each() {
    let live = Arc::new(live().await);
    let user = live.user().await;
    for _ in 0..4 {
        let mut racers = Vec::new();
        for number in 0..100 {
            let ticket = Arc::new(live.mint(&user, &feed()).await);
            for _ in 0..8 {
                let (live, ticket) = (Arc::clone(&live), Arc::clone(&ticket));
                racers.push(tokio::spawn(
                    async move { (number, live.open(ticket.reveal(), None).await.is_ok()) },
                ));
            }
        }
        let mut winners = vec![0; 100];
        for racer in racers {
            let (number, won) = racer.await.unwrap();
            winners[number] += usize::from(won);
        }
        assert!(winners.iter().all(|won| *won == 1), "{winners:?}");
    }
}

#[tokio::test]
async fn a_revocation_after_the_door_ends_the_connection_and_one_before_it_lets_nobody_in() {
    let live = live().await;
    let user = live.user().await;
    let session = user.user().unwrap().session_id.unwrap();
    let (first, second) = (live.mint(&user, &feed()).await, live.mint(&user, &feed()).await);
    let (mut connection, _) = live.connect(first.reveal(), None).await.unwrap();
    live.gate.revoke(vec![NewRevocation::session(session, live.clock.now())], vec![]).await.unwrap();
    assert_eq!(ended(&mut connection).await, tidegate_gate::EndReason::Revoked);
    assert!(live.connect(second.reveal(), None).await.is_err());
    assert_eq!(live.gate.connection_count(), 1, "only the one that was told to end");
}

/// A copy of the files as a killed process leaves them: nothing was closed.
async fn killed(live: &Live) -> Live {
    let dir = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(live.dir.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
    }
    start(Arc::new(dir), Arc::clone(&live.clock), Arc::clone(&live.limits)).await
}

#[tokio::test]
async fn a_ticket_that_was_spent_stays_spent_after_a_kill_and_its_tag_resumes() {
    let live = live().await;
    let user = live.user().await;
    let (ticket, unspent) = (live.mint(&user, &feed()).await, live.mint(&user, &feed()).await);
    let (_connection, opened) = live.connect(ticket.reveal(), None).await.unwrap();
    let after = killed(&live).await;
    assert_eq!(after.open(ticket.reveal(), None).await.unwrap_err(), TicketError::Invalid);
    let (_, second) = after.connect(ticket.reveal(), Some(&opened.tag)).await.unwrap();
    let (_, third) = after.connect(opened.handle.reveal(), Some(&second.tag)).await.unwrap();
    assert!(third.resumed);
    assert!(after.connect(ticket.reveal(), Some(&opened.tag)).await.is_err(), "two before is too old");
    after.open(unspent.reveal(), None).await.unwrap();
}

#[tokio::test]
async fn a_ticket_of_another_process_opens_here_and_only_once() {
    let live = live().await;
    let user = live.user().await;
    let ticket = live.mint(&user, &feed()).await;
    let other = live.other_process().await;
    assert!(other.open_ticket(ticket.reveal(), None, &feed(), &no_browser()).await.is_ok());
    assert!(live.open(ticket.reveal(), None).await.is_err(), "though it was minted here and not tried here");
}

#[tokio::test]
async fn a_handle_opens_nothing_before_its_ticket_is_spent() {
    let live = live().await;
    let user = live.user().await;
    let ticket = live.mint(&user, &feed()).await;
    let spent = killed(&live).await;
    let handle = spent.open(ticket.reveal(), None).await.unwrap().handle;
    assert!(live.open(handle.reveal(), None).await.is_err());
    live.open(ticket.reveal(), None).await.unwrap();
}

/// More tickets run out at once than one sweep takes, spent ones before them.
#[tokio::test]
async fn sweeps_get_past_what_stays() {
    let live = live().await;
    let user = live.user().await;
    let mut held = Vec::new();
    for n in 0..2_100 {
        let ticket = live.mint(&user, &feed()).await;
        if n < 2_050 {
            held.push(live.open(ticket.reveal(), None).await.unwrap());
        }
    }
    for _ in 0..4 {
        live.clock.advance(Duration::from_secs(70));
        live.step().await;
    }
    let count = |sql: &'static str| {
        live.db.read(move |conn| {
            Ok::<_, tidegate_db::DbError>(conn.query_row(sql, [], |row| row.get::<_, i64>(0))?)
        })
    };
    assert_eq!(count("SELECT count(*) FROM tickets").await.unwrap(), 2_050);
    assert_eq!(count("SELECT count(*) FROM leases").await.unwrap(), 2_050);
}

#[tokio::test]
async fn what_one_sweep_leaves_is_swept_a_second_later() {
    let live = live().await;
    let user = live.user().await;
    for _ in 0..2_100 {
        live.mint(&user, &feed()).await;
    }
    let count = || {
        let sql = "SELECT count(*) FROM tickets";
        live.db.read(move |conn| Ok::<i64, tidegate_db::DbError>(conn.query_row(sql, [], |row| row.get(0))?))
    };
    live.clock.advance(Duration::from_secs(70));
    live.step().await;
    assert_eq!(count().await.unwrap(), 100);
    live.clock.advance(Duration::from_secs(1));
    live.step().await;
    assert_eq!(count().await.unwrap(), 0);
}

#[test]
fn leases_of_an_older_database_keep_their_tickets_tags_and_handles() {
    let conn = Connection::open_in_memory().unwrap();
    conn.pragma_update(None, "foreign_keys", true).unwrap();
    conn.execute_batch(include_str!("../../migrations/V2__tickets.sql")).unwrap();
    let ticket = "INSERT INTO tickets (digest, id, principal, stream_path, stream_id, kind, origin_own, created_at,
                                       expires_at, spent_at) VALUES (?1, ?2, '{}', 'a', 1, 'feed', 0, 1, 2, ?3)";
    conn.execute(ticket, params![b"ticket", b"spent", Some(1)]).unwrap();
    conn.execute(ticket, params![b"other", b"unspent", None::<i64>]).unwrap();
    let lease = "INSERT INTO leases VALUES (x'7370656e74', x'7469636b6574', x'68616e646c65', 1, 2, 0, 1, 1, 9, '[7]', NULL, 5)";
    conn.execute(lease, []).unwrap();
    conn.execute("INSERT INTO lease_tags VALUES (x'7370656e74', x'01', 1)", []).unwrap();
    conn.execute_batch(include_str!("../../migrations/V4__tickets_in_order.sql")).unwrap();
    let one = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(one("SELECT group_concat(CAST(digest AS TEXT)) FROM tickets"), "handle");
    let kept = "SELECT CAST(ticket_digest AS TEXT) || ended_at || takeovers || sweep_at || (first_tag IS NULL) FROM leases";
    assert_eq!(one(kept), "handle9[7]51");
    assert_eq!(one("SELECT CAST(count(*) AS TEXT) FROM lease_tags WHERE number = 1"), "1");
    conn.execute("DELETE FROM leases", []).unwrap();
    assert_eq!(one("SELECT CAST(count(*) AS TEXT) FROM lease_tags"), "0", "tags go with their lease");
    let plan =
        "SELECT group_concat(name) FROM sqlite_schema WHERE name LIKE '%kept%' OR name LIKE '%in_order%'";
    assert_eq!(conn.query_row(plan, [], |row| row.get::<_, Option<String>>(0)).unwrap(), None);
}
