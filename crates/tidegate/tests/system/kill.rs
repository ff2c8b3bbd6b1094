//! Rounds of load, kill, restart, check.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::support::{Installation, Server};

const WRITERS: u64 = 16;
const ROUNDS_DEFAULT: u32 = 5;
/// Acknowledged appends after which a round's server is killed: always mid-load.
const ACKNOWLEDGED_BEFORE_KILL: u64 = 400;
/// How long a writer waits for an answer: a client may go on waiting although its server was killed.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);
/// Rounds after which a long run says where it is.
const ROUNDS_PER_LINE: u32 = 50;

/// What one writer knows: the numbers that were acknowledged, and those that may or may not
/// have been stored when the server died.
#[derive(Default)]
struct Journal {
    acknowledged: HashSet<u64>,
    unknown: HashSet<u64>,
    next: u64,
    epoch_seq: u64,
    /// Acknowledged since the last check.
    unchecked: Vec<u64>,
    /// What was found so far, and where the next check goes on.
    found: HashSet<u64>,
    checked_to: Option<String>,
}

impl Journal {
    /// Notes a record that the stream holds.
    fn find(&mut self, writer: u64, number: u64) {
        let known =
            self.acknowledged.contains(&number) || self.unknown.contains(&number) || number == self.next;
        assert!(known, "writer {writer}: {number} was never sent");
        assert!(self.found.insert(number), "writer {writer}: {number} stands twice");
    }

    fn check_found(&mut self, writer: u64) {
        for number in self.unchecked.drain(..) {
            assert!(self.found.contains(&number), "writer {writer}: acknowledged {number} is lost");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_append_is_lost_or_doubled_by_kill_9() {
    let rounds = std::env::var("KILL_ROUNDS").ok().and_then(|n| n.parse().ok());
    let installation = Installation::new("[log]\nlevel = \"warn\"\n");
    let (client, began) = (Client::new(), Instant::now());
    let mut journals: HashMap<u64, Journal> = HashMap::new();
    for round in 0..rounds.unwrap_or(ROUNDS_DEFAULT) {
        let server = installation.serve();
        if round == 0 {
            create_streams(&client, &server).await;
        }
        check_new(&client, &server, &mut journals).await;
        journals = load_until_killed(&client, server, journals).await;
        if (round + 1).is_multiple_of(ROUNDS_PER_LINE) {
            let (killed, seconds) = (round + 1, began.elapsed().as_secs());
            println!(
                "killed {killed} times in {seconds} s, {} acknowledged appends",
                acknowledged(&journals)
            );
        }
    }
    let server = installation.serve();
    check_all(&client, &server, &mut journals).await;
    server.kill();
    check_integrity(&installation);
    println!("{} acknowledged appends, none lost or doubled", acknowledged(&journals));
}

fn acknowledged(journals: &HashMap<u64, Journal>) -> usize {
    journals.values().map(|journal| journal.acknowledged.len()).sum()
}

async fn create_streams(client: &Client, server: &Server) {
    for writer in 0..WRITERS {
        let request = client.put(stream(server, writer)).header("content-type", "application/json");
        assert_eq!(request.send().await.unwrap().status(), StatusCode::CREATED);
    }
}

/// All writers append until enough was acknowledged; then the server is killed under them.
async fn load_until_killed(
    client: &Client,
    server: Server,
    mut journals: HashMap<u64, Journal>,
) -> HashMap<u64, Journal> {
    let (count, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let journal = journals.remove(&writer).unwrap_or_default();
            let url = stream(&server, writer);
            let (client, count, stop) = (client.clone(), Arc::clone(&count), Arc::clone(&stop));
            tokio::spawn(async move { (writer, write(&client, (writer, url), journal, &count, &stop).await) })
        })
        .collect();
    while count.load(Ordering::Acquire) < ACKNOWLEDGED_BEFORE_KILL {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.kill();
    stop.store(true, Ordering::Release);
    let mut done = HashMap::new();
    for writer in writers {
        let (id, journal) = writer.await.unwrap();
        done.insert(id, journal);
    }
    done
}

async fn write(
    client: &Client,
    (writer, url): (u64, String),
    mut journal: Journal,
    count: &AtomicU64,
    stop: &AtomicBool,
) -> Journal {
    while !stop.load(Ordering::Acquire) {
        let idempotent = writer.is_multiple_of(2);
        let number = journal.next;
        let mut request =
            client.post(&url).header("content-type", "application/json").body(format!("{{\"n\":{number}}}"));
        if idempotent {
            request = request
                .header("producer-id", format!("writer-{writer}"))
                .header("producer-epoch", "0")
                .header("producer-seq", journal.epoch_seq.to_string());
        }
        let answered = request.timeout(ANSWERS_WITHIN).send().await.is_ok_and(|answer| {
            assert!(answer.status().is_success(), "an append was answered with {}", answer.status());
            true
        });
        if answered {
            journal.acknowledged.insert(number);
            journal.unchecked.push(number);
            count.fetch_add(1, Ordering::AcqRel);
        } else if !idempotent {
            // Without a producer nobody can tell whether it was stored: it is never sent again.
            journal.unknown.insert(number);
        }
        // An idempotent writer sends the same number again after the restart.
        if answered || !idempotent {
            journal.next += 1;
            journal.epoch_seq += 1;
        }
        if !answered {
            break;
        }
    }
    journal
}

/// What was acknowledged since the last check stands behind what was found then, each number once, and
/// nothing that was never sent.
async fn check_new(client: &Client, server: &Server, journals: &mut HashMap<u64, Journal>) {
    for (writer, journal) in journals {
        let from = journal.checked_to.take().unwrap_or_else(|| "-1".to_owned());
        let (records, next) = read_from(client, &stream(server, *writer), from).await;
        records.iter().for_each(|record| journal.find(*writer, record["n"].as_u64().unwrap()));
        journal.check_found(*writer);
        journal.checked_to = Some(next);
    }
}

/// The same of everything, from the start.
async fn check_all(client: &Client, server: &Server, journals: &mut HashMap<u64, Journal>) {
    for journal in journals.values_mut() {
        journal.unchecked = journal.acknowledged.iter().copied().collect();
        journal.found.clear();
        journal.checked_to = None;
    }
    check_new(client, server, journals).await;
}

/// The records after an offset, and the offset of their end.
async fn read_from(client: &Client, url: &str, from: String) -> (Vec<Value>, String) {
    let (mut offset, mut all) = (from, Vec::new());
    loop {
        let answer = client.get(format!("{url}?offset={offset}")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        let up_to_date = header("stream-up-to-date").is_some();
        offset = header("stream-next-offset").unwrap();
        all.extend(answer.json::<Vec<Value>>().await.unwrap());
        if up_to_date {
            return (all, offset);
        }
    }
}

fn check_integrity(installation: &Installation) {
    let database = std::fs::read_dir(installation.path())
        .unwrap()
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .find(|path| path.extension().is_some_and(|e| e == "db"))
        .expect("the database file");
    let connection = tidegate_db::rusqlite::Connection::open(database).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

fn stream(server: &Server, writer: u64) -> String {
    server.url(&format!("/v1/stream/open/kill-{writer}"))
}
