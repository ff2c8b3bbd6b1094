//! Wakes that are told by a signed call.

use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tidegate_subscriptions::{AckError, Status, Subscriptions, WebhookCall};

use crate::rig::{Rig, SECRET, done, path};

/// Checks a call as a receiver does: with the published key that it names.
fn is_genuine(subs: &Subscriptions, call: &WebhookCall, body: &[u8]) -> bool {
    let part = |name: &str| call.signature.split(',').find_map(|part| part.strip_prefix(name)).unwrap();
    let key = subs.signing_keys().iter().find(|key| key.kid == part("kid=")).unwrap();
    let public = URL_SAFE_NO_PAD.decode(&key.x).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(part("ed25519=")).unwrap();
    let signed = [part("t=").as_bytes(), b".", body].concat();
    UnparsedPublicKey::new(&ED25519, public).verify(&signed, &signature).is_ok()
}

#[tokio::test]
async fn a_call_is_signed_and_its_done_acknowledges_what_it_was_told() {
    let rig = Rig::start().await;
    rig.webhook("events/*").await;
    rig.hook.will_answer(200, &done());
    rig.append("events/a").await;
    rig.deliver().await;
    let call = rig.hook.calls.lock().unwrap()[0].clone();
    assert!(is_genuine(&rig.subs, &call, &call.body));
    for at in 0..call.body.len() {
        let mut changed = call.body.clone();
        changed[at] ^= 1;
        assert!(!is_genuine(&rig.subs, &call, &changed), "byte {at}");
    }
    let body = &rig.hook.bodies()[0];
    assert_eq!(body["callback_url"], "https://tide.example.org/v1/stream/__ds/subscriptions/hook/callback");
    assert!(body["callback_token"].as_str().unwrap().starts_with("tgw_"));
    assert_eq!(body["streams"][0]["tail_offset"], "0000000000000001");
    assert_eq!(rig.stream("hook", "events/a").await.acked.get(), 1);
    assert!(matches!(rig.call_back(body, true).await, Err(AckError::Fenced)), "the wake is over");
    rig.deliver().await;
    assert_eq!(rig.hook.bodies().len(), 1);
}

#[tokio::test]
async fn a_callback_keeps_the_lease_and_ends_the_wake() {
    let rig = Rig::start().await;
    rig.webhook("events/*").await;
    rig.append("events/a").await;
    rig.deliver().await;
    let first = rig.hook.bodies()[0].clone();
    rig.advance(25);
    rig.call_back(&first, false).await.unwrap();
    rig.advance(25);
    rig.deliver().await;
    assert_eq!(rig.hook.bodies().len(), 1, "the lease was renewed");
    rig.advance(5);
    rig.deliver().await;
    let second = rig.hook.bodies()[1].clone();
    assert_eq!(second["generation"], 2, "nothing was acknowledged before the lease ran out");
    assert!(matches!(rig.call_back(&first, true).await, Err(AckError::Fenced)));
    let acked = rig.call_back(&second, true).await.unwrap();
    assert!(acked.next_wake, "done without an acknowledgement leaves it pending");
}

#[tokio::test]
async fn a_token_is_refused_when_it_is_forged_or_of_another_subscription() {
    let rig = Rig::start().await;
    rig.webhook("events/*").await;
    rig.append("events/a").await;
    rig.deliver().await;
    let mut body = rig.hook.bodies()[0].clone();
    for forged in ["", "tgw_x", "Bearer", "tgk_0000"] {
        body["callback_token"] = json!(forged);
        assert!(matches!(rig.call_back(&body, true).await, Err(AckError::Token)), "{forged}");
    }
}

