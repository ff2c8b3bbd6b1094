//! The audit: nothing lost, nothing changed unseen, no secret in it.

use std::time::Duration;

use serde_json::json;
use tidegate_gate::{
    Actor, AuditEvent, AuditFilter, AuditKind, AuditOrder, AuditPage, AuditVerdict, EndReason,
};
use tidegate_types::{Clock as _, ErrorCode, Offset};

use crate::live::{feed, live, no_browser};

const ALL: AuditPage = AuditPage { cursor: None, limit: 200, order: AuditOrder::OldestFirst };

fn event(n: usize) -> AuditEvent {
    AuditEvent::new(AuditKind::Admin, Actor::Operator).subject(n).detail(json!({ "n": n }))
}

#[tokio::test]
async fn events_are_kept_in_order_and_the_chain_holds() {
    let live = live().await;
    for n in 0..600 {
        live.gate.audit(event(n)).await;
    }
    assert_eq!(live.gate.verify_audit().await.unwrap(), AuditVerdict::Intact { rows: 600, head: 600 });
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = live
            .gate
            .list_audit(AuditFilter::default(), AuditPage { cursor, limit: 170, ..ALL })
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        cursor = Some(last.seq);
        seen.extend(page.into_iter().map(|entry| entry.subject.unwrap()));
    }
    assert_eq!(seen, (0..600).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn two_processes_share_one_chain() {
    let live = live().await;
    let other = live.other_process().await;
    for n in 0..20 {
        let gate = if n % 2 == 0 { &live.gate } else { &other };
        gate.audit_durably(event(n)).await.unwrap();
    }
    assert!(matches!(live.gate.verify_audit().await.unwrap(), AuditVerdict::Intact { rows: 20, .. }));
}

#[tokio::test]
async fn a_ticket_leaves_a_trail_from_mint_to_close_without_secrets() {
    let live = live().await;
    let user = live.user().await;
    let user_id = user.user().unwrap().user_id;
    let ticket = live.mint(&user, &feed()).await;
    let (connection, first) = live.connect(ticket.reveal(), None).await.unwrap();
    connection.note_offsets(Offset::START, Offset::new(3).unwrap());
    live.clock.advance(Duration::from_millis(1_500));
    connection.finish(EndReason::Eof);
    let (_connection, second) = live.connect(ticket.reveal(), Some(&first.tag)).await.unwrap();
    let filter = AuditFilter { stream: Some(feed().path), user: Some(user_id), ..AuditFilter::default() };
    let entries = live.gate.list_audit(filter, ALL).await.unwrap();
    let kinds: Vec<&str> = entries.iter().map(|entry| entry.kind.as_str()).collect();
    assert!(kinds.starts_with(&["mint", "redeem"]), "{kinds:?}");
    for kind in ["resume", "stream-open", "stream-close"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let close = entries.iter().find(|entry| entry.kind == "stream-close").unwrap();
    assert_eq!(close.detail["reason"], "eof");
    assert_eq!(close.detail["duration_ms"], 1_500);
    assert_eq!(close.detail["last"], "0000000000000003");
    let text = serde_json::to_string(&entries).unwrap();
    for secret in [ticket.reveal(), first.tag.reveal(), second.tag.reveal(), first.handle.reveal()] {
        assert!(!text.contains(secret));
    }
}

#[tokio::test]
async fn filters_pick_by_kind_user_stream_and_time() {
    let live = live().await;
    let (one, two) = (live.user().await, live.user().await);
    live.mint(&one, &feed()).await;
    live.clock.advance(Duration::from_secs(10));
    let between = live.clock.now();
    live.mint(&two, &feed()).await;
    let count = |filter: AuditFilter| {
        let gate = live.gate.clone();
        async move {
            gate.list_audit(AuditFilter { kind: Some(AuditKind::Mint), ..filter }, ALL).await.unwrap().len()
        }
    };
    assert_eq!(count(AuditFilter::default()).await, 2);
    assert_eq!(count(AuditFilter { user: one.user().map(|u| u.user_id), ..AuditFilter::default() }).await, 1);
    assert_eq!(count(AuditFilter { since: Some(between), ..AuditFilter::default() }).await, 1);
    assert_eq!(count(AuditFilter { until: Some(between), ..AuditFilter::default() }).await, 1);
    let elsewhere = "users/9/events".parse().unwrap();
    assert_eq!(count(AuditFilter { stream: Some(elsewhere), ..AuditFilter::default() }).await, 0);
}

#[tokio::test]
async fn a_flood_of_anonymous_refusals_is_one_row_a_minute() {
    let live = live().await;
    let refusal = || {
        AuditEvent::new(AuditKind::Refusal, Actor::Anonymous)
            .from_client(&no_browser())
            .detail(json!({ "code": "unauthenticated" }))
    };
    for _ in 0..5_000 {
        live.gate.audit(refusal()).await;
    }
    live.clock.advance(Duration::from_secs(60));
    live.step().await;
    let filter = AuditFilter { kind: Some(AuditKind::Refusal), ..AuditFilter::default() };
    let rows = live.gate.list_audit(filter, ALL).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0].detail["count"], &rows[0].detail["code"]),
        (&json!(5_000), &json!("unauthenticated"))
    );
    assert_eq!(rows[0].address.as_deref(), Some("127.0.0.1"));
}

