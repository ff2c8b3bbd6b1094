//! From an allowed command and a generation's options to the arguments of a process.
//!
//! Rule: a value fills a part of one argument. It makes no argument of its own, and where it is the
//! whole argument it can't look like an option.

use serde_json::{Map, Value};
use tidegate_generations::Invalid;

const VALUE_BYTES_MAX: usize = 4_096;

/// The program and its arguments with every `{word}` filled.
///
/// # Errors
/// A word has no value, a value has no word, or a value can't be an argument.
pub(super) fn fill(run: &[String], values: &Map<String, Value>) -> Result<Vec<String>, Invalid> {
    if let Some(name) = values.keys().find(|name| !run.iter().any(|part| words(part).any(|w| w == *name))) {
        return Err(invalid(name, "is no word of this command"));
    }
    run.iter().map(|part| fill_one(part, values)).collect()
}

fn fill_one(part: &str, values: &Map<String, Value>) -> Result<String, Invalid> {
    let mut filled = String::with_capacity(part.len());
    let mut rest = part;
    while let Some((before, word, after)) = next_word(rest) {
        let value = text_of(word, values)?;
        if before.is_empty() && filled.is_empty() && value.starts_with('-') {
            return Err(invalid(word, "begins with `-`, as an option would"));
        }
        filled.push_str(before);
        filled.push_str(&value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn text_of(word: &str, values: &Map<String, Value>) -> Result<String, Invalid> {
    let text = match values.get(word) {
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        Some(Value::Null) | None => return Err(invalid(word, "is missing")),
        Some(Value::Array(_) | Value::Object(_)) => {
            return Err(invalid(word, "is not a text, a number or a truth value"));
        }
    };
    if text.is_empty() || text.len() > VALUE_BYTES_MAX {
        return Err(invalid(word, &format!("has not 1 to {VALUE_BYTES_MAX} bytes")));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(word, "holds a control character"));
    }
    Ok(text)
}

fn invalid(word: &str, detail: &str) -> Invalid {
    let word = word.replace('~', "~0").replace('/', "~1");
    Invalid::new(format!("/options/arguments/{word}"), detail)
}

/// The words of an argument.
fn words(part: &str) -> impl Iterator<Item = &str> {
    let mut rest = part;
    std::iter::from_fn(move || {
        let (_, word, after) = next_word(rest)?;
        rest = after;
        Some(word)
    })
}

/// What stands before the next `{word}`, the word, and what stands after it. Other braces are text.
fn next_word(text: &str) -> Option<(&str, &str, &str)> {
    for (open, _) in text.match_indices('{') {
        let (before, inside) = (text.get(..open)?, text.get(open + 1..)?);
        let (word, after) = inside.split_once('}')?;
        let named = !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if named {
            return Some((before, word, after));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(run: &[&str], values: Value) -> Result<Vec<String>, String> {
        let run: Vec<String> = run.iter().map(|part| (*part).to_owned()).collect();
        let values = values.as_object().cloned().unwrap();
        fill(&run, &values).map_err(|invalid| invalid.to_string())
    }

    #[test]
    fn a_value_stays_within_its_argument() {
        let run = ["/bin/echo", "--year={year}", "{name}", "{}", "a{ b}"];
        let values = json!({"year": 2026, "name": "x; rm -rf / $(id) `id` 'a\" {year}"});
        let wanted = ["/bin/echo", "--year=2026", "x; rm -rf / $(id) `id` 'a\" {year}", "{}", "a{ b}"];
        assert_eq!(filled(&run, values).unwrap(), wanted);
    }

    #[test]
    fn what_could_be_an_option_or_is_missing_or_strange_is_refused_by_name() {
        for (values, words) in [
            (json!({}), "is missing"),
            (json!({"name": null}), "is missing"),
            (json!({"name": "-rf"}), "as an option would"),
            (json!({"name": ""}), "bytes"),
            (json!({"name": "x".repeat(5_000)}), "bytes"),
            (json!({"name": "a\nb"}), "control"),
            (json!({"name": ["a"]}), "is not a text"),
        ] {
            let refused = filled(&["/bin/ls", "{name}"], values.clone()).unwrap_err();
            assert!(refused.contains("/options/arguments/name") && refused.contains(words), "{refused}");
        }
        assert!(filled(&["/bin/ls"], json!({"other": 1})).unwrap_err().contains("is no word"));
        assert!(filled(&["/bin/ls", "-{flag}"], json!({"flag": "-x"})).is_ok());
    }
}
