//! A disk that fails a sync, made real: `strace` answers one of the server's own syncs with `EIO`.
//!
//! After such a failure the system may count pages as written that are not, so nothing may be tried again
//! and nothing more acknowledged; the next start reads what is really there.

use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};

use crate::support::{Installation, Server};

/// Large enough that a few dozen call for a checkpoint.
const RECORD_BYTES: usize = 512 << 10;
const APPENDS_MAX: usize = 400;
const ENDS_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_of_the_log_file_that_fails_ends_the_server_before_anything_more_is_acknowledged() {
    for nth in [2, 3, 5, 8, 13, 30] {
        fails_at("tidegate.db-wal", nth).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_of_the_database_file_that_fails_ends_the_server_and_is_not_tried_again() {
    for nth in [1, 2, 3] {
        fails_at("tidegate.db", nth).await;
    }
}

async fn fails_at(file: &str, nth: usize) {
    let installation = Installation::new("[limits]\nbody_bytes = 1048576\n");
    let (client, path) = (Client::new(), "/v1/stream/open/syncs");
    let first = installation.serve();
    let create = client.put(first.url(path)).header("content-type", "text/plain").send().await.unwrap();
    assert_eq!(create.status(), StatusCode::CREATED);
    // A clean end, so that only what follows stands in the log file.
    first.stop();

    let mut server = installation.serve_with_a_failing_sync(file, nth);
    let mut acknowledged = 0;
    while append(&client, &server, path, acknowledged).await {
        acknowledged += 1;
        assert!(acknowledged < APPENDS_MAX, "{file} was not synced {nth} times");
    }
    let failed = Instant::now();
    while server.status().is_none() {
        assert!(failed.elapsed() < ENDS_WITHIN, "{file}, {nth}: the server goes on");
        assert!(!append(&client, &server, path, acknowledged).await, "{file}, {nth}: acknowledged after it");
    }
    assert_eq!(server.status().and_then(|status| status.code()), Some(1), "{}", server.log());
    let syncs = installation.syncs();
    let after = syncs.split_once("INJECTED").expect("a sync failed").1;
    assert!(!after.contains("fdatasync"), "{file}, {nth}: synced again: {after}");

    let again = installation.serve();
    let stored = stored(&client, &again, path).await;
    assert!(
        stored == acknowledged || stored == acknowledged + 1,
        "{file}, {nth}: {acknowledged} acknowledged, {stored} there"
    );
    assert!(append(&client, &again, path, stored).await, "the next start writes again");
}

/// Whether the append was acknowledged. Its text begins with its number.
async fn append(client: &Client, server: &Server, path: &str, number: usize) -> bool {
    let body = format!("{number:08}{}", "x".repeat(RECORD_BYTES - 8));
    let request = client.post(server.url(path)).header("content-type", "text/plain").body(body);
    request.timeout(ENDS_WITHIN).send().await.is_ok_and(|answer| answer.status().is_success())
}

/// Reads everything, checks that no record is missing, doubled or out of place, and counts.
async fn stored(client: &Client, server: &Server, path: &str) -> usize {
    let (mut offset, mut text) = ("-1".to_owned(), Vec::new());
    loop {
        let answer = client.get(server.url(&format!("{path}?offset={offset}"))).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        let (next, done) = (header("stream-next-offset").unwrap(), header("stream-up-to-date").is_some());
        text.extend_from_slice(&answer.bytes().await.unwrap());
        if done {
            break;
        }
        offset = next;
    }
    assert_eq!(text.len() % RECORD_BYTES, 0, "half a record");
    for (number, record) in text.chunks(RECORD_BYTES).enumerate() {
        assert!(record.starts_with(format!("{number:08}x").as_bytes()), "record {number} is another");
    }
    text.len() / RECORD_BYTES
}
