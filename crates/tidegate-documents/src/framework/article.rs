//! What frameworks over documents have in common on the way out: the shelf as JSON, Markdown, options.

use serde_json::{Value, json};
use tidegate_generations::{Invalid, Job, Origin};

use super::cite::Citation;
use super::read::Reading;
use crate::Document;

const TITLE_CHARS: usize = 120;

/// A whole number among the options, within its bounds.
///
/// # Errors
/// It is something else.
pub(super) fn count_of(
    options: &serde_json::Map<String, Value>,
    name: &str,
    usual: usize,
    bounds: std::ops::RangeInclusive<usize>,
) -> Result<usize, Invalid> {
    let given = match options.get(name) {
        None | Some(Value::Null) => return Ok(usual),
        // Forms have no numbers.
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(value) => value.as_u64().and_then(|number| usize::try_from(number).ok()),
    };
    given.filter(|number| bounds.contains(number)).ok_or_else(|| {
        Invalid::new(format!("/options/{name}"), format!("is {} to {}", bounds.start(), bounds.end()))
    })
}

/// The same for a wish that is not a job yet.
pub(super) fn check_count(
    wish: &Origin,
    name: &str,
    bounds: std::ops::RangeInclusive<usize>,
) -> Result<(), Invalid> {
    count_of(&wish.options, name, *bounds.start(), bounds).map(drop)
}

/// What the text is called: its own title, else what was asked for.
pub(super) fn title(job: &Job) -> String {
    let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let title = job.title().map(line).filter(|title| !title.is_empty()).unwrap_or_else(|| line(job.prompt()));
    if title.chars().count() <= TITLE_CHARS {
        return title;
    }
    title.chars().take(TITLE_CHARS).chain(['…']).collect()
}

/// The documents as the result names them.
pub(super) fn shelf(documents: &[Document]) -> Value {
    let all = documents.iter().map(|document| {
        json!({
            "id": document.id, "filename": document.filename, "pages": document.pages,
            "passages": document.passages,
        })
    });
    Value::Array(all.collect())
}

/// What was read, in numbers.
pub(super) fn read(reading: &Reading) -> Value {
    json!({
        "passages": reading.passages, "sentences": reading.read, "considered": reading.sentences.len(),
    })
}

/// The list of sources at the end of a Markdown text.
pub(super) fn sources(citations: &[Citation]) -> String {
    let lines =
        citations.iter().map(|citation| format!("{}. {}\n", citation.number, escape(&citation.place())));
    format!("## Sources\n\n{}", lines.collect::<String>())
}

/// A text that says the same in Markdown: nothing in a document becomes a link, an image or HTML.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '~' | '&') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_can_not_become_markup() {
        assert_eq!(escape("<img src=x> [a](b) **c**"), "\\<img src=x\\> \\[a\\](b) \\*\\*c\\*\\*");
    }
}
