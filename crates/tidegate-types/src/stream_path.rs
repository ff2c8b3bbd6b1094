//! Where a stream lives.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ConversationId, DocumentId, GenerationId, UserId};

/// Prefixes whose streams only the server itself writes; access rules never match them.
pub const RESERVED_PREFIXES: [&str; 4] = ["generations", "conversations", "documents", "users"];

const PATH_BYTES_MAX: usize = 512;
const SEGMENTS_MAX: usize = 32;

/// A stream's path, e.g. `generations/0193…`: percent-decoded once, no empty, `.` or `..`
/// segment, no control character, at most 512 bytes and 32 segments.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct StreamPath(std::sync::Arc<str>);

/// The text is not a stream path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamPathError {
    /// No text at all.
    #[error("the stream path is empty")]
    Empty,
    /// More than 512 bytes or 32 segments.
    #[error("the stream path is longer than {PATH_BYTES_MAX} bytes or {SEGMENTS_MAX} segments")]
    TooLong,
    /// An empty segment, `.` or `..`.
    #[error("the stream path has an empty, `.` or `..` segment")]
    Segment,
    /// A control character, a backslash, or an invisible separator.
    #[error("the stream path has a character that may not stand there")]
    Character,
}

impl StreamPath {
    /// The path as text, without a leading slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether only the server itself may write here.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.first_segment().is_some_and(|first| RESERVED_PREFIXES.contains(&first))
    }

    /// The stream of a generation: `generations/{id}`.
    #[must_use]
    pub fn of_generation(id: &GenerationId) -> Self {
        Self(format!("generations/{id}").into())
    }

    /// The stream of a document's processing: `documents/{id}`.
    #[must_use]
    pub fn of_document(id: DocumentId) -> Self {
        Self(format!("documents/{id}").into())
    }

    /// The stream of an answer: `conversations/{id}/turns/{number}`.
    #[must_use]
    pub fn of_turn(conversation: ConversationId, number: u32) -> Self {
        Self(format!("conversations/{conversation}/turns/{number}").into())
    }

    /// The feed of a user: `users/{id}/events`.
    #[must_use]
    pub fn of_feed(user: UserId) -> Self {
        Self(format!("users/{user}/events").into())
    }

    fn first_segment(&self) -> Option<&str> {
        let end = self.0.bytes().position(|byte| byte == b'/').unwrap_or(self.0.len());
        self.0.get(..end)
    }
}

/// Whether it is a path of plain characters: most are, and are looked at once.
fn is_plain(text: &str) -> bool {
    let (mut segments, mut begun) = (1_usize, 0_usize);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'/' if at == begun => return false,
            b'/' => (segments, begun) = (segments + 1, at + 1),
            // `.` and `..` begin with one.
            b'.' if at == begun => return false,
            b'\\' => return false,
            b' '..=b'~' => {}
            _ => return false,
        }
    }
    begun < text.len() && text.len() <= PATH_BYTES_MAX && segments <= SEGMENTS_MAX
}

impl FromStr for StreamPath {
    type Err = StreamPathError;

    fn from_str(text: &str) -> Result<Self, StreamPathError> {
        if !is_plain(text) {
            check(text)?;
        }
        Ok(Self(text.into()))
    }
}

fn check(text: &str) -> Result<(), StreamPathError> {
    if text.is_empty() {
        return Err(StreamPathError::Empty);
    }
    if text.len() > PATH_BYTES_MAX || text.split('/').count() > SEGMENTS_MAX {
        return Err(StreamPathError::TooLong);
    }
    if text.split('/').any(|s| matches!(s, "" | "." | "..")) {
        return Err(StreamPathError::Segment);
    }
    let unsafe_char = |c: char| c.is_control() || c == '\\' || matches!(c, '\u{2028}' | '\u{2029}');
    if text.contains(unsafe_char) { Err(StreamPathError::Character) } else { Ok(()) }
}

impl<'de> Deserialize<'de> for StreamPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for StreamPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamPath({})", self.0)
    }
}

/// A set of paths: `*` stands for one segment or a part of one, a last `**` for any number of segments.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct StreamPattern(Box<str>);

impl StreamPattern {
    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the path belongs to the set.
    #[must_use]
    pub fn matches(&self, path: &StreamPath) -> bool {
        let mut wanted = self.0.split('/');
        let mut given = path.as_str().split('/');
        loop {
            match (wanted.next(), given.next()) {
                // A last `**` takes the rest, be it nothing.
                (Some("**"), _) => return true,
                (Some(want), Some(have)) if segment_matches(want.as_bytes(), have.as_bytes()) => {}
                (None, None) => return true,
                _ => return false,
            }
        }
    }
}

impl StreamPattern {
    /// Whether every path of the other set is in this one. May say no where it is hard to tell, never a wrong yes.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let mut mine = self.0.split('/');
        let mut theirs = other.0.split('/');
        loop {
            match (mine.next(), theirs.next()) {
                (Some("**"), _) => return true,
                (_, Some("**")) => return false,
                // A star of theirs is matched by a star of mine only, which then takes whatever it stands for.
                (Some(my), Some(their)) if segment_matches(my.as_bytes(), their.as_bytes()) => {}
                (None, None) => return true,
                _ => return false,
            }
        }
    }

    /// Whether a path may belong to both sets. May say yes where it is hard to tell, never a wrong no.
    #[must_use]
    pub fn may_overlap(&self, other: &Self) -> bool {
        let mut mine = self.0.split('/');
        let mut theirs = other.0.split('/');
        loop {
            match (mine.next(), theirs.next()) {
                (Some("**"), _) | (_, Some("**")) | (None, None) => return true,
                (Some(my), Some(their)) if segments_may_meet(my, their) => {}
                _ => return false,
            }
        }
    }

    /// The text that every path of the set begins with.
    #[must_use]
    pub fn literal_prefix(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }

    /// The first segment, as it is written.
    #[must_use]
    pub fn first_segment(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }
}

