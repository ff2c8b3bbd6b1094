//! API keys and signed calls.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tidegate_gate::{
    Actor, AuditKind, AuthError, CreatedKey, ExposeSecret as _, KeyError, NewKey, Scope, SignatureError,
    SignatureHeaders,
};
use tidegate_types::{Clock as _, UserId};

use crate::support::{Desk, desk, facts};

fn worker() -> NewKey {
    NewKey { name: "worker".to_owned(), scopes: vec![Scope::GenerationsWork], expires_at: None, owner: None }
}

async fn create(desk: &Desk) -> CreatedKey {
    desk.gate.create_key(worker(), &facts()).await.unwrap()
}

#[tokio::test]
async fn a_key_opens_what_its_scopes_say() {
    let desk = desk().await;
    let created = create(&desk).await;
    let principal = desk.bearer(created.secret.reveal()).await.unwrap();
    let service = principal.service().unwrap();
    assert_eq!((service.key_id, &*service.name, service.owner), (created.key.id, "worker", None));
    assert!(service.has(&Scope::GenerationsWork) && !service.has(&Scope::EventsPublish));
    assert_eq!(desk.audited(AuditKind::KeyCreated).await, 1);
}

#[tokio::test]
async fn keys_of_another_process_work_and_end_here() {
    let desk = desk().await;
    let other = desk.other_process().await;
    let created = other.create_key(worker(), &facts()).await.unwrap();
    assert!(desk.bearer(created.secret.reveal()).await.is_ok());
    assert!(other.revoke_key(created.key.id, Actor::Operator, &facts()).await.unwrap());
    assert!(!other.revoke_key(created.key.id, Actor::Operator, &facts()).await.unwrap());
    desk.gate.step(desk.clock.now()).await;
    assert_eq!(desk.bearer(created.secret.reveal()).await.unwrap_err(), AuthError::Invalid);
}

#[tokio::test]
async fn a_key_ends_on_time_and_with_its_owner() {
    let desk = desk().await;
    let owner = desk.register().await.user.id;
    let expires_at = Some(desk.clock.now().plus(Duration::from_secs(60)));
    let new = NewKey { owner: Some(owner), expires_at, ..worker() };
    let created = desk.gate.create_key(new, &facts()).await.unwrap();
    let lasting = desk.gate.create_key(NewKey { owner: Some(owner), ..worker() }, &facts()).await.unwrap();
    assert!(desk.bearer(created.secret.reveal()).await.is_ok());
    desk.clock.advance(Duration::from_secs(60));
    assert_eq!(desk.bearer(created.secret.reveal()).await.unwrap_err(), AuthError::Invalid);
    assert!(desk.bearer(lasting.secret.reveal()).await.is_ok());
    assert_eq!(desk.gate.list_keys(Some(owner)).await.unwrap().len(), 2);
    desk.gate.set_disabled(owner, true, Actor::Operator).await.unwrap();
    assert_eq!(desk.bearer(lasting.secret.reveal()).await.unwrap_err(), AuthError::Disabled);
}

#[tokio::test]
async fn keys_that_make_no_sense_are_not_made() {
    let desk = desk().await;
    let nobody = UserId::generate(desk.clock.now(), &tidegate_types::OsEntropy);
    let cases = [
        (NewKey { name: " ".to_owned(), ..worker() }, KeyError::Name),
        (NewKey { name: "x".repeat(101), ..worker() }, KeyError::Name),
        (NewKey { scopes: vec![], ..worker() }, KeyError::Scopes),
        (NewKey { expires_at: Some(desk.clock.now()), ..worker() }, KeyError::Expired),
        (NewKey { owner: Some(nobody), ..worker() }, KeyError::UnknownOwner),
    ];
    for (new, why) in cases {
        assert_eq!(desk.gate.create_key(new, &facts()).await.unwrap_err(), why);
    }
}

#[tokio::test]
async fn unknown_and_broken_keys_are_refused() {
    let desk = desk().await;
    let created = create(&desk).await;
    let text = created.secret.reveal().to_owned();
    let unknown =
        tidegate_types::Secret::generate(tidegate_types::SecretKind::Key, &tidegate_types::OsEntropy);
    for bad in [unknown.reveal(), &text[..text.len() - 1], "tgk_", &format!("{text}A")] {
        assert_eq!(desk.bearer(bad).await.unwrap_err(), AuthError::Invalid);
    }
}

#[tokio::test]
async fn the_last_use_of_a_key_is_written_later() {
    let desk = desk().await;
    let created = create(&desk).await;
    desk.gate.step(desk.clock.now()).await;
    desk.clock.advance(Duration::from_secs(61));
    desk.bearer(created.secret.reveal()).await.unwrap();
    desk.gate.step(desk.clock.now()).await;
    let key = desk.gate.lookup_key(created.key.id).await.unwrap().unwrap();
    assert_eq!(key.last_used_at, Some(desk.clock.now()));
}

