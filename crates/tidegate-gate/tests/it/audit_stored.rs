//! The audit as it is stored: batches that nobody changes unseen, and those of an older database.

use std::time::Duration;

use serde_json::json;
use tidegate_db::DbError;
use tidegate_db::rusqlite::params;
use tidegate_gate::{
    Actor, AuditEntry, AuditEvent, AuditFilter, AuditKind, AuditOrder, AuditPage, AuditVerdict, Gate,
};
use tidegate_types::Clock as _;

use crate::live::{Live, feed, live, no_browser};

const UNLOCKED: &str = "DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_only_trimmed";

fn event(n: usize) -> AuditEvent {
    AuditEvent::new(AuditKind::Admin, Actor::Operator).subject(n).detail(json!({ "n": n }))
}

/// Three batches of ten.
async fn thirty() -> Live {
    let live = live().await;
    for n in 0..30 {
        live.gate.audit(event(n)).await;
        if n % 10 == 9 {
            live.gate.flush_audit().await.unwrap();
        }
    }
    live
}

async fn tamper(live: &Live, sql: &'static str) -> Result<(), DbError> {
    live.db.write(move |tx| Ok(tx.execute_batch(sql)?)).await
}

async fn every_row(gate: &Gate) -> Vec<AuditEntry> {
    let mut all: Vec<AuditEntry> = Vec::new();
    loop {
        let page =
            AuditPage { cursor: all.last().map(|e| e.seq), limit: 200, order: AuditOrder::OldestFirst };
        let more = gate.list_audit(AuditFilter::default(), page).await.unwrap();
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

#[tokio::test]
async fn the_table_refuses_changes_and_deletions() {
    let live = thirty().await;
    assert!(tamper(&live, "UPDATE audit_batches SET body = '[]'").await.is_err());
    assert!(tamper(&live, "DELETE FROM audit_batches").await.is_err());
}

#[tokio::test]
async fn tampering_behind_the_tables_back_is_found() {
    let changes: &[(&str, u64)] = &[
        ("body = json_replace(body, '$[2][7]', '{}')", 13),
        ("body = json_replace(body, '$[0][2]', 'user:x', '$[0][0]', json_extract(body, '$[0][0]') + 1)", 11),
        ("body = json_remove(body, '$[3]')", 14),
        (
            "body = json_remove(body, '$[3]'),
             hashes = unhex(substr(hex(hashes), 1, 192) || substr(hex(hashes), 257))",
            14,
        ),
        ("body = json_remove(body, '$[9]'), last_seq = 19, hashes = unhex(substr(hex(hashes), 1, 576))", 20),
        (
            "body = json_replace(body, '$[4]', json_extract(body, '$[5]'), '$[5]', json_extract(body, '$[4]'))",
            15,
        ),
        ("body = json_insert(body, '$[10]', json_extract(body, '$[9]'))", 21),
        ("hashes = unhex(substr(hex(hashes), 1, 576))", 20),
        ("body = 'no JSON'", 11),
        ("body = '[]', hashes = x''", 11),
        ("first_seq = 12", 11),
        ("last_seq = 25", 21),
        ("terms = zeroblob(length(terms))", 11),
        ("terms = x''", 11),
        ("first_at = last_at + 1", 11),
        ("last_at = last_at - 1", 11),
    ];
    for (change, at) in changes {
        let live = thirty().await;
        tamper(&live, UNLOCKED).await.unwrap();
        let sql = format!("UPDATE audit_batches SET {change} WHERE first_seq = 11");
        live.db.write(move |tx| Ok::<_, DbError>(tx.execute_batch(&sql)?)).await.unwrap();
        let AuditVerdict::Broken { seq, .. } = live.gate.verify_audit().await.unwrap() else {
            panic!("{change}")
        };
        assert_eq!(seq, *at, "{change}");
    }
}

#[tokio::test]
async fn a_batch_that_is_gone_is_found() {
    for (batch, at) in [(1, 1), (11, 11), (21, 21)] {
        let live = thirty().await;
        tamper(&live, UNLOCKED).await.unwrap();
        let sql = "DELETE FROM audit_batches WHERE first_seq = ?1";
        live.db.write(move |tx| Ok::<_, DbError>(tx.execute(sql, [batch])?)).await.unwrap();
        let AuditVerdict::Broken { seq, .. } = live.gate.verify_audit().await.unwrap() else {
            panic!("{batch}")
        };
        assert_eq!(seq, at);
    }
}

#[tokio::test]
async fn retention_drops_batches_once_their_last_row_is_old() {
    let live = live().await;
    let day = Duration::from_secs(86_400);
    for n in 0..300 {
        live.gate.audit(event(n)).await;
    }
    live.gate.flush_audit().await.unwrap();
    live.clock.advance(10 * day);
    live.gate.audit(event(300)).await;
    live.step().await;
    live.clock.advance(175 * day);
    live.step().await;
    assert_eq!(live.gate.verify_audit().await.unwrap(), AuditVerdict::Intact { rows: 1, head: 301 });
    live.clock.advance(6 * day);
    live.step().await;
    assert_eq!(live.gate.verify_audit().await.unwrap(), AuditVerdict::Intact { rows: 0, head: 301 });
    live.gate.audit(event(301)).await;
    assert_eq!(live.gate.verify_audit().await.unwrap(), AuditVerdict::Intact { rows: 1, head: 302 });
}

/// Puts the audit back into the table that it was in before it was packed.
async fn unpack_into_the_old_table(live: &Live, rows: Vec<AuditEntry>) {
    live.db
        .write(move |tx| {
            let ends: (i64, Vec<u8>, i64, Vec<u8>) = tx.query_row(
                "SELECT base_seq, base_hash, head_seq, head_hash FROM audit_chain",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )?;
            tx.execute_batch("DROP TABLE audit_batches; DROP TABLE audit_chain")?;
            tx.execute_batch(include_str!("../../migrations/V3__audit.sql"))?;
            tx.execute("DELETE FROM schema_history_gate WHERE version >= 5", [])?;
            tx.execute_batch("DROP INDEX leases_ended; CREATE INDEX leases_sweep ON leases (sweep_at)")?;
            tx.execute(
                "UPDATE audit_chain SET base_seq = ?1, base_hash = ?2, head_seq = ?3, head_hash = ?4",
                params![ends.0, ends.1, ends.2, ends.3],
            )?;
            for row in rows {
                tx.execute(
                    "INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, unhex(?10))",
                    params![
                        row.seq,
                        row.at.as_millis(),
                        row.kind,
                        row.actor,
                        row.subject,
                        row.address,
                        row.request_id,
                        row.stream,
                        row.detail.to_string(),
                        row.hash
                    ],
                )?;
            }
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
}

/// Rows of many days, of all shapes, without the oldest: those are trimmed.
async fn of_many_days() -> Live {
    let live = live().await;
    let day = Duration::from_secs(86_400);
    live.gate.audit(event(0)).await;
    live.step().await;
    live.clock.advance(181 * day);
    live.step().await;
    for n in 1..700_usize {
        let mut event = event(n).detail(json!({ "text": format!("\"{n}\" \\ \u{0} \u{1f} é 🌊") }));
        if n % 3 == 0 {
            event = event.stream(&feed().path).from_client(&no_browser());
        }
        if n % 5 == 0 {
            event.subject = None;
        }
        live.gate.audit(event).await;
        if n % 290 == 0 {
            live.clock.advance(2 * day);
        }
        if n % 100 == 0 {
            live.clock.set_back(Duration::from_secs(7));
        }
    }
    live.gate.flush_audit().await.unwrap();
    live
}

#[tokio::test]
async fn an_older_database_keeps_every_row_its_number_and_its_chain() {
    let live = of_many_days().await;
    let rows = every_row(&live.gate).await;
    assert_eq!((rows.len(), rows[0].seq), (699, 2));
    unpack_into_the_old_table(&live, rows.clone()).await;
    let gate = live.other_process().await;
    assert_eq!(every_row(&gate).await, rows);
    assert_eq!(gate.verify_audit().await.unwrap(), AuditVerdict::Intact { rows: 699, head: 700 });
    let (batches, longest): (i64, i64) = live
        .db
        .read(|conn| {
            let sql = "SELECT count(*), max(json_extract(body, '$[#-1][0]') - json_extract(body, '$[0][0]'))
                       FROM audit_batches";
            Ok::<_, DbError>(conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
        })
        .await
        .unwrap();
    assert_eq!((batches, longest), (5, 0), "cut at 256 rows and where a day lies between");
    let late = AuditFilter { since: Some(rows[650].at), ..AuditFilter::default() };
    let page = AuditPage { cursor: None, limit: 200, order: AuditOrder::OldestFirst };
    let expected: Vec<_> = rows.iter().filter(|row| row.at >= rows[650].at).cloned().collect();
    assert_eq!(gate.list_audit(late, page).await.unwrap(), expected);
    live.clock.advance(Duration::from_secs(1));
    gate.audit_durably(event(700)).await.unwrap();
    assert_eq!(gate.verify_audit().await.unwrap(), AuditVerdict::Intact { rows: 700, head: 701 });
    assert_eq!(every_row(&gate).await.last().unwrap().at, live.clock.now());
}

#[tokio::test]
async fn a_row_that_an_older_database_lost_is_still_missed_and_the_others_keep_their_numbers() {
    let live = of_many_days().await;
    let mut rows = every_row(&live.gate).await;
    rows.remove(298);
    unpack_into_the_old_table(&live, rows.clone()).await;
    let gate = live.other_process().await;
    assert_eq!(every_row(&gate).await, rows);
    assert_eq!(
        gate.verify_audit().await.unwrap(),
        AuditVerdict::Broken { seq: 300, reason: "a row is missing" }
    );
}

#[tokio::test]
async fn an_older_database_without_rows_begins_its_chain_anew() {
    let live = live().await;
    unpack_into_the_old_table(&live, Vec::new()).await;
    let gate = live.other_process().await;
    gate.audit_durably(event(1)).await.unwrap();
    assert_eq!(gate.verify_audit().await.unwrap(), AuditVerdict::Intact { rows: 1, head: 1 });
}
