//! The end of a session is told in its owner's feed.

use tidegate_testkit::{TestServer, eventually};
use tidegate_types::{ReadFrom, StreamPath, UserId};

async fn feed(server: &TestServer, user: UserId) -> Vec<serde_json::Value> {
    let path: StreamPath = format!("users/{user}/events").parse().unwrap();
    let bound = tidegate_log::ReadBound { records: 100, bytes: 1 << 20 };
    let page = server.log().read(&path, ReadFrom::Start, bound).await;
    let records = page.map(|page| page.records).unwrap_or_default();
    records.iter().map(|record| serde_json::from_slice(&record.data).unwrap()).collect()
}

#[tokio::test]
async fn ended_sessions_are_told_once_across_a_restart() {
    let server = TestServer::start().await.unwrap();
    let user = server.user().await.unwrap();
    server.gate().end_all_sessions(user.id, tidegate_gate::Actor::Operator).await.unwrap();
    let told = eventually("the feed tells it", || async {
        let events = feed(&server, user.id).await;
        (!events.is_empty()).then_some(events)
    })
    .await;
    assert!(told.iter().all(|event| event["type"] == "session.ended"), "{told:?}");
    let server = server.restart().await.unwrap();
    let other = server.user().await.unwrap();
    server.gate().end_all_sessions(other.id, tidegate_gate::Actor::Operator).await.unwrap();
    // The second user's news comes after a second look at the first one's.
    eventually("the second feed tells it", || async { feed(&server, other.id).await.pop() }).await;
    assert_eq!(feed(&server, user.id).await.len(), told.len());
}