#[tokio::test]
async fn a_failing_webhook_is_called_with_growing_pauses_then_given_up_until_there_is_more() {
    let limits = tidegate_types::Limits { webhook_attempts: 4, ..Default::default() };
    let rig = Rig::with(limits).await;
    rig.webhook("events/*").await;
    (0..5).for_each(|_| rig.hook.will_answer(503, &json!({})));
    rig.append("events/a").await;
    rig.deliver().await;
    let mut waited = Vec::new();
    for calls in 2..=4 {
        let mut seconds = 0_u64;
        while rig.hook.bodies().len() < calls {
            rig.clock.advance(Duration::from_millis(250));
            seconds += 250;
            rig.deliver().await;
            assert!(seconds < 60_000);
        }
        waited.push(seconds);
    }
    assert!(waited.is_sorted() && (750..=1_250).contains(&waited[0]) && waited[2] >= 3_000, "{waited:?}");
    let bodies = rig.hook.bodies();
    assert!(bodies.iter().all(|body| body["wake_id"] == bodies[0]["wake_id"]), "one wake, told four times");
    assert!(bodies.iter().all(|body| body["callback_token"] == bodies[0]["callback_token"]));
    rig.advance(3_600);
    rig.deliver().await;
    assert_eq!(rig.hook.bodies().len(), 4, "given up");
    let progress = rig.view("hook").await.subscription.progress;
    assert_eq!(progress.failure.as_deref(), Some("the webhook answered 503"));
    rig.append("events/a").await;
    rig.deliver().await;
    assert_eq!(rig.hook.bodies()[4]["generation"], 2, "new records make a new wake");
    rig.webhook("events/*").await;
    rig.hook.will_answer(200, &done());
    rig.deliver().await;
    assert_eq!(rig.view("hook").await.subscription.progress.status(), Status::Active, "asked for again");
    assert_eq!(rig.stream("hook", "events/a").await.acked.get(), 2);
}

#[tokio::test]
async fn a_call_that_dies_with_its_process_is_made_again_with_the_same_token() {
    let rig = Rig::start().await;
    rig.webhook("events/*").await;
    rig.append("events/a").await;
    rig.settle().await;
    rig.hook.hangs.store(true, Ordering::SeqCst);
    let now = tidegate_types::Clock::now(&*rig.clock);
    let cut = tokio::time::timeout(Duration::from_millis(300), rig.subs.deliver(now)).await;
    assert!(cut.is_err());
    let first = rig.hook.bodies()[0].clone();
    let rig = rig.restart(SECRET).await;
    rig.deliver().await;
    assert!(rig.hook.bodies().is_empty(), "the first call might still be under way elsewhere");
    rig.advance(7);
    rig.hook.will_answer(200, &done());
    rig.deliver().await;
    let second = rig.hook.bodies()[0].clone();
    for member in ["wake_id", "generation", "callback_token"] {
        assert_eq!(first[member], second[member]);
    }
    assert_eq!(rig.stream("hook", "events/a").await.acked.get(), 1);
}

#[tokio::test]
async fn nobody_is_called_for_an_owner_who_is_gone() {
    let rig = Rig::start().await;
    rig.webhook("events/*").await;
    rig.append("events/a").await;
    rig.settle().await;
    // Due, and not yet told: the key is revoked in between.
    rig.rights.owner_is_gone.store(true, Ordering::SeqCst);
    rig.deliver().await;
    rig.append("events/a").await;
    rig.advance(3_600);
    rig.deliver().await;
    assert!(rig.hook.bodies().is_empty());
    let progress = rig.view("hook").await.subscription.progress;
    assert!(progress.is_idle() && progress.failure.is_some());
}

#[tokio::test]
async fn the_key_outlives_a_restart_and_a_new_secret_makes_a_new_one_beside_it() {
    let rig = Rig::start().await;
    let kid = rig.subs.signing_keys()[0].kid.clone();
    assert!(kid.starts_with("ds_"));
    let rig = rig.restart(SECRET).await;
    assert_eq!((rig.subs.signing_keys().len(), &rig.subs.signing_keys()[0].kid), (1, &kid));
    rig.advance(60);
    let rig = rig.restart([9; 32]).await;
    let kids: Vec<&str> = rig.subs.signing_keys().iter().map(|key| key.kid.as_str()).collect();
    assert_eq!(kids.len(), 2);
    assert!(kids[0] != kid && kids[1] == kid, "{kids:?}");
}

#[tokio::test]
async fn a_stream_that_is_named_needs_no_pattern_and_need_not_be_there() {
    let rig = Rig::start().await;
    let view = rig.webhook("events/*").await;
    rig.subs.add_streams(view.subscription.uid, &[path("later"), path("events/x")]).await.unwrap();
    assert_eq!(rig.stream("hook", "events/x").await.kind, "explicit");
    rig.subs.remove_stream(view.subscription.uid, &path("events/x")).await.unwrap();
    rig.append("later").await;
    rig.append("events/x").await;
    rig.deliver().await;
    let body = rig.hook.bodies()[0].clone();
    let kinds: Vec<(&str, &str)> = body["streams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stream| (stream["path"].as_str().unwrap(), stream["link_type"].as_str().unwrap()))
        .collect();
    assert_eq!(kinds, [("events/x", "glob"), ("later", "explicit")]);
}