#[tokio::test]
async fn the_edges_refusals_are_counted_by_code_and_what_the_gate_audits_itself_is_not() {
    let live = live().await;
    let address = "2001:db8::1".parse().unwrap();
    let codes = [ErrorCode::Forbidden, ErrorCode::Forbidden, ErrorCode::NotFound, ErrorCode::TicketInvalid];
    codes.iter().for_each(|code| live.gate.count_refusal(*code, address));
    let rows = live.gate.list_audit(AuditFilter::default(), ALL).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (&row.detail["code"], &row.detail["count"])).collect();
    assert_eq!(told, [(&json!("forbidden"), &json!(2))]);
    assert_eq!(rows[0].address.as_deref(), Some("2001:db8::"));
}

#[tokio::test]
async fn a_flood_of_other_refusals_keeps_its_first_hundred_and_sums_up_the_rest() {
    let live = live().await;
    for _ in 0..1_000 {
        live.gate.audit(AuditEvent::new(AuditKind::CredentialInUrl, Actor::Anonymous)).await;
    }
    let filter = AuditFilter { kind: Some(AuditKind::CredentialInUrl), ..AuditFilter::default() };
    let rows = live.gate.list_audit(filter, ALL).await.unwrap();
    assert_eq!(rows.len(), 101);
    assert_eq!(rows.iter().filter_map(|row| row.detail["count"].as_u64()).sum::<u64>(), 900);
}

#[tokio::test]
async fn retention_drops_old_rows_and_the_chain_still_holds() {
    let live = live().await;
    for n in 0..50 {
        live.gate.audit(event(n)).await;
    }
    live.step().await;
    live.clock.advance(Duration::from_secs(200 * 86_400));
    live.gate.audit(event(50)).await;
    live.step().await;
    assert_eq!(live.gate.verify_audit().await.unwrap(), AuditVerdict::Intact { rows: 1, head: 51 });
}

#[tokio::test]
async fn concurrent_reporters_lose_nothing() {
    let live = live().await;
    let reporters: Vec<_> = (0..16)
        .map(|_| {
            let gate = live.gate.clone();
            tokio::spawn(async move {
                for n in 0..1_000 {
                    gate.audit(event(n)).await;
                }
            })
        })
        .collect();
    for reporter in reporters {
        reporter.await.unwrap();
    }
    assert_eq!(live.gate.verify_audit().await.unwrap(), AuditVerdict::Intact { rows: 16_000, head: 16_000 });
}
