//! What an API key may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tidegate_types::{StreamPath, StreamPattern};

/// One permission of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `generations:work`: claim generations and report on them.
    GenerationsWork,
    /// `events:publish`: publish domain events.
    EventsPublish,
    /// `streams:read:<pattern>`: read the streams that match.
    StreamsRead(StreamPattern),
    /// `streams:write:<pattern>`: create, append to, close and delete the streams that match.
    StreamsWrite(StreamPattern),
}

/// The text is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope is generations:work, events:publish, streams:read:<pattern> or streams:write:<pattern>")]
pub struct ScopeError;

impl Scope {
    /// Whether this lets the streams at the path be read.
    #[must_use]
    pub fn reads(&self, path: &StreamPath) -> bool {
        matches!(self, Self::StreamsRead(pattern) if pattern.matches(path))
    }

    /// Whether this lets the streams at the path be written.
    #[must_use]
    pub fn writes(&self, path: &StreamPath) -> bool {
        matches!(self, Self::StreamsWrite(pattern) if pattern.matches(path))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GenerationsWork => f.write_str("generations:work"),
            Self::EventsPublish => f.write_str("events:publish"),
            Self::StreamsRead(pattern) => write!(f, "streams:read:{}", pattern.as_str()),
            Self::StreamsWrite(pattern) => write!(f, "streams:write:{}", pattern.as_str()),
        }
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let pattern = |text: &str| text.parse::<StreamPattern>().map_err(|_| ScopeError);
        match text {
            "generations:work" => Ok(Self::GenerationsWork),
            "events:publish" => Ok(Self::EventsPublish),
            _ => match (text.strip_prefix("streams:read:"), text.strip_prefix("streams:write:")) {
                (Some(read), _) => pattern(read).map(Self::StreamsRead),
                (_, Some(write)) => pattern(write).map(Self::StreamsWrite),
                (None, None) => Err(ScopeError),
            },
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_back_as_they_are_printed() {
        for text in ["generations:work", "events:publish", "streams:read:a/*", "streams:write:b/**"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_words_are_no_scopes() {
        for text in ["", "admin", "streams:read", "streams:read:", "streams:read:../x", "GENERATIONS:WORK"] {
            assert_eq!(text.parse::<Scope>(), Err(ScopeError), "{text}");
        }
    }

    #[test]
    fn a_read_scope_lets_nothing_be_written() {
        let scope: Scope = "streams:read:a/**".parse().unwrap();
        let path: StreamPath = "a/b".parse().unwrap();
        assert!(scope.reads(&path) && !scope.writes(&path));
    }
}
