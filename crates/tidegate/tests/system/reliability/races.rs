//! Many at once where only one may win.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::people::{LIMITS, Person};
use crate::support::Installation;

const TICKETS: usize = 20;
const RACERS: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_racers_on_one_ticket_one_gets_in() {
    let installation = Installation::new(LIMITS);
    let server = installation.serve();
    let person = Person::register(&server, "racer@example.test").await;
    let generation = person.generation().await;
    for _ in 0..TICKETS {
        let url = person.ticket_url(&generation).await;
        let (start, mut racers) = (Arc::new(Barrier::new(RACERS)), JoinSet::new());
        for _ in 0..RACERS {
            let (client, url, start) = (person.client.clone(), url.clone(), Arc::clone(&start));
            racers.spawn(async move {
                start.wait().await;
                client.get(url).send().await.unwrap()
            });
        }
        // The winner's answer is kept open until all have been counted.
        let answers = racers.join_all().await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status().as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses.first(), Some(&200));
        assert!(statuses.iter().skip(1).all(|status| *status == 401), "{statuses:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_refreshes_at_once_get_one_successor() {
    let installation = Installation::new(LIMITS);
    let server = installation.serve();
    let person = Person::register(&server, "tabs@example.test").await;
    let mut refreshes = JoinSet::new();
    for _ in 0..20 {
        let (client, url) = (person.client.clone(), format!("{}/api/v1/auth/refresh", person.base));
        let body = json!({"refresh_token": person.refresh_token});
        refreshes.spawn(async move {
            let answer = client.post(url).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.json::<Value>().await.unwrap()["refresh_token"].as_str().unwrap().to_owned()
        });
    }
    let successors: std::collections::HashSet<String> = refreshes.join_all().await.into_iter().collect();
    assert_eq!(successors.len(), 1);
}
