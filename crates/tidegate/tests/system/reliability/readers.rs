//! Readers that do not read lose nothing and cost the others nothing.

use reqwest::Client;

use super::people::LIMITS;
use super::sse::{Source, refused};
use crate::support::Installation;

const RECORDS: usize = 2_000;
const STALLED: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_reader_gets_everything_later_and_holds_nobody_up() {
    let installation = Installation::new(LIMITS);
    let server = installation.serve();
    let url = server.url("/v1/stream/open/slow");
    let client = Client::new();
    let created = client.put(&url).header("content-type", "application/json").send().await.unwrap();
    assert_eq!(created.status(), 201);
    let live = format!("{url}?after=-1&live=events");
    let mut stalled = Vec::new();
    for _ in 0..STALLED {
        // A client of its own: its socket is read only when the source is.
        stalled.push(Source::open(&Client::new(), &live, None).await.unwrap_or_else(refused));
    }
    let mut quick = Source::open(&Client::new(), &live, None).await.unwrap_or_else(refused);
    let payload = "x".repeat(2_000);
    let writing = tokio::spawn(async move {
        for number in 0..RECORDS {
            let body = format!("{{\"n\":{number},\"p\":\"{payload}\"}}");
            let answer =
                client.post(&url).header("content-type", "application/json").body(body).send().await.unwrap();
            assert!(answer.status().is_success());
        }
    });
    read_all(&mut quick).await;
    writing.await.unwrap();
    for mut source in stalled {
        read_all(&mut source).await;
    }
}

/// Every record once, in order.
async fn read_all(source: &mut Source) {
    for number in 0..RECORDS {
        let event = source.record().await.expect("the stream goes on");
        let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(data["n"], number);
    }
}
