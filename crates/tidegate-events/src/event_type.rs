//! The name of a domain event: the `event:` line of its frame.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tidegate_types::ErrorCode;

/// Names that mean something else to an `EventSource`; so does everything under `tidegate.`.
pub const RESERVED_TYPES: [&str; 4] = ["message", "open", "error", "ping"];

const TYPE_BYTES_MAX: usize = 64;
const RESERVED_PREFIX: &str = "tidegate.";

/// A domain event's type: `[A-Za-z0-9_.-]{1,64}` and not reserved.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EventType(Arc<str>);

/// The text is no event type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventTypeError {
    /// Empty, too long, or a character outside the alphabet.
    #[error("an event type is 1 to {TYPE_BYTES_MAX} of `A-Z a-z 0-9 _ . -`")]
    Malformed,
    /// A name that browsers or the server's own control events use.
    #[error("`message`, `open`, `error`, `ping` and `tidegate.*` are reserved")]
    Reserved,
}

impl EventTypeError {
    /// How this failure is told to clients.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        ErrorCode::InvalidEventType
    }
}

impl EventType {
    /// The type as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EventType {
    type Err = EventTypeError;

    fn from_str(text: &str) -> Result<Self, EventTypeError> {
        if !is_type_text(text) {
            return Err(EventTypeError::Malformed);
        }
        if RESERVED_TYPES.contains(&text) || text.starts_with(RESERVED_PREFIX) {
            return Err(EventTypeError::Reserved);
        }
        Ok(Self(text.into()))
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventType({})", self.0)
    }
}

pub(crate) fn is_type_text(text: &str) -> bool {
    let safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    (1..=TYPE_BYTES_MAX).contains(&text.len()) && text.bytes().all(safe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("novel.created")]
    #[case("a")]
    #[case("pingpong")]
    #[case("tidegate")]
    #[case("Message")]
    fn ordinary_names_are_types(#[case] text: &str) {
        assert_eq!(text.parse::<EventType>().unwrap().as_str(), text);
    }

    #[rstest]
    #[case("message")]
    #[case("open")]
    #[case("error")]
    #[case("ping")]
    #[case("tidegate.end")]
    #[case("tidegate.")]
    fn reserved_names_are_refused(#[case] text: &str) {
        assert_eq!(text.parse::<EventType>(), Err(EventTypeError::Reserved));
    }

    #[rstest]
    #[case("")]
    #[case("a b")]
    #[case("a\nevent: x")]
    #[case("naïve")]
    fn names_that_could_break_a_frame_are_refused(#[case] text: &str) {
        assert_eq!(text.parse::<EventType>(), Err(EventTypeError::Malformed));
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_fits_one_event_line(text in ".{0,80}") {
            if let Ok(accepted) = text.parse::<EventType>() {
                prop_assert!(accepted.as_str().len() <= 64);
                prop_assert!(accepted.as_str().bytes().all(|b| b.is_ascii_graphic() && b != b':'));
            }
        }
    }
}
