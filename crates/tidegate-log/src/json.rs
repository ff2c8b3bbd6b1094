//! JSON mode: where one record ends and the next begins.
//!
//! A body is one JSON value; an array is flattened by one level, so that a batch is an array of
//! records (Durable Streams, "JSON mode"). Records are slices of the body, kept byte for byte.

use bytes::Bytes;
use serde_json::value::RawValue;
use tidegate_types::ErrorCode;

/// Why a body is no JSON append.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// No byte at all.
    #[error("the body is empty")]
    Empty,
    /// Not one JSON value in UTF-8.
    #[error("the body is not valid JSON (line {line}, column {column})")]
    Invalid {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Deeper than the bound.
    #[error("the JSON is nested deeper than {bound}")]
    TooDeep {
        /// The bound.
        bound: usize,
    },
    /// An array without a value holds no record.
    #[error("an empty array holds no record")]
    EmptyArray,
}

impl JsonError {
    /// The failure as clients see it.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Empty | Self::EmptyArray => ErrorCode::EmptyBody,
            Self::Invalid { .. } => ErrorCode::InvalidJson,
            Self::TooDeep { .. } => ErrorCode::JsonTooDeep,
        }
    }
}

/// Splits a body into records: the values of a top-level array, else the one value.
///
/// # Errors
/// The body is no single JSON value, nests deeper than `depth`, or is an empty array.
pub fn split(body: &Bytes, depth: usize) -> Result<Vec<Bytes>, JsonError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(JsonError::Empty);
    }
    if nests_deeper(body, depth) {
        return Err(JsonError::TooDeep { bound: depth });
    }
    let invalid = |e: serde_json::Error| JsonError::Invalid { line: e.line(), column: e.column() };
    if body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[') {
        let values: Vec<&RawValue> = serde_json::from_slice(body).map_err(invalid)?;
        if values.is_empty() {
            return Err(JsonError::EmptyArray);
        }
        return Ok(values.into_iter().map(|value| body.slice_ref(value.get().as_bytes())).collect());
    }
    let value: &RawValue = serde_json::from_slice(body).map_err(invalid)?;
    Ok(vec![body.slice_ref(value.get().as_bytes())])
}

/// How many brackets open. A byte holds the count of a piece, so that many are looked at in one step.
fn count_open(body: &[u8]) -> usize {
    const PIECE: usize = 128;
    // The two differ in this bit alone, and no other byte is like one of them without it.
    let opens = |byte: &u8| u8::from((byte | 0x20) == b'{');
    body.chunks(PIECE).map(|piece| usize::from(piece.iter().map(opens).sum::<u8>())).sum()
}

/// Whether brackets nest deeper than the bound, without regard to whether they match: an upper
/// bound of what a parser would meet, found without recursion before any parser runs.
fn nests_deeper(body: &[u8], depth: usize) -> bool {
    // Bodies with few brackets can't nest deeply: counting them is far quicker than following them.
    if count_open(body) <= depth {
        return false;
    }
    let (mut open, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for &byte in body {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest > depth
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(body: &str) -> Result<Vec<String>, JsonError> {
        let records = split(&Bytes::copy_from_slice(body.as_bytes()), 8)?;
        Ok(records.iter().map(|r| String::from_utf8(r.to_vec()).unwrap()).collect())
    }

    #[test]
    fn one_level_of_an_array_is_flattened_and_bytes_are_kept() {
        assert_eq!(texts(r#" {"a": 1.50} "#).unwrap(), [r#"{"a": 1.50}"#]);
        assert_eq!(texts(r#"[ {"a":1} , [2,3], "x"]"#).unwrap(), [r#"{"a":1}"#, "[2,3]", r#""x""#]);
        assert_eq!(texts("[[1,2]]").unwrap(), ["[1,2]"]);
        assert_eq!(texts("null").unwrap(), ["null"]);
    }

    #[test]
    fn what_is_not_one_value_is_refused() {
        for bad in ["{", "1 2", "{\"a\":}", "[1,]", "\u{feff}1", "'a'", "NaN", "\"\u{1}\""] {
            assert!(matches!(texts(bad), Err(JsonError::Invalid { .. })), "{bad:?}");
        }
        assert_eq!(texts(" \n"), Err(JsonError::Empty));
        assert_eq!(texts("[]"), Err(JsonError::EmptyArray));
    }

    #[test]
    fn depth_is_bounded_before_any_parser_runs() {
        assert!(texts(&format!("{}1{}", "[".repeat(8), "]".repeat(8))).is_ok());
        assert_eq!(texts(&"[".repeat(1_000_000)), Err(JsonError::TooDeep { bound: 8 }));
        assert!(texts(r#""[[[[[[[[[[[[[[\"[[""#).is_ok());
    }

    #[test]
    fn brackets_are_counted_and_nothing_else() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(count_open(&all), 2);
        assert_eq!(count_open(&[b'['; 1_000]), 1_000);
    }

    proptest! {
        #[test]
        fn no_body_panics_and_records_are_values(body in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(records) = split(&Bytes::from(body), 8) {
                for record in records {
                    prop_assert!(serde_json::from_slice::<serde_json::Value>(&record).is_ok());
                }
            }
        }
    }
}