fn sign(created: &CreatedKey, id: &str, timestamp: i64, body: &[u8]) -> String {
    let secret = created.signing_secret.as_ref().unwrap().expose_secret();
    let secret = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

async fn verify(
    desk: &Desk,
    created: &CreatedKey,
    (id, timestamp, signature): (&str, &str, &str),
    body: &[u8],
) -> Result<(), SignatureError> {
    desk.gate.verify_signature(created.key.id, SignatureHeaders { id, timestamp, signature }, body).await
}

#[tokio::test]
async fn a_signed_call_is_taken_once() {
    let desk = desk().await;
    let created = create(&desk).await;
    let now = desk.clock.now().as_secs();
    let signature = sign(&created, "msg_1", now, b"{}");
    let headers = ("msg_1", &*now.to_string(), &*signature);
    assert_eq!(verify(&desk, &created, headers, b"{}").await, Ok(()));
    assert_eq!(verify(&desk, &created, headers, b"{}").await, Err(SignatureError::Repeated));
    desk.clock.advance(Duration::from_secs(300));
    assert_eq!(verify(&desk, &created, headers, b"{}").await, Err(SignatureError::Repeated));
    desk.clock.advance(Duration::from_secs(1));
    assert_eq!(verify(&desk, &created, headers, b"{}").await, Err(SignatureError::Stale));
}

#[tokio::test]
async fn of_many_equal_calls_at_once_one_is_taken() {
    let desk = desk().await;
    let created = create(&desk).await;
    let now = desk.clock.now().as_secs();
    let signature = sign(&created, "msg_1", now, b"{}");
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let (gate, key, signature) = (desk.gate.clone(), created.key.id, signature.clone());
            tokio::spawn(async move {
                let timestamp = now.to_string();
                let headers = SignatureHeaders { id: "msg_1", timestamp: &timestamp, signature: &signature };
                gate.verify_signature(key, headers, b"{}").await.is_ok()
            })
        })
        .collect();
    let mut taken = 0;
    for call in calls {
        taken += usize::from(call.await.unwrap());
    }
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn one_of_several_signatures_is_enough() {
    let desk = desk().await;
    let created = create(&desk).await;
    let now = desk.clock.now().as_secs();
    let several = format!("v1,AAAA v1a,xyz {} v1,!!", sign(&created, "msg_1", now, b"{}"));
    assert_eq!(verify(&desk, &created, ("msg_1", &now.to_string(), &several), b"{}").await, Ok(()));
}

#[tokio::test]
async fn changed_foreign_and_malformed_signatures_are_refused() {
    let desk = desk().await;
    let (created, other) = (create(&desk).await, create(&desk).await);
    let now = desk.clock.now().as_secs();
    let at = now.to_string();
    let good = sign(&created, "msg_1", now, b"{}");
    let foreign = sign(&other, "msg_1", now, b"{}");
    let later = (now + 1).to_string();
    let old = (now - 301).to_string();
    let cases = [
        (("msg_1", &*at, &*good), b"{ }".as_slice(), SignatureError::Wrong),
        (("msg_2", &at, &good), b"{}", SignatureError::Wrong),
        (("msg_1", &later, &good), b"{}", SignatureError::Wrong),
        (("msg_1", &at, &foreign), b"{}", SignatureError::Wrong),
        (("msg_1", &at, ""), b"{}", SignatureError::Wrong),
        (("msg_1", &at, &good[3..]), b"{}", SignatureError::Wrong),
        (("msg_1", &old, &good), b"{}", SignatureError::Stale),
        (("", &at, &good), b"{}", SignatureError::Malformed),
        (("msg 1", &at, &good), b"{}", SignatureError::Malformed),
        (("msg_1", "never", &good), b"{}", SignatureError::Malformed),
        (("msg_1", "-1", &good), b"{}", SignatureError::Malformed),
    ];
    for (headers, body, why) in cases {
        assert_eq!(verify(&desk, &created, headers, body).await, Err(why), "{headers:?}");
    }
    assert_eq!(
        verify(&desk, &created, ("msg_1", &at, &good), b"{}").await,
        Ok(()),
        "a refusal spends nothing"
    );
}

#[tokio::test]
async fn only_keys_of_workers_sign() {
    let desk = desk().await;
    let reader = NewKey { scopes: vec!["streams:read:a/**".parse().unwrap()], ..worker() };
    let created = desk.gate.create_key(reader, &facts()).await.unwrap();
    assert!(created.signing_secret.is_none() && !created.key.signs);
    let now = desk.clock.now().as_secs().to_string();
    assert_eq!(verify(&desk, &created, ("m", &now, "v1,AAAA"), b"").await, Err(SignatureError::Wrong));
}
