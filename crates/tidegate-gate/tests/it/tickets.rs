//! Tickets: one stream, one time, one minute, one page.

use std::time::{Duration, Instant};

use rstest::rstest;
use tidegate_db::DbError;
use tidegate_db::rusqlite::Connection;
use tidegate_gate::{FetchSite, MintError, Principal, Rate, StreamKind, StreamRef, TicketError, TicketFor};
use tidegate_types::{Clock as _, ErrorCode, Limits, Offset};

use crate::live::{facts, feed, live, live_with, no_browser};

#[tokio::test]
async fn a_ticket_opens_its_stream_and_knows_where_the_feed_stood() {
    let live = live().await;
    let user = live.user().await;
    let ticket = live.mint(&user, &feed()).await;
    let preview = live.look(ticket.reveal()).await.unwrap();
    assert_eq!((preview.kind, preview.resumes), (StreamKind::Feed, false));
    let opened = live.open(ticket.reveal(), None).await.unwrap();
    assert_eq!((opened.resumed, opened.minted_at_offset), (false, Offset::new(7)));
    assert_eq!(opened.lease_id, preview.lease);
}

#[tokio::test]
async fn of_64_racers_one_wins_a_thousand_times() {
    let live = live().await;
    let user = live.user().await;
    let started = Instant::now();
    for round in 0..1_000 {
        let ticket = live.mint(&user, &feed()).await;
        let racers: Vec<_> = (0..64)
            .map(|_| {
                let (gate, text) = (live.gate.clone(), ticket.reveal().to_owned());
                tokio::spawn(
                    async move { gate.open_ticket(&text, None, &feed(), &no_browser()).await.is_ok() },
                )
            })
            .collect();
        let mut winners = 0;
        for racer in racers {
            winners += usize::from(racer.await.unwrap());
        }
        assert_eq!(winners, 1, "round {round}");
    }
    eprintln!("1,000 × 64 racers: {:.1} s", started.elapsed().as_secs_f64());
}

#[tokio::test]
async fn a_spent_ticket_without_a_tag_is_refused() {
    let live = live().await;
    let user = live.user().await;
    let ticket = live.mint(&user, &feed()).await;
    live.open(ticket.reveal(), None).await.unwrap();
    assert_eq!(live.open(ticket.reveal(), None).await.unwrap_err(), TicketError::Invalid);
}

#[tokio::test]
async fn a_ticket_is_good_until_its_last_millisecond_and_no_longer() {
    let live = live().await;
    let user = live.user().await;
    let (early, late) = (live.mint(&user, &feed()).await, live.mint(&user, &feed()).await);
    live.clock.advance(Duration::from_millis(59_999));
    assert!(live.open(early.reveal(), None).await.is_ok());
    live.clock.advance(Duration::from_millis(1));
    for _ in 0..2 {
        assert_eq!(live.open(late.reveal(), None).await.unwrap_err().code(), ErrorCode::TicketInvalid);
    }
}

#[tokio::test]
async fn a_ticket_on_another_stream_is_not_found_and_stays_unspent() {
    let live = live().await;
    let user = live.user().await;
    let ticket = live.mint(&user, &feed()).await;
    let other_path = StreamRef { path: "users/2/events".parse().unwrap(), id: 1 };
    let made_again = StreamRef { id: 2, ..feed() };
    for other in [other_path, made_again] {
        let opened = live.gate.open_ticket(ticket.reveal(), None, &other, &no_browser()).await.unwrap_err();
        assert_eq!(opened.code(), ErrorCode::NotFound);
    }
    assert!(live.open(ticket.reveal(), None).await.is_ok());
}

#[rstest]
#[case::same_page(Some("https://app.test"), Some(FetchSite::CrossSite), true)]
#[case::another_page(Some("https://evil.test"), Some(FetchSite::CrossSite), false)]
#[case::sandboxed_page(Some("null"), None, false)]
#[case::same_origin_but_minted_elsewhere(None, Some(FetchSite::SameOrigin), false)]
#[case::cross_site_without_origin(None, Some(FetchSite::CrossSite), false)]
#[case::no_browser(None, None, true)]
#[tokio::test]
async fn a_ticket_opens_only_for_the_page_that_minted_it(
    #[case] origin: Option<&str>,
    #[case] site: Option<FetchSite>,
    #[case] allowed: bool,
) {
    let live = live().await;
    let user = live.user().await;
    let page = facts(Some("https://app.test"), Some(FetchSite::CrossSite));
    let ticket = live.mint_from(&user, &feed(), &page).await;
    let opened = live.gate.open_ticket(ticket.reveal(), None, &feed(), &facts(origin, site)).await;
    assert_eq!(opened.is_ok(), allowed);
    if !allowed {
        assert_eq!(live.audited("origin-mismatch").await, 1);
        let again = live.gate.open_ticket(ticket.reveal(), None, &feed(), &page).await;
        assert!(again.is_ok(), "a refused origin spends nothing");
    }
}

