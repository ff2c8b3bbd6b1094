//! JSON text into typed values, with pointers to what is wrong.
//!
//! Owns: the nesting bound and the wording of field errors.
//! Must not: pass serde's own message on; it quotes the value.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use tidegate_types::ErrorCode;

use crate::problem::{FieldError, Problem};

/// Parses one JSON value of a known shape.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8], depth_max: u64) -> Result<T, Problem> {
    check_depth(bytes, depth_max)?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = pointer(error.path());
        refuse(path, error.inner())
    })?;
    reader
        .end()
        .map_err(|_| Problem::new(ErrorCode::InvalidJson).detail("there is more than one JSON value"))?;
    Ok(value)
}

/// Refuses nesting that would cost more than it can mean. Looks at brackets only, outside of strings.
fn check_depth(bytes: &[u8], depth_max: u64) -> Result<(), Problem> {
    let (mut depth, mut in_string, mut escaped) = (0_u64, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > depth_max {
                    return Err(ErrorCode::JsonTooDeep.into());
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

fn refuse(pointer: String, error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        return Problem::new(ErrorCode::InvalidJson).detail(format!(
            "not valid JSON at line {}, column {}",
            error.line(),
            error.column()
        ));
    }
    Problem::new(ErrorCode::ValidationFailed).errors(vec![field_error(pointer, &error.to_string())])
}

/// Serde's message without the value: what it expected is ours, what it got is the client's.
pub(super) fn field_error(pointer: String, message: &str) -> FieldError {
    if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return FieldError::new(
            format!("{}/{name}", pointer.trim_end_matches('/')),
            "required",
            "is required",
        );
    }
    if message.starts_with("unknown field") {
        return FieldError::new(pointer, "unknown", "is not a known field");
    }
    if message.starts_with("duplicate field") {
        return FieldError::new(pointer, "duplicate", "stands twice");
    }
    let expected =
        message.rsplit_once(", expected ").map(|(_, rest)| rest.split(" at line ").next().unwrap_or(rest));
    match expected {
        Some(expected) => FieldError::new(pointer, "invalid", format!("expected {expected}")),
        None => FieldError::new(pointer, "invalid", "is not valid"),
    }
}

/// A JSON pointer (RFC 6901).
pub(super) fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let text = match segment {
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Seq { index } => index.to_string(),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&text);
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only parsing matters")]
        name: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only parsing matters")]
        counts: Vec<u32>,
    }

    #[rstest]
    #[case(r#"{"counts":[]}"#, ErrorCode::ValidationFailed, "/name", "required")]
    #[case(r#"{"name":1}"#, ErrorCode::ValidationFailed, "/name", "invalid")]
    #[case(r#"{"name":"a","counts":[1,"s3cret"]}"#, ErrorCode::ValidationFailed, "/counts/1", "invalid")]
    #[case(r#"{"name":"a","more":1}"#, ErrorCode::ValidationFailed, "/more", "unknown")]
    fn the_place_is_named_and_the_value_is_not(
        #[case] body: &str,
        #[case] code: ErrorCode,
        #[case] pointer: &str,
        #[case] reason: &str,
    ) {
        let problem = parse_json::<Sample>(body.as_bytes(), 8).unwrap_err();
        assert_eq!(problem.code(), code);
        let shown = serde_json::to_value(problem.body()).unwrap();
        assert_eq!(shown["errors"][0]["pointer"], pointer);
        assert_eq!(shown["errors"][0]["code"], reason);
        assert!(!shown.to_string().contains("s3cret"));
    }

    #[rstest]
    #[case("")]
    #[case("{")]
    #[case("{} {}")]
    #[case("{\"name\":\"a\"}x")]
    #[case("nope")]
    fn what_is_no_json_is_malformed(#[case] body: &str) {
        assert_eq!(
            parse_json::<serde_json::Value>(body.as_bytes(), 8).unwrap_err().code(),
            ErrorCode::InvalidJson
        );
    }

    #[test]
    fn depth_counts_brackets_outside_of_strings_only() {
        assert!(check_depth(br#"["[[[[\"[["]"#, 1).is_ok());
        assert!(check_depth("[".repeat(9).as_bytes(), 8).is_err());
        assert!(check_depth("[]".repeat(100).as_bytes(), 8).is_ok());
    }
}
