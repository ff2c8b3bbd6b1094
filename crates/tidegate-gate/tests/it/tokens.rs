//! Access tokens: genuine ones, and a collection of forged ones.

use std::time::Duration;

use serde_json::{Value, json};
use tidegate_gate::{
    AuthError, ExposeSecret as _, Gate, GateConfig, GateError, SessionKind, SigningKey, Tokens, Via,
};
use tidegate_types::Clock as _;

use crate::support::{
    Desk, ED25519_PEM, SECRET, ada, config, desk, desk_with, eddsa, facts, forge, hs256, loose, tokens,
};

const HEADER: &str = r#"{"alg":"HS256","typ":"at+jwt"}"#;

async fn signed_in(desk: &Desk) -> Tokens {
    tokens(&desk.register().await).clone()
}

/// The claims of a genuine token of a registered user.
async fn genuine(desk: &Desk) -> Value {
    let tokens = signed_in(desk).await;
    let user = desk.user_of(&tokens).await;
    let now = desk.clock.now().as_secs();
    json!({ "iss": "tidegate", "aud": "tidegate", "sub": user.user_id, "sid": tokens.session_id,
        "iat": now, "exp": now + 600, "jti": "1" })
}

async fn ours(desk: &Desk, header: &str, claims: &str) -> Result<(), AuthError> {
    desk.bearer(&forge(header, claims, hs256(SECRET.as_bytes()))).await.map(|_| ())
}

#[tokio::test]
async fn an_access_token_names_its_user_and_session() {
    let desk = desk().await;
    let tokens = signed_in(&desk).await;
    assert_eq!(tokens.expires_in, 600);
    let user = desk.user_of(&tokens).await;
    assert_eq!((&*user.email, user.via), ("ada@example.test", Via::Token));
    assert_eq!(user.session_id, Some(tokens.session_id));
}

#[tokio::test]
async fn a_token_expires_to_the_second_and_says_so_only_when_it_is_genuine() {
    let desk = desk().await;
    let tokens = signed_in(&desk).await;
    let text = tokens.access_token.expose_secret();
    desk.clock.advance(Duration::from_secs(599));
    assert!(desk.bearer(text).await.is_ok());
    desk.clock.advance(Duration::from_secs(1));
    assert_eq!(desk.bearer(text).await.unwrap_err(), AuthError::Expired);
    let mut forged = text.to_owned();
    forged.replace_range(text.len() - 4.., "AAAA");
    assert_eq!(desk.bearer(&forged).await.unwrap_err(), AuthError::Invalid);
}

#[tokio::test]
async fn front_ends_that_never_refresh_get_longer_tokens() {
    let desk = desk().await;
    let kind = SessionKind::TokenFor(Duration::from_secs(604_800));
    let begun = desk.gate.register(ada(), kind, &facts()).await.unwrap();
    assert_eq!(tokens(&begun).expires_in, 604_800);
    desk.clock.advance(Duration::from_secs(604_700));
    assert!(desk.bearer(tokens(&begun).access_token.expose_secret()).await.is_ok());
}

