//! Positions in a stream.
//!
//! Inside, an offset counts records; on the wire it is an opaque, sortable token of sixteen
//! decimal digits (`0-rulings.md` 1 of the contract: an SSE id is `offset` or `offset.tag`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ResumeTag;

const DIGITS: usize = 16;
const ZERO_PAIR: &str = "0000000000000000_0000000000000000";

/// The position after a record: the number of records before it. Gap-free, at most 10^16 − 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(u64);

/// The text is not a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OffsetError {
    /// Not sixteen digits, `-1` or `now`.
    #[error("not an offset: it is `-1`, `now` or sixteen digits")]
    Malformed,
    /// A resume tag where only a bare offset may stand (it must never enter a URL).
    #[error("a resume tag may only come back in the Last-Event-ID header")]
    Tagged,
}

impl Offset {
    /// The start of every stream.
    pub const START: Self = Self(0);
    /// The largest position that sixteen digits can say.
    pub const MAX: Self = Self(9_999_999_999_999_999);

    /// From a count of records; `None` past [`Offset::MAX`].
    #[must_use]
    pub const fn new(records: u64) -> Option<Self> {
        if records <= Self::MAX.0 { Some(Self(records)) } else { None }
    }

    /// The count of records before this position.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sixteen digits as bytes, for those who write many of them.
    #[must_use]
    pub fn digits(self) -> [u8; DIGITS] {
        let (mut text, mut rest) = ([b'0'; DIGITS], self.0);
        for place in text.iter_mut().rev() {
            if rest == 0 {
                break;
            }
            *place += u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        text
    }

    /// This position `records` further on, stopping at [`Offset::MAX`].
    #[must_use]
    pub const fn plus(self, records: u64) -> Self {
        let sum = self.0.saturating_add(records);
        if sum <= Self::MAX.0 { Self(sum) } else { Self::MAX }
    }

    /// How many records lie between `earlier` and this; zero when it is not later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Always digits; no formatter's work, since one stands in every event and every answer.
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl FromStr for Offset {
    type Err = OffsetError;

    fn from_str(text: &str) -> Result<Self, OffsetError> {
        if text == ZERO_PAIR {
            return Ok(Self::START);
        }
        if text.len() != DIGITS || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(OffsetError::Malformed);
        }
        text.parse().map(Self).map_err(|_| OffsetError::Malformed)
    }
}

impl Serialize for Offset {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where a read begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFrom {
    /// `-1`: the first record that is still there.
    Start,
    /// `now`: whatever is appended after this moment.
    Tail,
    /// After the record that this offset names.
    At(Offset),
}

impl FromStr for ReadFrom {
    type Err = OffsetError;

    fn from_str(text: &str) -> Result<Self, OffsetError> {
        match text {
            "-1" => Ok(Self::Start),
            "now" => Ok(Self::Tail),
            other => other.parse().map(Self::At),
        }
    }
}

/// What a browser sends back in `Last-Event-ID`: `offset` or `offset.tag`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCursor {
    /// The position after the last event that was seen.
    pub offset: Offset,
    /// The lease's tag, on ticket connections.
    pub tag: Option<ResumeTag>,
}

impl EventCursor {
    /// Reads a cursor that came in a URL, where a tag must never stand.
    ///
    /// # Errors
    /// [`OffsetError::Tagged`] for a tag in any shape, else [`OffsetError::Malformed`].
    pub fn parse_untagged(text: &str) -> Result<Offset, OffsetError> {
        if text.contains('.') { Err(OffsetError::Tagged) } else { text.parse() }
    }
}

impl FromStr for EventCursor {
    type Err = OffsetError;

    fn from_str(text: &str) -> Result<Self, OffsetError> {
        match text.split_once('.') {
            None => Ok(Self { offset: text.parse()?, tag: None }),
            Some((offset, tag)) => Ok(Self {
                offset: offset.parse()?,
                tag: Some(ResumeTag::parse(tag).map_err(|_| OffsetError::Malformed)?),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_digits_are_what_is_shown() {
        for offset in [Offset::START, Offset(7), Offset(1_234_567_890), Offset::MAX] {
            assert_eq!(offset.digits(), offset.to_string().as_bytes());
        }
    }

    proptest! {
        #[test]
        fn every_offset_survives_its_text_and_texts_sort_like_offsets(a in 0..=Offset::MAX.get(), b in 0..=Offset::MAX.get()) {
            let (a, b) = (Offset::new(a).unwrap(), Offset::new(b).unwrap());
            prop_assert_eq!(a.to_string().parse::<Offset>(), Ok(a));
            prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b));
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in ".{0,120}") {
            let _ = text.parse::<ReadFrom>();
            let _ = text.parse::<EventCursor>();
            let _ = EventCursor::parse_untagged(&text);
        }
    }

    #[test]
    fn the_zero_pair_of_the_public_suite_is_the_start() {
        assert_eq!(ZERO_PAIR.parse::<Offset>(), Ok(Offset::START));
    }

    #[test]
    fn overlong_and_signed_numbers_are_refused() {
        for bad in ["", "5", "+000000000000005", "99999999999999999999", "000000000000000x", "-2"] {
            assert_eq!(bad.parse::<ReadFrom>(), Err(OffsetError::Malformed), "{bad:?}");
        }
    }

    #[test]
    fn a_tag_in_a_url_is_told_apart_from_a_bad_offset() {
        assert_eq!(EventCursor::parse_untagged("5.AAAAAAAAAAAAAAAAAAAAAA"), Err(OffsetError::Tagged));
        assert_eq!(EventCursor::parse_untagged("x"), Err(OffsetError::Malformed));
    }
}
