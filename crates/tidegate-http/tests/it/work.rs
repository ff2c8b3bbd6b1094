//! Workers: one at a time, fenced by their lease, signed where that is asked for.

use serde_json::{Value, json};
use tidegate_gate::{ExposeSecret as _, SecretString};

use crate::events::EventStream;
use crate::fixture::Server;
use crate::people::{Person, body, key, user};

const CLAIM: &str = "POST /api/v1/work/claim";

/// A user with a pending generation, and a worker.
struct Job {
    server: Server,
    ada: Person,
    worker: Person,
    signing: Option<SecretString>,
    path: String,
}

async fn job(signatures_required: bool, wanted: Value) -> Job {
    let server = Server::with(|setup| setup.config.signatures_required = signatures_required).await;
    let ada = user(&server, "ada").await;
    let (worker, created) = key(&server, &["generations:work"], None).await;
    let record = body(&ada.call(&server, "POST /api/v1/generations", &wanted).await, 201);
    let path = format!("/api/v1/generations/{}", record["id"].as_str().unwrap());
    Job { server, ada, worker, signing: created.signing_secret, path }
}

fn wanted() -> Value {
    json!({ "prompt": "p", "framework": "external" })
}

impl Job {
    async fn claim(&self) -> Value {
        let wish = json!({ "frameworks": ["external"], "lease_seconds": 60 });
        body(&self.worker.call(&self.server, CLAIM, &wish).await, 200)
    }

    async fn report(&self, verb: &str, lease: &Value, report: &Value) -> crate::fixture::Answer {
        let headers = [("Tidegate-Lease", lease.as_str().unwrap())];
        let request = format!("POST {}/{verb}", self.path);
        self.worker.call_with(&self.server, &request, &headers, report).await
    }

    async fn record(&self) -> Value {
        body(&self.ada.get(&self.server, &self.path).await, 200)
    }
}

#[tokio::test]
async fn a_claimed_generation_is_reported_on_and_completed_before_its_owners_eyes() {
    let job = job(false, wanted()).await;
    let own = [("Authorization", job.ada.authorization.as_str())];
    let mut stream = EventStream::open(&job.server, &format!("{}/stream", job.path), &own).await;
    let claimed = job.claim().await;
    let (lease, generation) = (&claimed["lease_token"], &claimed["generation"]);
    assert_eq!(
        (&claimed["epoch"], &generation["status"], &generation["worker"]),
        (&json!(1), &json!("processing"), &json!("worker 1"))
    );
    let report =
        json!({ "stage": "drawing", "progress": 0.5, "message": "half", "steps": [1, 2], "ab_group": "b" });
    let told = body(&job.report("progress", lease, &report).await, 200);
    assert_eq!(told, json!({ "offset": "0000000000000003", "cancel_requested": false }));
    let done = body(&job.report("complete", lease, &json!({ "result": { "url": "x" } })).await, 200);
    assert_eq!((&done["status"], &done["progress"]), (&json!("completed"), &json!(1.0)));
    let mut seen = Vec::new();
    while let Some(event) = stream.next_but_ping().await {
        seen.push(event);
    }
    let half = seen.iter().find(|event| event.data.contains("drawing")).unwrap();
    assert_eq!(
        (half.name.as_str(), &half.json()["ab_group"], half.offset()),
        ("", &json!("b"), "0000000000000003")
    );
    assert_eq!(seen.last().unwrap().json()["reason"], "eof");
    assert_eq!(job.record().await["result"], json!({ "url": "x" }));
    job.server.stop().await;
}

