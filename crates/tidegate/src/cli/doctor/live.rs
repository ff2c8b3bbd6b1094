//! A stream of our own, opened by ticket as a browser does: first byte, buffering, replay, reuse.

use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::{Method, Response};
use serde_json::json;
use sse_stream::Sse;
use tidegate_types::{Entropy, OsEntropy};
use tokio::time::Instant;

use super::{Finding, Report};
use crate::cli::client::{Call, Client, answer};
use crate::cli::tail::follow::{Events, Target, events};

const SHORT: Duration = Duration::from_secs(5);
const GAP: Duration = Duration::from_millis(300);

/// The scratch stream of one check-up.
struct Scratch<'a> {
    client: &'a Client,
    path: String,
    url: String,
}

pub(super) async fn check(client: &Client, report: &mut Report<'_>) {
    let random: [u8; 8] = (&OsEntropy as &dyn Entropy).array();
    let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = format!("doctor/{name}");
    let url = format!("/v1/stream/{path}");
    let scratch = Scratch { client, path, url };
    let made = client
        .request(Method::PUT, &scratch.url)
        .header("content-type", "application/json")
        .header("stream-ttl", "300")
        .timeout(SHORT)
        .send()
        .await;
    let made = match made {
        Ok(response) => answer(response).await,
        Err(_) => return,
    };
    if let Err(error) = made {
        if matches!(error.status, Some(401 | 403)) {
            let words = "the credential may not write doctor/**; make a key with --scope 'streams:write:doctor/**' --scope 'streams:read:doctor/**'";
            report.add(&Finding::skipped("live stream", words));
        } else {
            report.add(&Finding::bad("live stream", error.detail, "see the server's log"));
        }
        return;
    }
    walk(&scratch, report).await;
    // It expires by itself if this fails.
    let _ = client.call(Call::with(Method::DELETE, &scratch.url)).await;
}

async fn walk(scratch: &Scratch<'_>, report: &mut Report<'_>) {
    let target = Target::Stream(scratch.path.clone());
    let minted = match scratch.client.call(Call::post(&target.mint_path())).await {
        Ok(minted) => minted.body,
        Err(error) => {
            report.add(&Finding::bad("ticket", error.detail, "the key needs `streams:read:doctor/**`"));
            return;
        }
    };
    let ticket = minted.get("sse_token").and_then(|v| v.as_str()).unwrap_or_default();
    report.add(&Finding::good("ticket", "minted"));
    let url = format!("{}&ticket={ticket}", target.open_path(None));
    let Some((mut stream, mut last_id)) = open(scratch, &url, report).await else { return };
    if !arrivals(scratch, &mut stream, &mut last_id, report).await {
        return;
    }
    drop(stream);
    replay(scratch, &url, &last_id, report).await;
    reuse(scratch, &url, report).await;
}

async fn get(scratch: &Scratch<'_>, url: &str, last_id: Option<&str>) -> Option<Response> {
    let mut request = scratch.client.anonymous(Method::GET, url).header("accept", "text/event-stream");
    if let Some(id) = last_id {
        request = request.header("last-event-id", id);
    }
    tokio::time::timeout(SHORT, request.send()).await.ok()?.ok()
}

async fn next(stream: &mut Events) -> Option<Sse> {
    loop {
        let event = tokio::time::timeout(SHORT, stream.next()).await.ok()??.ok()?;
        if event.event.as_deref() != Some("ping") && event.data.is_some() {
            return Some(event);
        }
    }
}

