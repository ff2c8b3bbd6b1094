//! The outer shape of a JWT (RFC 7515, compact form), read strictly and without trusting a word.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// Longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 8_192;
const KID_BYTES_MAX: usize = 128;

/// A token, taken apart. Nothing of it is true before its signature is checked.
pub(crate) struct Compact<'a> {
    /// What was signed.
    pub(crate) message: &'a str,
    pub(crate) signature: &'a str,
    pub(crate) header: Header,
    pub(crate) claims: Object,
}

/// The members of a header that matter.
pub(crate) struct Header {
    pub(crate) algorithm: String,
    /// In lower case, without `application/`; empty if there is none.
    pub(crate) kind: String,
    pub(crate) kid: Option<String>,
}

/// A JSON object whose members are named once each.
pub(crate) struct Object(BTreeMap<String, Value>);

/// The text is no token that we look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl<'a> Compact<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, Malformed> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(Malformed)?;
        if claims.contains('.') || signature.is_empty() {
            return Err(Malformed);
        }
        let header = Header::read(&object(header)?)?;
        Ok(Self { message, signature, header, claims: object(claims)? })
    }
}

impl Header {
    fn read(object: &Object) -> Result<Self, Malformed> {
        // Keys that a token brings along, and extensions that we would have to understand.
        for refused in ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "cty", "enc"] {
            if object.0.contains_key(refused) {
                return Err(Malformed);
            }
        }
        let kind = match object.0.get("typ") {
            None => String::new(),
            Some(Value::String(kind)) => kind.to_ascii_lowercase(),
            Some(_) => return Err(Malformed),
        };
        let kind = kind.strip_prefix("application/").map_or(kind.clone(), str::to_owned);
        let kid = match object.0.get("kid") {
            None => None,
            Some(Value::String(kid)) if is_safe(kid) => Some(kid.clone()),
            Some(_) => return Err(Malformed),
        };
        Ok(Self { algorithm: object.text("alg").ok_or(Malformed)?.to_owned(), kind, kid })
    }
}

impl Object {
    /// A member that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A member that is a whole number.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

/// Whether a key id can't mean anything to a file system, a database or a log.
fn is_safe(kid: &str) -> bool {
    (1..=KID_BYTES_MAX).contains(&kid.len())
        && kid
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'=' | b'+' | b':'))
        && !kid.contains("..")
}

fn object(encoded: &str) -> Result<Object, Malformed> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Malformed)
}

impl<'de> de::Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnceEach;
        impl<'de> Visitor<'de> for OnceEach {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object whose members are named once each")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    // Two readers of a doubled member could see two different tokens.
                    if members.insert(name, value).is_some() {
                        return Err(de::Error::custom("a member is named twice"));
                    }
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(OnceEach)
    }
}
