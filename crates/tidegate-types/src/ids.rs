//! Names of things, as types that cannot be mixed up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Entropy, Timestamp};

/// The text is not an id of this kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed {0}")]
pub struct IdError(&'static str);

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new id (UUIDv7, RFC 9562 section 5.7) of this time.
            pub fn generate(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(uuid_v7(now, entropy))
            }

            /// The sixteen bytes, as stores keep them.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                // Only the hyphenated form: one id has one spelling.
                if text.len() != 36 {
                    return Err(IdError($word));
                }
                Uuid::try_parse(text).map(Self).map_err(|_| IdError($word))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )*};
}

uuid_ids! {
    /// An account.
    UserId = "user id";
    /// A signed-in browser or device.
    SessionId = "session id";
    /// An API key (not its secret).
    KeyId = "key id";
    /// A ticket (not its secret).
    TicketId = "ticket id";
    /// What a spent ticket left behind.
    LeaseId = "lease id";
    /// One live connection of a node.
    ConnectionId = "connection id";
    /// One domain event of a feed.
    FeedEventId = "event id";
    /// An uploaded document.
    DocumentId = "document id";
    /// A conversation over documents.
    ConversationId = "conversation id";
}

fn uuid_v7(now: Timestamp, entropy: &dyn Entropy) -> Uuid {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &entropy.array()).into_uuid()
}

/// The id of a generation: made by the server (UUIDv7) or by the client, `[A-Za-z0-9_-]{1,64}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct GenerationId(Box<str>);

impl GenerationId {
    /// Makes a new id of this time.
    pub fn generate(now: Timestamp, entropy: &dyn Entropy) -> Self {
        Self(uuid_v7(now, entropy).to_string().into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GenerationId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let safe = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(safe) {
            Ok(Self(text.into()))
        } else {
            Err(IdError("generation id"))
        }
    }
}

impl<'de> Deserialize<'de> for GenerationId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GenerationId({})", self.0)
    }
}

/// The id of a request: the client's own, if it is safe to print, else one that the edge made.
///
/// Held in place: every request has one, and most are never written anywhere but into the answer.
#[derive(Clone, Copy)]
pub struct RequestId {
    text: [u8; REQUEST_ID_BYTES_MAX],
    length: u8,
}

const REQUEST_ID_BYTES_MAX: usize = 64;

impl RequestId {
    /// Makes a new id of this time.
    pub fn generate(now: Timestamp, entropy: &dyn Entropy) -> Self {
        let mut text = [0; REQUEST_ID_BYTES_MAX];
        let length = uuid_v7(now, entropy).hyphenated().encode_lower(&mut text).len();
        Self { text, length: u8::try_from(length).unwrap_or_default() }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.text.get(..usize::from(self.length)).unwrap_or_default();
        // Made of ASCII only, by the two ways to make one.
        std::str::from_utf8(text).unwrap_or_default()
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({})", self.as_str())
    }
}

impl FromStr for RequestId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let safe = |b: u8| b.is_ascii_alphanumeric() || b"._~:-".contains(&b);
        let refused = || IdError("request id");
        let length = u8::try_from(text.len()).map_err(|_| refused())?;
        let mut held = [0; REQUEST_ID_BYTES_MAX];
        let place = held.get_mut(..text.len()).ok_or_else(refused)?;
        if text.is_empty() || !text.bytes().all(safe) {
            return Err(refused());
        }
        place.copy_from_slice(text.as_bytes());
        Ok(Self { text: held, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let early = UserId::generate(Timestamp::from_millis(1_000), &OsEntropy);
        let late = UserId::generate(Timestamp::from_millis(2_000), &OsEntropy);
        assert!(early < late);
    }

    #[test]
    fn one_id_has_one_spelling() {
        let id = UserId::generate(Timestamp::from_millis(1_000), &OsEntropy);
        assert_eq!(id.to_string().parse::<UserId>(), Ok(id));
        assert!(id.as_uuid().simple().to_string().parse::<UserId>().is_err());
        assert!("{}".parse::<UserId>().is_err());
    }

    #[test]
    fn request_ids_are_kept_as_they_came_if_they_are_safe_to_print() {
        for good in ["r", "a.b_c~d:e-9", &"x".repeat(64)] {
            assert_eq!(good.parse::<RequestId>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a\n", "ü", &"x".repeat(65), &"x".repeat(257)] {
            assert!(bad.parse::<RequestId>().is_err(), "{bad:?}");
        }
        let made = RequestId::generate(Timestamp::from_millis(1_000), &OsEntropy);
        assert!(made.as_str().parse::<UserId>().is_ok(), "an id of ours is a UUID");
    }

    #[test]
    fn generation_ids_take_only_safe_characters() {
        assert!("a-b_C9".parse::<GenerationId>().is_ok());
        for bad in ["", "a/b", "a.b", "ü", "a b", &"x".repeat(65)] {
            assert!(bad.parse::<GenerationId>().is_err(), "{bad:?}");
        }
    }
}