/// Opens the stream and reads its first event.
async fn open(scratch: &Scratch<'_>, url: &str, report: &mut Report<'_>) -> Option<(Events, String)> {
    let started = Instant::now();
    let Some(response) = get(scratch, url, None).await else {
        report.add(&Finding::bad(
            "open",
            "no answer within 5 s",
            "a proxy in between may hold the answer back: nginx needs `proxy_buffering off`",
        ));
        return None;
    };
    if response.status().as_u16() != 200 {
        let words = answer(response).await.err().map_or_else(String::new, |error| error.detail);
        report.add(&Finding::bad(
            "open",
            format!("refused: {words}"),
            "mint and open must reach the same server and origin",
        ));
        return None;
    }
    let header = |name: &str| {
        response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
    };
    if !header("content-encoding").is_empty() {
        report.add(&Finding::bad(
            "compression",
            format!("the stream arrives as {}", header("content-encoding")),
            "switch compression off for text/event-stream in the proxy",
        ));
    }
    if !header("cache-control").contains("no-transform") {
        report.add(&Finding::bad(
            "headers",
            "Cache-Control lost `no-transform` on the way",
            "let the proxy pass the header on",
        ));
    }
    let mut stream = events(response);
    let Some(hello) = next(&mut stream).await else {
        report.add(&Finding::bad(
            "open",
            "no first event within 5 s",
            "a proxy holds events back: nginx needs `proxy_buffering off`",
        ));
        return None;
    };
    let words = format!("first event after {} ms", started.elapsed().as_millis());
    report.add(&Finding::good("open", words));
    Some((stream, hello.id.unwrap_or_default()))
}

/// Three events, sent apart, must arrive apart.
async fn arrivals(
    scratch: &Scratch<'_>,
    stream: &mut Events,
    last_id: &mut String,
    report: &mut Report<'_>,
) -> bool {
    let send = async {
        for number in 1..=3 {
            append(scratch, number).await;
            tokio::time::sleep(GAP).await;
        }
    };
    let receive = async {
        let mut at = Vec::new();
        for _ in 0..3 {
            let event = next(stream).await?;
            at.push(Instant::now());
            *last_id = event.id.unwrap_or_default();
        }
        Some(at)
    };
    let ((), received) = tokio::join!(send, receive);
    let Some(received) = received else {
        report.add(&Finding::bad(
            "delivery",
            "three events were sent, not all arrived",
            "see the server's log",
        ));
        return false;
    };
    let spread = match received.as_slice() {
        [first, .., last] => last.duration_since(*first),
        _ => Duration::ZERO,
    };
    if spread < GAP {
        let words = format!("three events sent {} ms apart arrived together", GAP.as_millis());
        report.add(&Finding::bad(
            "buffering",
            words,
            "a proxy holds events back: nginx `proxy_buffering off`; no gzip on text/event-stream",
        ));
    } else {
        report.add(&Finding::good("buffering", "three events sent apart arrived apart"));
    }
    true
}

async fn append(scratch: &Scratch<'_>, number: u32) {
    // A lost append shows as a lost event.
    let _ = scratch
        .client
        .request(Method::POST, &scratch.url)
        .json(&json!({ "number": number }))
        .timeout(SHORT)
        .send()
        .await;
}

/// The same URL with the last id is let in again, and goes on where it stopped.
async fn replay(scratch: &Scratch<'_>, url: &str, last_id: &str, report: &mut Report<'_>) {
    append(scratch, 4).await;
    let heard = async {
        let response = get(scratch, url, Some(last_id)).await?;
        if response.status().as_u16() != 200 {
            return None;
        }
        let mut stream = events(response);
        loop {
            let event = next(&mut stream).await?;
            if event.event.is_none() {
                return event.data;
            }
        }
    };
    match heard.await.as_deref() {
        Some(data) if data.replace(' ', "") == "{\"number\":4}" => {
            report.add(&Finding::good("reconnect", "goes on after the last event, nothing lost or repeated"));
        }
        Some(other) => report.add(&Finding::bad(
            "reconnect",
            format!("went on at the wrong place: {other}"),
            "a proxy may cache the stream or drop Last-Event-ID",
        )),
        None => report.add(&Finding::bad(
            "reconnect",
            "was not let in again",
            "a proxy may drop the Last-Event-ID header",
        )),
    }
}

/// The same URL without the id is somebody else.
async fn reuse(scratch: &Scratch<'_>, url: &str, report: &mut Report<'_>) {
    match get(scratch, url, None).await.map(|response| response.status().as_u16()) {
        Some(401) => report.add(&Finding::good("ticket single use", "a spent ticket is refused")),
        Some(status) => report.add(&Finding::bad(
            "ticket single use",
            format!("a spent ticket was answered {status}"),
            "a proxy may cache the stream",
        )),
        None => report.add(&Finding::bad("ticket single use", "no answer", "see the server's log")),
    }
}