fn segments_may_meet(a: &str, b: &str) -> bool {
    match (a.contains('*'), b.contains('*')) {
        (true, true) => true,
        (true, false) => segment_matches(a.as_bytes(), b.as_bytes()),
        (false, true) => segment_matches(b.as_bytes(), a.as_bytes()),
        (false, false) => a == b,
    }
}

/// Glob match of one segment in linear time: on a mismatch, go back to the last star.
fn segment_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if text.get(t) == Some(byte) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    t = from + 1;
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|b| *b == b'*'))
}

impl FromStr for StreamPattern {
    type Err = StreamPathError;

    fn from_str(text: &str) -> Result<Self, StreamPathError> {
        // The same rules as for paths; `**` only as the last segment keeps matching linear.
        let path: StreamPath = text.parse()?;
        let segments = path.as_str().split('/').count();
        let early = path.as_str().split('/').take(segments - 1).any(|s| s.contains("**"));
        let last = path.as_str().rsplit('/').next().unwrap_or_default();
        if early || (last.contains("**") && last != "**") {
            return Err(StreamPathError::Segment);
        }
        Ok(Self(path.as_str().into()))
    }
}

impl<'de> Deserialize<'de> for StreamPattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", StreamPathError::Empty)]
    #[case("a//b", StreamPathError::Segment)]
    #[case("/a", StreamPathError::Segment)]
    #[case("a/../b", StreamPathError::Segment)]
    #[case("a\nb", StreamPathError::Character)]
    #[case("a\\b", StreamPathError::Character)]
    fn bad_paths_are_refused(#[case] text: &str, #[case] error: StreamPathError) {
        assert_eq!(text.parse::<StreamPath>(), Err(error));
    }

    #[test]
    fn what_is_plain_is_a_path_and_most_paths_are_plain() {
        assert!(is_plain("bench/a-1/b_2.c ~%*") && !is_plain(".a") && !is_plain("a/") && !is_plain("é"));
        assert!(!is_plain(&"a/".repeat(40)) && !is_plain(&"a".repeat(513)));
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_plain_that_is_no_path(text in "[a./\\ \x00-\x7f\u{2028}é]{0,70}", count in 1..40_usize) {
            for text in [text.as_str(), &text.repeat(count), &format!("{text}/").repeat(count)] {
                proptest::prop_assert!(!is_plain(text) || check(text).is_ok());
            }
        }
    }

    #[rstest]
    #[case("public/**", "public/a/b", true)]
    #[case("public/**", "public", true)]
    #[case("public/**", "publicity/a", false)]
    #[case("a/*/c", "a/b/c", true)]
    #[case("a/*/c", "a/b/b/c", false)]
    #[case("logs-*-eu", "logs-2026-eu", true)]
    #[case("logs-*-eu", "logs-2026-us", false)]
    #[case("**", "x/y", true)]
    #[case("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    fn patterns_match_as_written(#[case] pattern: &str, #[case] path: &str, #[case] expected: bool) {
        let pattern: StreamPattern = pattern.parse().unwrap();
        assert_eq!(pattern.matches(&path.parse().unwrap()), expected);
    }

    #[rstest]
    #[case("a/**", "a/*/c", true, true)]
    #[case("a/**", "a", true, true)]
    #[case("a/**", "**", false, true)]
    #[case("a/*", "a/**", false, true)]
    #[case("a/*", "a/b*", true, true)]
    #[case("a/b*", "a/*", false, true)]
    #[case("a/b*", "a/c*", false, true)] // stars on both sides are hard to tell
    #[case("a/b", "a/c*", false, false)]
    #[case("a/*/c", "a/b/d", false, false)]
    #[case("a/*", "a/b/c", false, false)]
    #[case("**", "**", true, true)]
    #[case("a", "a", true, true)]
    fn patterns_are_compared_on_the_safe_side(
        #[case] mine: &str,
        #[case] theirs: &str,
        #[case] covers: bool,
        #[case] overlap: bool,
    ) {
        let (mine, theirs): (StreamPattern, StreamPattern) = (mine.parse().unwrap(), theirs.parse().unwrap());
        assert_eq!((mine.covers(&theirs), mine.may_overlap(&theirs)), (covers, overlap));
        assert_eq!(theirs.may_overlap(&mine), overlap);
    }

    #[test]
    fn two_stars_stand_only_at_the_end() {
        assert!("a/**/b".parse::<StreamPattern>().is_err());
        assert!("a/x**".parse::<StreamPattern>().is_err());
    }

    #[test]
    fn the_servers_own_prefixes_are_reserved() {
        assert!("users/1/events".parse::<StreamPath>().unwrap().is_reserved());
        assert!(!"usersx/1".parse::<StreamPath>().unwrap().is_reserved());
    }
}
