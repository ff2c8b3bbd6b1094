//! Lists of the audit say the same as a plain filter over all its events, however these are packed.

use std::net::IpAddr;
use std::time::Duration;

use proptest::prelude::*;
use tidegate_gate::{
    Actor, AuditEntry, AuditEvent, AuditFilter, AuditKind, AuditOrder, AuditPage, AuditVerdict, Gate,
};
use tidegate_types::{Clock as _, StreamPath, Timestamp, UserId};
use uuid::Uuid;

use crate::live::{Live, live};

const KINDS: [AuditKind; 4] =
    [AuditKind::Admin, AuditKind::StreamOpen, AuditKind::StreamClose, AuditKind::LeaseKilled];

#[derive(Clone, Debug)]
enum Step {
    Event { kind: usize, actor: u128, subject: Option<u128>, stream: Option<u8>, padding: usize },
    Flush,
    Forward(u64),
    Back(u64),
}

#[derive(Clone, Debug)]
struct Question {
    kind: Option<usize>,
    user: Option<u128>,
    stream: Option<u8>,
    since: Option<f64>,
    until: Option<f64>,
    newest_first: bool,
    limit: usize,
}

fn step() -> impl Strategy<Value = Step> {
    let subject = prop::option::of(prop_oneof![0..3_u128, 100..140_u128]);
    let padding = prop_oneof![9 => Just(0_usize), 1 => Just(3_000)];
    prop_oneof![
        40 => (0..KINDS.len(), 0..3_u128, subject, prop::option::of(0..3_u8), padding).prop_map(
            |(kind, actor, subject, stream, padding)| Step::Event { kind, actor, subject, stream, padding }
        ),
        3 => Just(Step::Flush),
        6 => (1..20_000_u64).prop_map(Step::Forward),
        1 => (1..5_000_u64).prop_map(Step::Back),
    ]
}

fn question() -> impl Strategy<Value = Question> {
    let part = || prop::option::weighted(0.3, 0.0..1.0_f64);
    (
        prop::option::weighted(0.4, 0..KINDS.len()),
        // Nobody knows the fourth.
        prop::option::weighted(0.4, 0..4_u128),
        prop::option::weighted(0.3, 0..4_u8),
        part(),
        part(),
        any::<bool>(),
        prop_oneof![1..10_usize, 10..200_usize],
    )
        .prop_map(|(kind, user, stream, since, until, newest_first, limit)| Question {
            kind,
            user,
            stream,
            since,
            until,
            newest_first,
            limit,
        })
}

fn user(n: u128) -> UserId {
    Uuid::from_u128(n).into()
}

fn stream(n: u8) -> StreamPath {
    format!("a/{n}").parse().unwrap()
}

fn event(kind: usize, actor: u128, subject: Option<u128>, on: Option<u8>, padding: usize) -> AuditEvent {
    let mut event = AuditEvent::new(KINDS[kind], Actor::User(user(actor)));
    event.address = Some(IpAddr::from([127, 0, 0, 1]));
    event.subject = subject.map(|n| user(n).to_string());
    event.stream = on.map(stream);
    event.detail(serde_json::json!({ "padding": "x".repeat(padding) }))
}

/// Does the steps; answers the events as they were told, with their times.
async fn told(live: &Live, steps: Vec<Step>) -> Vec<(Timestamp, AuditEvent)> {
    let mut told = Vec::new();
    for step in steps {
        match step {
            Step::Event { kind, actor, subject, stream, padding } => {
                let event = event(kind, actor, subject, stream, padding);
                told.push((live.clock.now(), event.clone()));
                live.gate.audit(event).await;
            }
            Step::Flush => live.gate.flush_audit().await.unwrap(),
            Step::Forward(by) => live.clock.advance(Duration::from_millis(by)),
            Step::Back(by) => live.clock.set_back(Duration::from_millis(by)),
        }
    }
    told
}

async fn pages(gate: &Gate, filter: AuditFilter, limit: usize, order: AuditOrder) -> Vec<AuditEntry> {
    let mut all: Vec<AuditEntry> = Vec::new();
    loop {
        let page = AuditPage { cursor: all.last().map(|entry| entry.seq), limit, order };
        let more = gate.list_audit(filter.clone(), page).await.unwrap();
        let is_last = more.len() < limit;
        all.extend(more);
        if is_last {
            return all;
        }
    }
}

fn fits(entry: &AuditEntry, filter: &AuditFilter) -> bool {
    let user_fits = |user: UserId| {
        entry.actor == format!("user:{user}") || entry.subject.as_deref() == Some(user.to_string().as_str())
    };
    filter.kind.is_none_or(|kind| entry.kind == kind.as_str())
        && filter.user.is_none_or(user_fits)
        && filter.stream.as_ref().is_none_or(|stream| entry.stream.as_deref() == Some(stream.as_str()))
        && filter.since.is_none_or(|since| entry.at >= since)
        && filter.until.is_none_or(|until| entry.at < until)
}

