//! Outside issuers.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_gate::{Actor, AuthError, GateConfig, IssuerConfig, SigningKey, Via};
use tidegate_types::Clock as _;

use crate::support::{Desk, ED25519_PEM, config, desk_with, eddsa, forge, hs256, loose};

const ISS: &str = "https://id.example.test";

fn issuer(iss: &str) -> IssuerConfig {
    IssuerConfig {
        iss: iss.to_owned(),
        jwks_url: format!("{iss}/jwks"),
        audience: "tidegate".to_owned(),
        algorithms: vec!["EdDSA".to_owned(), "RS256".to_owned()],
        types: vec!["jwt".to_owned(), String::new()],
        email_claim: "email".to_owned(),
    }
}

/// A desk whose issuer signs with the example key; answers its key id.
async fn with_issuer() -> (Desk, String) {
    let signer = desk_with(
        GateConfig { signing: SigningKey::Ed25519Pem(ED25519_PEM.to_owned().into()), ..config() },
        loose(),
    )
    .await;
    let jwks = signer.gate.jwks();
    let kid = jwks["keys"][0]["kid"].as_str().unwrap().to_owned();
    let issuers = vec![issuer(ISS), issuer("https://other.example.test")];
    let desk = desk_with(GateConfig { issuers, ..config() }, loose()).await;
    *desk.fetch.document.lock().unwrap() = Some(jwks.to_string().into_bytes());
    (desk, kid)
}

fn claims(desk: &Desk) -> Value {
    let now = desk.clock.now().as_secs();
    json!({ "iss": ISS, "aud": ["x", "tidegate"], "sub": "42", "exp": now + 600, "iat": now,
        "email": "ada@id.example.test" })
}

fn token(kid: &str, claims: &Value) -> String {
    let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid }).to_string();
    forge(&header, &claims.to_string(), eddsa())
}

fn fetches(desk: &Desk) -> usize {
    desk.fetch.fetches.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_listed_issuers_user_gets_an_account_of_their_own() {
    let (desk, kid) = with_issuer().await;
    desk.register().await;
    let token = token(&kid, &claims(&desk));
    let first = desk.bearer(&token).await.unwrap().user().unwrap().clone();
    assert_eq!((&*first.email, first.session_id, first.via), ("ada@id.example.test", None, Via::Issuer));
    assert_eq!(desk.bearer(&token).await.unwrap().user().unwrap().user_id, first.user_id);
    assert_eq!(desk.gate.list_users(None, 50).await.unwrap().len(), 2);
    assert_eq!(fetches(&desk), 1);
}

#[tokio::test]
async fn an_outside_email_opens_no_account_of_ours() {
    let (desk, kid) = with_issuer().await;
    let ours = desk.register().await.user.id;
    let mut claims = claims(&desk);
    claims["email"] = json!("ada@example.test");
    let outside = desk.bearer(&token(&kid, &claims)).await.unwrap().user().unwrap().user_id;
    assert_ne!(outside, ours);
}

#[tokio::test]
async fn a_thousand_unknown_key_ids_cost_one_fetch() {
    let (desk, kid) = with_issuer().await;
    let claims = claims(&desk);
    for n in 0..1_000 {
        assert_eq!(desk.bearer(&token(&format!("k{n}"), &claims)).await.unwrap_err(), AuthError::Invalid);
    }
    assert_eq!(fetches(&desk), 1);
    assert!(desk.bearer(&token(&kid, &claims)).await.is_ok());
    desk.clock.advance(Duration::from_secs(31));
    desk.bearer(&token("k1001", &claims)).await.unwrap_err();
    assert_eq!(fetches(&desk), 2, "a new key may have come meanwhile");
}

#[tokio::test]
async fn many_first_tokens_at_once_cost_one_fetch() {
    let (desk, kid) = with_issuer().await;
    let token = token(&kid, &claims(&desk));
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (gate, token) = (desk.gate.clone(), token.clone());
            tokio::spawn(async move {
                gate.authenticate_bearer(&token, &crate::support::facts())
                    .await
                    .unwrap()
                    .user()
                    .unwrap()
                    .user_id
            })
        })
        .collect();
    let mut users = std::collections::HashSet::new();
    for call in calls {
        users.insert(call.await.unwrap());
    }
    assert_eq!((users.len(), fetches(&desk)), (1, 1));
}