#[tokio::test]
async fn the_forging_hand_can_make_a_genuine_token_too() {
    let desk = desk().await;
    let claims = genuine(&desk).await.to_string();
    assert_eq!(ours(&desk, HEADER, &claims).await, Ok(()));
    assert_eq!(ours(&desk, r#"{"typ":"application/AT+JWT","alg":"HS256"}"#, &claims).await, Ok(()));
}

#[tokio::test]
async fn claims_that_are_missing_mistyped_or_wrong_are_refused() {
    let desk = desk().await;
    let claims = genuine(&desk).await;
    for name in ["iss", "aud", "sub", "sid", "iat", "exp", "jti"] {
        let mut without = claims.clone();
        without.as_object_mut().unwrap().remove(name);
        assert!(ours(&desk, HEADER, &without.to_string()).await.is_err(), "without {name}");
        for value in [Value::Null, json!([]), json!({}), json!("never"), json!(true), json!(-1), json!(1.5)] {
            let mut mistyped = claims.clone();
            mistyped[name] = value.clone();
            if !(name == "jti" && value.is_string()) {
                assert!(ours(&desk, HEADER, &mistyped.to_string()).await.is_err(), "{name}: {value}");
            }
        }
    }
    let now = desk.clock.now().as_secs();
    let wrong = [
        ("aud", json!("other")),
        ("iss", json!("https://other.test")),
        ("exp", json!((now + 600).to_string())),
        ("exp", json!(1e300)),
        ("exp", json!(now + 600).to_string().parse::<f64>().map(|f| json!(f + 0.5)).unwrap()),
        ("nbf", json!("9e99")),
        ("nbf", json!(now + 100)),
        ("nbf", json!(1e99)),
        ("iat", json!(now + 3_600)),
        ("sub", json!("../../etc/passwd")),
    ];
    for (name, value) in wrong {
        let mut claims = claims.clone();
        claims[name] = value.clone();
        assert_eq!(
            ours(&desk, HEADER, &claims.to_string()).await,
            Err(AuthError::Invalid),
            "{name}: {value}"
        );
    }
}

#[tokio::test]
async fn headers_that_choose_their_own_rules_are_refused() {
    let desk = desk().await;
    let claims = genuine(&desk).await.to_string();
    let headers = [
        r#"{"alg":"none","typ":"at+jwt"}"#,
        r#"{"alg":"HS384","typ":"at+jwt"}"#,
        r#"{"alg":"hs256","typ":"at+jwt"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt"}"#,
        r#"{"alg":"RS256","typ":"at+jwt"}"#,
        r#"{"alg":["HS256"],"typ":"at+jwt"}"#,
        r#"{"typ":"at+jwt"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":7}"#,
        r#"{"alg":"HS256","typ":"at+jwt","crit":["x"],"x":1}"#,
        r#"{"alg":"HS256","typ":"at+jwt","crit":[]}"#,
        r#"{"alg":"HS256","typ":"at+jwt","jwk":{"kty":"oct","k":"AA"}}"#,
        r#"{"alg":"HS256","typ":"at+jwt","jku":"http://127.0.0.1:9/"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","x5u":"http://127.0.0.1:9/"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","x5c":[]}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"../../dev/null"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"x' OR 1=1--"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":""}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":1}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"other"}"#,
        r#"{"alg":"HS256","alg":"HS256","typ":"at+jwt"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","zip":"DEF"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","b64":false}"#,
        "[]",
        "\"HS256\"",
        "",
    ];
    for header in headers {
        assert_eq!(ours(&desk, header, &claims).await, Err(AuthError::Invalid), "{header}");
    }
    assert_eq!(desk.fetch.fetches.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn doubled_members_huge_and_broken_tokens_are_refused() {
    let desk = desk().await;
    let claims = genuine(&desk).await.to_string();
    let doubled = claims.replacen('{', r#"{"exp":99999999999,"#, 1);
    assert_eq!(ours(&desk, HEADER, &doubled).await, Err(AuthError::Invalid));
    let padded = claims.replacen('{', &format!(r#"{{"x":"{}","#, "a".repeat(9_000)), 1);
    assert_eq!(ours(&desk, HEADER, &padded).await, Err(AuthError::Invalid));
    let deep = claims.replacen('{', &format!(r#"{{"x":{}{},"#, "[".repeat(500), "]".repeat(500)), 1);
    assert_eq!(ours(&desk, HEADER, &deep).await, Err(AuthError::Invalid));
    let unsigned = forge(r#"{"alg":"none","typ":"at+jwt"}"#, &claims, |_| String::new());
    let good = forge(HEADER, &claims, hs256(SECRET.as_bytes()));
    let parts: Vec<&str> = good.split('.').collect();
    let broken = [
        unsigned,
        forge(HEADER, &claims, hs256(b"another secret that is long enough, too")),
        forge(HEADER, &claims, hs256(b"")),
        format!("{good}="),
        format!("{good}.x"),
        format!(" {good}"),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}..{}", parts[0], parts[2]),
        "..".to_owned(),
        String::new(),
        "a".repeat(100_000),
    ];
    for token in broken {
        assert_eq!(desk.bearer(&token).await.unwrap_err(), AuthError::Invalid, "{token:.60}");
    }
}

#[tokio::test]
async fn a_token_of_an_ended_session_is_refused_by_every_process() {
    let desk = desk().await;
    let other = desk.other_process().await;
    let tokens = signed_in(&desk).await;
    let user = desk.user_of(&tokens).await;
    desk.gate.logout(&user, &facts()).await.unwrap();
    let text = tokens.access_token.expose_secret();
    assert_eq!(desk.bearer(text).await.unwrap_err(), AuthError::Invalid);
    other.step(desk.clock.now()).await;
    assert_eq!(other.authenticate_bearer(text, &facts()).await.unwrap_err(), AuthError::Invalid);
}

fn with_key_file() -> GateConfig {
    GateConfig { signing: SigningKey::Ed25519Pem(ED25519_PEM.to_owned().into()), ..config() }
}

#[tokio::test]
async fn a_key_file_makes_tokens_that_others_can_check() {
    let desk = desk_with(with_key_file(), loose()).await;
    let tokens = signed_in(&desk).await;
    assert_eq!(desk.user_of(&tokens).await.session_id, Some(tokens.session_id));
    let jwks = desk.gate.jwks();
    let key = &jwks["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")));
    assert!(key.get("d").is_none() && key["kid"].as_str().unwrap().len() == 43);
    let header = jsonwebtoken::decode_header(tokens.access_token.expose_secret()).unwrap();
    assert_eq!(header.kid.as_deref(), key["kid"].as_str());
}

#[tokio::test]
async fn with_a_key_file_nothing_signed_by_a_secret_is_taken() {
    let desk = desk_with(with_key_file(), loose()).await;
    let claims = genuine(&desk).await.to_string();
    let public = desk.gate.jwks()["keys"][0]["x"].as_str().unwrap().to_owned();
    for secret in [SECRET, ED25519_PEM, &public] {
        for header in [HEADER, r#"{"alg":"EdDSA","typ":"at+jwt"}"#] {
            let token = forge(header, &claims, hs256(secret.as_bytes()));
            assert_eq!(desk.bearer(&token).await.unwrap_err(), AuthError::Invalid);
        }
    }
    let header = r#"{"alg":"EdDSA","typ":"at+jwt"}"#;
    assert!(desk.bearer(&forge(header, &claims, eddsa())).await.is_ok());
}

#[tokio::test]
async fn a_shared_secret_publishes_no_keys() {
    assert_eq!(desk().await.gate.jwks(), json!({ "keys": [] }));
}

async fn refused(config: GateConfig) -> GateError {
    use std::sync::Arc;
    let dir = tempfile::tempdir().unwrap();
    let db =
        tidegate_db::Db::open(&dir.path().join("g.db"), &tidegate_db::DbOptions::default()).await.unwrap();
    let parts = tidegate_gate::GateParts {
        store: Arc::new(tidegate_gate::SqliteGate::open(db).await.unwrap()),
        clock: Arc::new(tidegate_types::SystemClock),
        entropy: Arc::new(tidegate_types::OsEntropy),
        bus: Arc::new(tidegate_db::LocalBus::new(1)),
        fetch: Arc::new(tidegate_gate::NoFetch),
        config,
        limits: Arc::new(loose()),
    };
    Gate::open(parts).await.unwrap_err()
}

#[tokio::test]
async fn a_short_secret_or_a_broken_key_file_is_refused_at_the_start() {
    let short = GateConfig::new("x".repeat(31).into());
    let broken = GateConfig { signing: SigningKey::Ed25519Pem("no key".to_owned().into()), ..config() };
    for config in [short, broken] {
        let error = refused(config).await;
        assert!(matches!(error, GateError::Config { .. }), "{error}");
    }
}