#[tokio::test]
async fn work_goes_to_one_worker_and_a_foreign_lease_is_fenced() {
    let job = job(false, wanted()).await;
    let claimed = job.claim().await;
    let wish = json!({ "frameworks": ["external"], "lease_seconds": 60 });
    assert_eq!(job.worker.call(&job.server, CLAIM, &wish).await.status, 204);
    let again = json!({ "error": "again", "retryable": true });
    let failed = body(&job.report("fail", &claimed["lease_token"], &again).await, 200);
    assert_eq!((&failed["status"], &failed["error"]["message"]), (&json!("failed"), &json!("again")));
    let other = json!(
        tidegate_types::Secret::generate(tidegate_types::SecretKind::WorkerLease, &tidegate_types::OsEntropy)
            .reveal()
    );
    for verb in ["progress", "complete", "fail"] {
        let report = json!({ "stage": "s", "result": 1, "error": "e" });
        let report = if verb == "progress" { json!({ "stage": "s" }) } else { report };
        let fenced = job.report(verb, &other, &report).await;
        assert_eq!((fenced.status, fenced.code()), (409, "fenced".to_owned()), "{verb}");
        let bare = job.worker.call(&job.server, &format!("POST {}/{verb}", job.path), &report).await;
        assert_eq!((bare.status, bare.code()), (400, "invalid-request".to_owned()), "{verb}");
    }
    job.server.stop().await;
}

#[tokio::test]
async fn a_retryable_failure_waits_again_while_attempts_are_left() {
    let job = job(false, json!({ "prompt": "p", "framework": "external", "max_attempts": 2 })).await;
    let first = job.claim().await;
    let failed = body(
        &job.report("fail", &first["lease_token"], &json!({ "error": "e", "retryable": true })).await,
        200,
    );
    assert_eq!((&failed["status"], &failed["attempt"]), (&json!("pending"), &json!(2)));
    let second = job.claim().await;
    assert_eq!(second["epoch"], 2);
    let stale = job.report("progress", &first["lease_token"], &json!({ "stage": "s" })).await;
    assert_eq!((stale.status, stale.code()), (409, "fenced".to_owned()));
    job.server.stop().await;
}

#[tokio::test]
async fn a_worker_learns_of_a_cancel_and_ends_it() {
    let job = job(false, wanted()).await;
    let lease = job.claim().await["lease_token"].clone();
    let asked = job.ada.call(&job.server, &format!("POST {}/cancel", job.path), &json!({})).await;
    assert_eq!(body(&asked, 202)["status"], "cancelling");
    let told = body(&job.report("progress", &lease, &json!({ "stage": "s", "progress": 0.1 })).await, 200);
    assert_eq!(told["cancel_requested"], true);
    let ended = job.report("progress", &lease, &json!({ "status": "cancelled" })).await;
    assert_eq!(ended.status, 200, "{}", ended.raw);
    assert_eq!(job.record().await["status"], "cancelled");
    job.server.stop().await;
}

#[tokio::test]
async fn extras_may_not_pose_as_core_members() {
    let job = job(false, wanted()).await;
    let lease = job.claim().await["lease_token"].clone();
    for name in ["type", "attempt", "generation_id", "timestamp", "finished_at"] {
        let mut report = json!({ "stage": "s" });
        report[name] = json!("x");
        let refused = job.report("progress", &lease, &report).await;
        assert_eq!((refused.status, refused.code()), (422, "validation-failed".to_owned()), "{name}");
        assert_eq!(refused.problem()["errors"][0]["pointer"], format!("/{name}"));
    }
    for report in [json!({}), json!({ "stage": "s", "progress": 1.5 }), json!({ "stage": 1 })] {
        assert_eq!(job.report("progress", &lease, &report).await.status, 422, "{report}");
    }
    job.server.stop().await;
}

