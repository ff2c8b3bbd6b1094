//! A full disk, made real: the data folder is a small file system of its own.

use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};

use crate::support::Installation;

const RECOVERY_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_appends_loses_nothing_and_recovers() {
    let installation = Installation::new("");
    let server = installation.serve_on_small_disk(8);
    let (client, url) = (Client::new(), server.url("/v1/stream/open/full"));
    let create = client.put(&url).header("content-type", "application/json").send().await.unwrap();
    assert_eq!(create.status(), StatusCode::CREATED);
    let filler = server.fill_disk_but(512 << 10);
    let mut acknowledged = 0_usize;
    let refused = loop {
        let status = append(&client, &url, acknowledged).await;
        if !status.is_success() {
            break status;
        }
        acknowledged += 1;
    };
    assert_eq!(refused, StatusCode::INSUFFICIENT_STORAGE);
    assert!(acknowledged > 0);
    assert_eq!(count(&client, &url).await, acknowledged, "reads go on");
    std::fs::remove_file(filler).expect("space again");
    let began = Instant::now();
    while !append(&client, &url, acknowledged).await.is_success() {
        assert!(began.elapsed() < RECOVERY_WITHIN, "writing did not come back");
    }
    assert_eq!(count(&client, &url).await, acknowledged + 1, "nothing lost, nothing doubled");
}

async fn append(client: &Client, url: &str, number: usize) -> StatusCode {
    let body = format!("{{\"n\":{number},\"p\":\"{}\"}}", "x".repeat(8_000));
    client.post(url).header("content-type", "application/json").body(body).send().await.unwrap().status()
}

async fn count(client: &Client, url: &str) -> usize {
    let (mut offset, mut count) = ("-1".to_owned(), 0);
    loop {
        let answer = client.get(format!("{url}?offset={offset}")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        let (next, done) = (header("stream-next-offset").unwrap(), header("stream-up-to-date").is_some());
        count += answer.json::<Vec<serde_json::Value>>().await.unwrap().len();
        if done {
            return count;
        }
        offset = next;
    }
}