#[tokio::test]
async fn a_same_origin_page_needs_no_origin_header_to_redeem() {
    let live = live().await;
    let user = live.user().await;
    let page = facts(Some("https://gate.test"), Some(FetchSite::SameOrigin));
    let ticket = live.mint_from(&user, &feed(), &page).await;
    let get = facts(None, Some(FetchSite::SameOrigin));
    assert!(live.gate.open_ticket(ticket.reveal(), None, &feed(), &get).await.is_ok());
}

#[tokio::test]
async fn junk_is_refused_without_a_look_at_the_store() {
    let live = live().await;
    for junk in ["", "tgt_", "tgt_AAAA", "tgk_x", &"tgt_A".repeat(1_000)] {
        assert_eq!(live.open(junk, None).await.unwrap_err(), TicketError::Invalid);
    }
}

#[tokio::test]
async fn nobody_gets_no_ticket_and_a_user_not_too_many() {
    let live = live_with(Limits { tickets_per_minute_per_user: 3, ..Limits::default() }).await;
    let wanted = || TicketFor { stream: feed(), kind: StreamKind::Feed, start: None };
    let nobody = live.gate.mint_ticket(&Principal::Anonymous, wanted(), &no_browser()).await.unwrap_err();
    assert_eq!(nobody, MintError::Anonymous);
    let user = live.user().await;
    for _ in 0..3 {
        live.mint(&user, &feed()).await;
    }
    let limited = live.gate.mint_ticket(&user, wanted(), &no_browser()).await.unwrap_err();
    let MintError::RateLimited(retry_after) = limited else { panic!("{limited}") };
    assert!((1..=20).contains(&retry_after.0), "{retry_after:?}");
    live.clock.advance(Duration::from_secs(u64::from(retry_after.0)));
    live.mint(&user, &feed()).await;
}

#[tokio::test]
async fn only_digests_of_tickets_tags_and_handles_are_stored() {
    let live = live().await;
    let user = live.user().await;
    let ticket = live.mint(&user, &feed()).await;
    let opened = live.open(ticket.reveal(), None).await.unwrap();
    live.gate.flush_audit().await.unwrap();
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(live.dir.path()).unwrap() {
        bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    for secret in [ticket.reveal(), opened.tag.reveal(), opened.handle.reveal()] {
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "a secret stands in the database");
    }
}

#[tokio::test]
async fn the_sweep_drops_what_nobody_can_use() {
    let live = live().await;
    let user = live.user().await;
    live.mint(&user, &feed()).await;
    let spent = live.mint(&user, &feed()).await;
    drop(live.connect(spent.reveal(), None).await.unwrap());
    live.step().await;
    live.clock.advance(Duration::from_secs(3_600));
    live.step().await;
    let left: i64 = live
        .db
        .read(|conn| {
            let sql = "SELECT (SELECT count(*) FROM tickets) + (SELECT count(*) FROM leases)
                     + (SELECT count(*) FROM lease_tags)";
            Ok::<_, tidegate_db::DbError>(conn.query_row(sql, [], |row| row.get(0))?)
        })
        .await
        .unwrap();
    assert_eq!(left, 0);
}

/// A node that died can't tell that its connections ended.
#[tokio::test]
async fn a_lease_whose_end_nobody_told_goes_when_its_life_is_over() {
    let live = live().await;
    let user = live.user().await;
    let ticket = live.mint(&user, &feed()).await;
    live.open(ticket.reveal(), None).await.unwrap();
    let leases = async || -> i64 {
        let sql = "SELECT count(*) FROM leases";
        let count = |conn: &mut Connection| Ok::<_, DbError>(conn.query_row(sql, [], |row| row.get(0))?);
        live.db.read(count).await.unwrap()
    };
    live.clock.advance(Duration::from_secs(live.limits.lease_seconds - 1));
    live.step().await;
    assert_eq!(leases().await, 1);
    live.clock.advance(Duration::from_secs(60));
    live.step().await;
    assert_eq!(leases().await, 0);
}

/// Two processes on one folder: what one noted of its own ticket does not tell it that the other spent it.
#[tokio::test]
async fn a_ticket_that_another_process_spent_is_refused_by_the_one_that_made_it() {
    let live = live().await;
    let user = live.user().await;
    let other = live.other_process().await;
    let ticket = live.mint(&user, &feed()).await;
    other.open_ticket(ticket.reveal(), None, &feed(), &no_browser()).await.unwrap();
    assert!(matches!(live.open(ticket.reveal(), None).await, Err(TicketError::Invalid)));
    assert_eq!(live.audited("redeem").await, 1);
    assert_eq!(live.gate.connection_count(), 0);
}

#[tokio::test]
async fn allowances_fill_up_again_and_addresses_count_by_network() {
    let live = live_with(Limits { anonymous_per_minute_per_address: 2, ..Limits::default() }).await;
    let take = |key: &str| live.gate.take_rate(Rate::AnonymousAddress, key).is_ok();
    assert!(take("2001:db8::1") && take("2001:db8::2"));
    assert!(!take("2001:db8::3"), "one customer's /64 is one address");
    assert!(take("2001:db8:0:1::1"));
    live.clock.advance(Duration::from_secs(30));
    assert!(take("2001:db8::4"));
    assert!(live.clock.now().as_millis() > 0);
}
