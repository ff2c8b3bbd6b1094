//! Runs the corpus: each case over each version of HTTP, on an idle server and under load.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::Value;

use super::corpus::{Case, cases, fill};
use super::world::World;
use crate::support::{Installation, Server};

const LIMITS: &str = "[limits]\nauth_per_minute_per_address = 1000000\nlogins_per_minute_per_account = 1000\n\
    tickets_per_minute_per_user = 100000\nanonymous_per_minute_per_address = 1000000\nstreams_per_user = 100000\n\
    streams_per_address = 100000\n";

/// What came back.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hostile_request_gets_its_answer_over_http_1() {
    let installation = Installation::new(LIMITS);
    let server = installation.serve();
    let base = server.url("");
    let world = World::new(&base, Client::new(), &installation, "h1").await;
    let mut wrong = run_all(&world, &Client::builder().http1_only().build().unwrap(), true).await;
    let load = Load::start(&server);
    wrong.extend(run_all(&world, &Client::builder().http1_only().build().unwrap(), true).await);
    load.stop().await;
    no_secret_was_logged(&server, &world).await;
    assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hostile_request_gets_its_answer_over_http_2() {
    let folder = tempfile::tempdir().unwrap();
    let certified =
        rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, certified.cert.pem()).unwrap();
    std::fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let tls =
        format!("[server]\ntls_cert = \"{}\"\ntls_key = \"{}\"\n\n{LIMITS}", cert.display(), key.display());
    let installation = Installation::new(&tls);
    let server = installation.serve();
    let root = reqwest::Certificate::from_pem(certified.cert.pem().as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([root]).http2_prior_knowledge().build().unwrap();
    let base = format!("https://{}", server.address);
    let world = World::new(&base, client.clone(), &installation, "h2").await;
    let mut wrong = run_all(&world, &client, false).await;
    wrong.extend(run_all(&world, &client, false).await);
    no_secret_was_logged(&server, &world).await;
    assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong.join("\n"));
}

async fn run_all(world: &World, client: &Client, raw: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for case in cases() {
        if case.raw.is_some() && !raw {
            continue;
        }
        let answer = match &case.raw {
            Some(bytes) => send_raw(world, bytes).await,
            None => send(world, client, &case).await,
        };
        wrong.extend(judge(&case, &answer).map(|why| format!("- {}: {why}", case.name)));
    }
    wrong
}

async fn send(world: &World, client: &Client, case: &Case) -> Answer {
    let words = world.words(&format!("{case:?}")).await;
    let method = Method::from_bytes(case.method.as_bytes()).unwrap();
    let mut request = client.request(method, format!("{}{}", world.base, fill(&case.path, &words)));
    if let Some(host) = &case.host {
        request = request.header("host", host);
    }
    for (name, values) in &case.headers {
        for value in values.iter() {
            request = request.header(name, fill(value, &words));
        }
    }
    if let Some(json) = &case.json {
        request = request.header("content-type", "application/json").body(fill(json, &words));
    }
    if let Some(body) = &case.body {
        request = request.body(fill(body, &words));
    }
    let answer = request
        .timeout(Duration::from_secs(20))
        .send()
        .await
        .unwrap_or_else(|e| panic!("{}: {e:?}", case.name));
    let headers = answer.headers().iter();
    let headers =
        headers.map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
    let status = answer.status().as_u16();
    // A stream that was let in never ends; its head is all that a case asks for.
    let body = if status == 200 { Vec::new() } else { answer.bytes().await.unwrap().to_vec() };
    Answer { status, headers, body }
}

async fn send_raw(world: &World, bytes: &str) -> Answer {
    let words = world.words(bytes).await;
    let (bytes, address) = (fill(bytes, &words), words["host"].clone());
    tokio::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        // The server may answer and close before everything is written.
        let _ = socket.write_all(bytes.as_bytes());
        let mut answer = vec![0; 4_096];
        let read = socket.read(&mut answer).unwrap_or(0);
        let text = String::from_utf8_lossy(&answer[..read]).into_owned();
        let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Answer { status, headers: Vec::new(), body: Vec::new() }
    })
    .await
    .unwrap()
}

/// Why the answer is wrong, if it is.
fn judge(case: &Case, answer: &Answer) -> Option<String> {
    let header = |name: &str| answer.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    if !case.allows(answer.status) {
        return Some(format!("status {}, body {}", answer.status, String::from_utf8_lossy(&answer.body)));
    }
    if answer.status >= 400 && case.raw.is_none() {
        if header("content-type") != Some("application/problem+json") {
            return Some(format!("content type {:?}", header("content-type")));
        }
        if answer.body.len() > 2_048 {
            return Some(format!("a problem of {} bytes", answer.body.len()));
        }
        let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if case.code.is_some() && problem["code"].as_str() != case.code.as_deref() {
            return Some(format!("code {}", problem["code"]));
        }
        if ["type", "title", "detail", "request_id"].iter().any(|member| !problem[member].is_string()) {
            return Some(format!("a member is missing: {problem}"));
        }
    }
    for (name, value) in &case.answer_headers {
        if header(name) != Some(value) {
            return Some(format!("{name}: {:?}", header(name)));
        }
    }
    let missing = case.has_answer_headers.iter().find(|name| header(name).is_none());
    let surplus = case.no_answer_headers.iter().find(|name| header(name).is_some());
    missing.map(|name| format!("no {name}")).or_else(|| surplus.map(|name| format!("{name} is there")))
}

/// No credential of the world stands in the server's log.
async fn no_secret_was_logged(server: &Server, world: &World) {
    let log = server.log();
    for (word, value) in world.words("").await {
        let secret = word.contains("jwt") || word.contains("key") || word == "cookie";
        assert!(!secret || !log.contains(&value), "`{word}` stands in the log");
    }
}

/// Ordinary work beside the hostile.
struct Load {
    stop: Arc<AtomicBool>,
    workers: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    fn start(server: &Server) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let workers = (0..4)
            .map(|n| tokio::spawn(work(server.url(&format!("/v1/stream/open/load-{n}")), Arc::clone(&stop))));
        Self { workers: workers.collect(), stop }
    }

    async fn stop(self) {
        self.stop.store(true, Ordering::Release);
        for worker in self.workers {
            worker.await.unwrap();
        }
    }
}

async fn work(url: String, stop: Arc<AtomicBool>) {
    let client = Client::new();
    client.put(&url).header("content-type", "application/json").send().await.unwrap();
    while !stop.load(Ordering::Acquire) {
        let answer = client
            .post(&url)
            .header("content-type", "application/json")
            .body("{\"a\":1}")
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }
}