#[tokio::test]
async fn a_claim_waits_for_work_and_takes_the_one_it_names() {
    let server = Server::start().await;
    let ada = user(&server, "ada").await;
    let (worker, _) = key(&server, &["generations:work"], None).await;
    let wish = json!({ "frameworks": ["external"], "lease_seconds": 5, "wait": 20 });
    let create = wanted();
    let (claimed, created) = tokio::join!(
        worker.call(&server, CLAIM, &wish),
        ada.call(&server, "POST /api/v1/generations", &create)
    );
    assert_eq!(body(&claimed, 200)["generation"]["id"], body(&created, 201)["id"]);
    for id in ["one", "two"] {
        let new = json!({ "id": id, "prompt": "p", "framework": "external" });
        assert_eq!(ada.call(&server, "POST /api/v1/generations", &new).await.status, 201);
    }
    let named = worker.call(&server, CLAIM, &json!({ "id": "two", "lease_seconds": 5 })).await;
    assert_eq!(body(&named, 200)["generation"]["id"], "two");
    for bad in [
        json!({ "frameworks": [] }),
        json!({ "frameworks": ["a"], "lease_seconds": 4 }),
        json!({ "frameworks": ["a"], "wait": 31 }),
    ] {
        assert_eq!(worker.call(&server, CLAIM, &bad).await.status, 422, "{bad}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_users_key_claims_only_what_is_its_users() {
    let job = job(false, wanted()).await;
    let eve = user(&job.server, "eve").await;
    let (hers, _) = key(&job.server, &["generations:work"], eve.user).await;
    let wish = json!({ "frameworks": ["external"], "lease_seconds": 60 });
    assert_eq!(hers.call(&job.server, CLAIM, &wish).await.status, 204);
    assert_eq!(hers.get(&job.server, &job.path).await.status, 403);
    let (own, _) = key(&job.server, &["generations:work"], job.ada.user).await;
    assert_eq!(own.call(&job.server, CLAIM, &wish).await.status, 200);
    job.server.stop().await;
}

#[tokio::test]
async fn work_needs_the_scope_whatever_the_body() {
    let job = job(false, wanted()).await;
    let (publisher, _) = key(&job.server, &["events:publish"], None).await;
    let nobody = crate::events::ask(&job.server, CLAIM, &[("Content-Type", "application/json")], "{").await;
    assert_eq!((nobody.status, nobody.code()), (401, "unauthenticated".to_owned()));
    for caller in [&publisher, &job.ada] {
        let refused = caller.call(&job.server, CLAIM, &json!({})).await;
        assert_eq!((refused.status, refused.code()), (403, "insufficient-scope".to_owned()));
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(challenge.contains("generations:work"), "{challenge}");
    }
    job.server.stop().await;
}

#[tokio::test]
async fn where_signatures_are_required_an_end_counts_only_with_a_fresh_one() {
    let job = job(true, wanted()).await;
    let lease = job.claim().await["lease_token"].clone();
    let unsigned = job.report("complete", &lease, &json!({ "result": 1 })).await;
    assert_eq!((unsigned.status, unsigned.code()), (401, "bad-signature".to_owned()));
    let text = json!({ "result": 1 }).to_string();
    let secret = job.signing.as_ref().unwrap().expose_secret().to_owned();
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    let send = |id: &'static str, at: i64, signed: String| {
        let (secret, lease, job, text) = (secret.clone(), lease.clone(), &job, text.clone());
        async move {
            let (signature, at) = (sign(&secret, id, at, &signed), at.to_string());
            let headers = [
                ("Authorization", job.worker.authorization.as_str()),
                ("Content-Type", "application/json"),
                ("Tidegate-Lease", lease.as_str().unwrap()),
                ("webhook-id", id),
                ("webhook-timestamp", at.as_str()),
                ("webhook-signature", signature.as_str()),
            ];
            crate::events::ask(&job.server, &format!("POST {}/complete", job.path), &headers, &text).await
        }
    };
    assert_eq!(send("m-1", now, "another body".to_owned()).await.code(), "bad-signature");
    assert_eq!(send("m-2", now - 600, text.clone()).await.code(), "bad-signature");
    let done = send("m-3", now, text.clone()).await;
    assert_eq!(done.status, 200, "{}", done.raw);
    assert_eq!(send("m-3", now, text.clone()).await.code(), "bad-signature");
    assert_eq!(job.record().await["status"], "completed");
    job.server.stop().await;
}

/// After Standard Webhooks, with nothing but a hash: the secret is the base64 after `whsec_`.
fn sign(secret: &str, id: &str, at: i64, body: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mac = hmac_sha256(&key, format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac))
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    use sha2::{Digest as _, Sha256};
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |byte: u8| block.map(|b| b ^ byte);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}
