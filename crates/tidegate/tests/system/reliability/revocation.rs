//! Signing out ends what was opened by it, at once, with many others open.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use super::people::{LIMITS, Person};
use super::sse::{Source, refused};
use crate::support::Installation;

const OPEN: usize = 1_000;
/// The promise.
const WITHIN: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logout_ends_the_sessions_streams_within_a_second_under_a_thousand_open_ones() {
    let installation = Installation::new(LIMITS);
    let server = installation.serve();
    let crowd = Person::register(&server, "crowd@example.test").await;
    let leaver = Person::register(&server, "leaver@example.test").await;
    let (theirs, own) = (crowd.generation().await, leaver.generation().await);
    let mut open = Vec::with_capacity(OPEN);
    for _ in 0..OPEN {
        let url = crowd.ticket_url(&theirs).await;
        open.push(Source::open(&crowd.client, &url, None).await.unwrap_or_else(refused));
    }
    let mut leaving = JoinSet::new();
    for _ in 0..10 {
        let url = leaver.ticket_url(&own).await;
        let mut source = Source::open(&leaver.client, &url, None).await.unwrap_or_else(refused);
        source.record().await.expect("the first event");
        leaving.spawn(async move { (source.end().await, Instant::now()) });
    }
    let began = Instant::now();
    assert_eq!(leaver.post("/api/v1/auth/logout", &json!({})).await.status(), 204);
    for (reason, at) in leaving.join_all().await {
        assert_eq!(reason.as_deref(), Some("revoked"));
        assert!(at.duration_since(began) <= WITHIN, "took {:?}", at.duration_since(began));
    }
    // Nobody else noticed.
    let last = open.last_mut().expect("an open stream");
    assert!(last.record().await.is_some());
}