#[tokio::test]
async fn keys_outlive_their_issuers_outage_by_a_day() {
    let (desk, kid) = with_issuer().await;
    desk.bearer(&token(&kid, &claims(&desk))).await.unwrap();
    *desk.fetch.document.lock().unwrap() = None;
    desk.clock.advance(Duration::from_secs(86_400));
    assert!(desk.bearer(&token(&kid, &claims(&desk))).await.is_ok());
    desk.clock.advance(Duration::from_secs(1));
    assert_eq!(desk.bearer(&token(&kid, &claims(&desk))).await.unwrap_err(), AuthError::Invalid);
}

#[tokio::test]
async fn times_may_be_half_a_minute_off() {
    let (desk, kid) = with_issuer().await;
    let now = desk.clock.now().as_secs();
    let with = |name: &str, value: i64| {
        let mut claims = claims(&desk);
        claims[name] = json!(value);
        token(&kid, &claims)
    };
    assert!(desk.bearer(&with("exp", now - 29)).await.is_ok());
    assert_eq!(desk.bearer(&with("exp", now - 30)).await.unwrap_err(), AuthError::Expired);
    assert!(desk.bearer(&with("nbf", now + 30)).await.is_ok());
    assert_eq!(desk.bearer(&with("nbf", now + 31)).await.unwrap_err(), AuthError::Invalid);
}

#[tokio::test]
async fn other_audiences_types_algorithms_and_issuers_are_refused() {
    let (desk, kid) = with_issuer().await;
    let good = claims(&desk);
    let changed = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        token(&kid, &claims)
    };
    let header = |header: Value| forge(&header.to_string(), &good.to_string(), eddsa());
    let tokens = [
        changed("aud", json!("other")),
        changed("aud", json!(["a", "b"])),
        changed("aud", json!(7)),
        changed("iss", json!("https://unlisted.example.test")),
        changed("sub", json!("")),
        changed("sub", json!(42)),
        changed("exp", json!("never")),
        changed("nbf", json!("9e99")),
        header(json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid })),
        header(json!({ "alg": "RS256", "typ": "JWT", "kid": kid })),
        header(json!({ "alg": "HS256", "typ": "JWT", "kid": kid })),
        header(json!({ "alg": "none", "typ": "JWT", "kid": kid })),
        forge(
            &json!({ "alg": "HS256", "typ": "JWT", "kid": kid }).to_string(),
            &good.to_string(),
            hs256(desk.fetch.document.lock().unwrap().as_deref().unwrap()),
        ),
    ];
    for token in tokens {
        assert_eq!(desk.bearer(&token).await.unwrap_err(), AuthError::Invalid);
    }
}

#[tokio::test]
async fn two_issuers_do_not_share_a_key_by_its_id() {
    let (desk, kid) = with_issuer().await;
    desk.bearer(&token(&kid, &claims(&desk))).await.unwrap();
    *desk.fetch.document.lock().unwrap() = Some(br#"{"keys":[]}"#.to_vec());
    let mut claims = claims(&desk);
    claims["iss"] = json!("https://other.example.test");
    assert_eq!(desk.bearer(&token(&kid, &claims)).await.unwrap_err(), AuthError::Invalid);
}

#[tokio::test]
async fn a_disabled_outside_user_stays_out() {
    let (desk, kid) = with_issuer().await;
    let text = token(&kid, &claims(&desk));
    let user = desk.bearer(&text).await.unwrap().user().unwrap().user_id;
    desk.gate.set_disabled(user, true, Actor::Operator).await.unwrap();
    assert!(desk.bearer(&text).await.is_err());
}

#[tokio::test]
async fn issuers_that_could_let_anyone_in_are_refused_at_the_start() {
    let good = issuer(ISS);
    let bad = [
        IssuerConfig { algorithms: vec!["HS256".to_owned()], ..good.clone() },
        IssuerConfig { algorithms: vec!["none".to_owned()], ..good.clone() },
        IssuerConfig { algorithms: vec![], ..good.clone() },
        IssuerConfig { jwks_url: "http://id.example.test/jwks".to_owned(), ..good.clone() },
        IssuerConfig { jwks_url: "file:///etc/passwd".to_owned(), ..good.clone() },
        IssuerConfig { audience: String::new(), ..good.clone() },
        IssuerConfig { iss: "tidegate".to_owned(), ..good.clone() },
    ];
    for issuer in bad {
        assert!(GateConfig { issuers: vec![issuer.clone()], ..config() }.validate().is_err(), "{issuer:?}");
    }
    assert!(GateConfig { issuers: vec![good.clone()], ..config() }.validate().is_ok());
    assert!(GateConfig { issuers: vec![good.clone(), good], ..config() }.validate().is_err());
}