async fn holds(steps: Vec<Step>, questions: Vec<Question>) {
    let live = live().await;
    let told = told(&live, steps).await;
    let all = pages(&live.gate, AuditFilter::default(), 200, AuditOrder::OldestFirst).await;
    assert_eq!(all.len(), told.len());
    for (seq, (entry, (at, event))) in (1..).zip(all.iter().zip(&told)) {
        assert_eq!((entry.seq, entry.at, entry.kind.as_str()), (seq, *at, event.kind.as_str()));
        assert_eq!((&entry.actor, &entry.subject), (&event.actor.to_string(), &event.subject));
        assert_eq!(
            (entry.stream.as_deref(), &entry.detail),
            (event.stream.as_ref().map(StreamPath::as_str), &event.detail)
        );
    }
    let rows = all.len() as u64;
    assert_eq!(live.gate.verify_audit().await.unwrap(), AuditVerdict::Intact { rows, head: rows });
    let times = (all.iter().map(|e| e.at).min(), all.iter().map(|e| e.at).max());
    let (Some(first), Some(last)) = times else { return };
    let span = last.since(first) + Duration::from_millis(2);
    for question in questions {
        let at = |part: f64| first.plus(span.mul_f64(part));
        let filter = AuditFilter {
            kind: question.kind.map(|kind| KINDS[kind]),
            user: question.user.map(user),
            stream: question.stream.map(stream),
            since: question.since.map(at),
            until: question.until.map(at),
        };
        let order = if question.newest_first { AuditOrder::NewestFirst } else { AuditOrder::OldestFirst };
        let found = pages(&live.gate, filter.clone(), question.limit, order).await;
        let mut expected: Vec<AuditEntry> = all.iter().filter(|e| fits(e, &filter)).cloned().collect();
        if question.newest_first {
            expected.reverse();
        }
        assert_eq!(found, expected, "{question:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn lists_are_plain_filters_over_all_events(
        steps in prop_oneof![prop::collection::vec(step(), 0..60), prop::collection::vec(step(), 500..900)],
        questions in prop::collection::vec(question(), 12),
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(holds(steps, questions));
    }
}

/// More than one slice unpacks, with what is wanted at both ends of it.
#[tokio::test]
async fn what_is_rare_is_found_behind_all_that_is_not() {
    let live = live().await;
    let rare = || event(0, 7, None, None, 0);
    live.gate.audit(rare()).await;
    for n in 0..20_000_usize {
        // Every batch holds the kind and the user, but not together.
        live.gate.audit(event(n % 2, if n % 2 == 0 { 1 } else { 7 }, None, None, 0)).await;
    }
    live.gate.audit(rare()).await;
    let filter = || AuditFilter { kind: Some(KINDS[0]), user: Some(user(7)), ..AuditFilter::default() };
    for (order, expected) in [(AuditOrder::OldestFirst, [1, 20_002]), (AuditOrder::NewestFirst, [20_002, 1])]
    {
        let found = pages(&live.gate, filter(), 10, order).await;
        assert_eq!(found.iter().map(|entry| entry.seq).collect::<Vec<_>>(), expected);
    }
}

/// More batches than one slice passes, written straight to the table.
#[tokio::test]
async fn batches_that_are_passed_over_hide_nothing_behind_them() {
    let live = live().await;
    let count = 9_000_u64;
    // Only those at the ends and where a slice begins say that they may hold a word; all but the first are late.
    live.sql(
        "WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < 9000)
         INSERT INTO audit_batches
         SELECT seq, seq, iif(seq = 1, 10, 20), iif(seq = 1, 10, 20), iif(seq IN (1, 4097, 4904, 9000), NULL, x''), zeroblob(32),
                json_array(json_array(iif(seq = 1, 10, 20), 'admin', 'operator', NULL, NULL, NULL, NULL, '{}'))
         FROM n",
    )
    .await;
    let of_kind = AuditFilter { kind: Some(AuditKind::Admin), ..AuditFilter::default() };
    let early = AuditFilter { until: Some(Timestamp::from_millis(15)), ..AuditFilter::default() };
    let seqs = async |filter: &AuditFilter, order| -> Vec<u64> {
        pages(&live.gate, filter.clone(), 5, order).await.iter().map(|entry| entry.seq).collect()
    };
    assert_eq!(seqs(&of_kind, AuditOrder::OldestFirst).await, [1, 4_097, 4_904, count]);
    assert_eq!(seqs(&of_kind, AuditOrder::NewestFirst).await, [count, 4_904, 4_097, 1]);
    assert_eq!(seqs(&early, AuditOrder::NewestFirst).await, [1]);
    assert_eq!(seqs(&early, AuditOrder::OldestFirst).await, [1]);
}
