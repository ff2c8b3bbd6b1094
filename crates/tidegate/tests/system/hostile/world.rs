//! What the cases speak of: two users, keys, tickets, a generation, forged tokens.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Client;
use serde_json::{Value, json};

use crate::support::Installation;

const PASSWORD: &str = "correct horse battery staple 7";

/// Fills in the words of the corpus for a running server at `base` (scheme and authority).
pub(crate) struct World {
    pub(crate) base: String,
    client: Client,
    jwt: String,
    words: BTreeMap<&'static str, String>,
}

impl World {
    pub(crate) async fn new(base: &str, client: Client, installation: &Installation, tag: &str) -> Self {
        let mut world = Self { base: base.to_owned(), client, jwt: String::new(), words: BTreeMap::new() };
        let email = format!("victim-{tag}@example.test");
        let user = world.post("/api/v1/auth/register", json!({"email": email, "password": PASSWORD})).await;
        world.jwt = text(&user["access_token"]);
        let other = format!("other-{tag}@example.test");
        let other = world.post("/api/v1/auth/register", json!({"email": other, "password": PASSWORD})).await;
        let new = json!({"prompt": "a long job", "framework": "external"});
        let generation = world.post("/api/v1/generations", new).await;
        let key = |name: &str, scope: &str| {
            let words = ["key", "create", "--name", name, "--scope", scope];
            text(&installation.verb(&words, "")["secret"])
        };
        world.words.extend([
            ("host", base.split("://").nth(1).unwrap_or_default().to_owned()),
            ("email", email),
            ("user_id", text(&user["user"]["id"])),
            ("jwt", world.jwt.clone()),
            ("other_jwt", text(&other["access_token"])),
            ("generation", text(&generation["id"])),
            ("key", key("reader", "streams:read:open/**")),
            ("publish_key", key("publisher", "events:publish")),
            ("ten_kilobytes", "a".repeat(10 << 10)),
            ("two_kilobytes", "Aa1!".repeat(512)),
            ("megabyte", "a".repeat(1 << 20)),
            ("ten_megabytes", "a".repeat(10 << 20)),
            ("deep_json", format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        ]);
        world.words.extend(forged_tokens(&world.jwt));
        world.words.insert("cookie", world.sign_in_with_cookie().await);
        world
    }

    /// The words with tickets that are fresh for this case.
    pub(crate) async fn words(&self, text: &str) -> BTreeMap<&'static str, String> {
        let mut words = self.words.clone();
        if text.contains("{spent_ticket}") {
            let ticket = self.ticket(None).await;
            let url =
                format!("{}/api/v1/generations/{}/stream?ticket={ticket}", self.base, words["generation"]);
            let opened = self.client.get(url).send().await.unwrap();
            assert_eq!(opened.status(), 200, "the first use of a ticket");
            words.insert("spent_ticket", ticket);
        }
        if text.contains("{origin_ticket}") {
            words.insert("origin_ticket", self.ticket(Some("https://app.test")).await);
        }
        words
    }

    async fn ticket(&self, origin: Option<&str>) -> String {
        let url = format!("{}/api/v1/generations/{}/stream-token", self.base, self.words["generation"]);
        let mut request = self.client.post(url).bearer_auth(&self.jwt);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        text(&request.send().await.unwrap().json::<Value>().await.unwrap()["sse_token"])
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let mut request = self.client.post(format!("{}{path}", self.base)).json(&body);
        if !self.jwt.is_empty() {
            request = request.bearer_auth(&self.jwt);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    async fn sign_in_with_cookie(&self) -> String {
        let body = json!({"email": self.words["email"], "password": PASSWORD, "session": "cookie"});
        let url = format!("{}/api/v1/auth/login", self.base);
        let answer = self.client.post(url).json(&body).send().await.unwrap();
        let cookie = answer.headers().get("set-cookie").expect("a session cookie").to_str().unwrap();
        cookie.split(';').next().unwrap_or_default().to_owned()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}

/// Tokens that are wrong in one way each, made from a good one's claims.
fn forged_tokens(jwt: &str) -> Vec<(&'static str, String)> {
    let secret = crate::support::SECRET.as_bytes();
    let claims = claims_of(jwt);
    let sign = |header: Value, claims: &Value, key: &[u8]| {
        let head = URL_SAFE_NO_PAD.encode(header.to_string());
        let body = URL_SAFE_NO_PAD.encode(claims.to_string());
        let message = format!("{head}.{body}");
        let key = EncodingKey::from_secret(key);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        format!("{message}.{signature}")
    };
    let with = |name: &str, value: Value| {
        let mut changed = claims.clone();
        changed[name] = value;
        changed
    };
    let header = json!({"typ": "at+jwt", "alg": "HS256"});
    let none = json!({"typ": "at+jwt", "alg": "none"});
    let unsigned = sign(none, &claims, secret);
    let mut other = Header::new(Algorithm::HS512);
    other.typ = Some("at+jwt".to_owned());
    let other = jsonwebtoken::encode(&other, &claims, &EncodingKey::from_secret(secret)).unwrap();
    let own_key =
        json!({"typ": "at+jwt", "alg": "HS256", "jwk": {"kty": "oct", "k": URL_SAFE_NO_PAD.encode("mine")}});
    let path = json!({"typ": "at+jwt", "alg": "HS256", "kid": "../../dev/null"});
    let mut past = with("exp", json!(1_000_000_000));
    past["iat"] = json!(999_999_000);
    vec![
        ("jwt_alg_none", format!("{}.", unsigned.rsplit_once('.').unwrap().0)),
        ("jwt_other_algorithm", other),
        ("jwt_own_key", sign(own_key, &claims, b"mine")),
        ("jwt_kid_path", sign(path, &claims, b"")),
        ("jwt_exp_text", sign(header.clone(), &with("exp", json!("never")), secret)),
        ("jwt_typ", sign(json!({"typ": "JWT", "alg": "HS256"}), &claims, secret)),
        ("jwt_audience", sign(header.clone(), &with("aud", json!("somebody else")), secret)),
        ("jwt_expired", sign(header.clone(), &past, secret)),
        ("jwt_expired_forged", sign(header, &past, b"not the secret, but long enough for it")),
    ]
}

fn claims_of(jwt: &str) -> Value {
    let body = jwt.split('.').nth(1).expect("a token of three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}
