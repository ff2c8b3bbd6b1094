//! What a file is, by its first bytes. Its name and the client's word only choose among kinds of
//! text, and must not contradict the bytes.

use crate::{MediaType, UploadError};

/// The kind of a file.
///
/// # Errors
/// The file is empty, of no kind that is taken, or not what its name says.
pub(super) fn kind(head: &[u8], filename: &str, declared: Option<&str>) -> Result<MediaType, UploadError> {
    if head.is_empty() {
        return Err(UploadError::Unprocessable("the file is empty".to_owned()));
    }
    let claimed = claimed(filename, declared);
    let found = found(head, claimed)?;
    match claimed {
        Some(claimed) if !agrees(claimed, found) => Err(UploadError::NotAccepted(format!(
            "the file is {} by its content, not {} as its name or type says",
            name(found),
            name(claimed)
        ))),
        _ => Ok(found),
    }
}

fn found(head: &[u8], claimed: Option<MediaType>) -> Result<MediaType, UploadError> {
    if is_pdf(head) {
        return Ok(MediaType::Pdf);
    }
    if let Some(known) = infer::get(head) {
        return match known.mime_type() {
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => Ok(MediaType::Docx),
            // The list of members says whether it is a text document.
            "application/zip" if claimed == Some(MediaType::Docx) => Ok(MediaType::Docx),
            "text/html" => Ok(match text_kind(head, claimed) {
                MediaType::Text if claimed.is_none() => MediaType::Html,
                kind => kind,
            }),
            // Shell scripts, XML and the like are text all the same.
            other if other.starts_with("text/") && looks_like_text(head) => Ok(text_kind(head, claimed)),
            other => Err(UploadError::NotAccepted(format!("{other} is not among the kinds that are taken"))),
        };
    }
    if looks_like_text(head) {
        return Ok(text_kind(head, claimed));
    }
    Err(UploadError::NotAccepted("the file is neither a document of a known kind nor text".to_owned()))
}

/// Readers look for the mark within the first KiB (ISO 32000-1, annex H.3).
fn is_pdf(head: &[u8]) -> bool {
    let start = head.get(..head.len().min(1_024)).unwrap_or(head);
    let at = start.windows(5).position(|bytes| bytes == b"%PDF-");
    at.is_some_and(|at| at == 0 || !starts_like_html(head))
}

fn starts_like_html(head: &[u8]) -> bool {
    let text =
        String::from_utf8_lossy(head.get(..head.len().min(1_024)).unwrap_or(head)).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    let text = if text.starts_with("<?xml") {
        text.split_once("?>").map_or(text, |(_, rest)| rest.trim_start())
    } else {
        text
    };
    ["<!doctype html", "<html", "<head", "<body", "<script", "<iframe", "<svg", "<!--"]
        .iter()
        .any(|mark| text.starts_with(mark))
}

fn text_kind(head: &[u8], claimed: Option<MediaType>) -> MediaType {
    match claimed {
        Some(kind @ (MediaType::Html | MediaType::Markdown | MediaType::Text)) => kind,
        _ if starts_like_html(head) => MediaType::Html,
        _ => MediaType::Text,
    }
}

/// UTF-8, or UTF-16 with its mark, without bytes that no text has.
fn looks_like_text(head: &[u8]) -> bool {
    if head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]) {
        return true;
    }
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The head may end within a character.
        Err(error) if error.error_len().is_none() => {
            let whole = head.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(whole).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}' | '\u{8}');
    !valid.is_empty() && !valid.contains(odd)
}

/// What the name's ending, else the client's media type, says.
fn claimed(filename: &str, declared: Option<&str>) -> Option<MediaType> {
    let ending = filename.rsplit_once('.').map(|(_, ending)| ending.trim().to_ascii_lowercase());
    let by_name = match ending.as_deref() {
        Some("pdf") => Some(MediaType::Pdf),
        Some("docx") => Some(MediaType::Docx),
        Some("html" | "htm" | "xhtml") => Some(MediaType::Html),
        Some("md" | "markdown") => Some(MediaType::Markdown),
        Some("txt" | "text") => Some(MediaType::Text),
        _ => None,
    };
    by_name.or_else(|| {
        let essence = declared?.split(';').next()?.trim().to_ascii_lowercase();
        // `text/plain` is what many clients say of anything they don't know.
        essence.parse().ok().filter(|kind| *kind != MediaType::Text)
    })
}

/// Kinds of text can't be told apart by their bytes; the others can.
fn agrees(claimed: MediaType, found: MediaType) -> bool {
    let is_text = |kind| matches!(kind, MediaType::Text | MediaType::Markdown | MediaType::Html);
    claimed == found || (is_text(claimed) && is_text(found))
}

fn name(kind: MediaType) -> &'static str {
    match kind {
        MediaType::Text => "plain text",
        MediaType::Markdown => "Markdown",
        MediaType::Html => "HTML",
        MediaType::Pdf => "a PDF",
        MediaType::Docx => "a docx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use tidegate_types::ErrorCode;

    #[rstest]
    #[case(b"hello", "a.txt", MediaType::Text)]
    #[case(b"hello", "a", MediaType::Text)]
    #[case(b"# hello", "a.md", MediaType::Markdown)]
    #[case(b"<!DOCTYPE html><p>x", "a", MediaType::Html)]
    #[case(b"<p>x</p>", "a.html", MediaType::Html)]
    #[case(b"<!DOCTYPE html><p>x", "source.txt", MediaType::Text)]
    #[case(b"%PDF-1.7\n", "a.pdf", MediaType::Pdf)]
    #[case(b"\xEF\xBB\xBFhello", "a.txt", MediaType::Text)]
    #[case(b"\xFF\xFEh\0i\0", "a.txt", MediaType::Text)]
    #[case("größe".as_bytes(), "a.txt", MediaType::Text)]
    fn kinds_are_found_by_content(#[case] head: &[u8], #[case] filename: &str, #[case] wanted: MediaType) {
        assert_eq!(kind(head, filename, None).unwrap(), wanted);
    }

    #[rstest]
    #[case(b"<html><script>x</script>", "invoice.pdf")]
    #[case(b"hello", "a.pdf")]
    #[case(b"%PDF-1.7\n", "a.txt")]
    #[case(b"%PDF-1.7\n", "a.docx")]
    #[case(b"MZ\x90\0\x03\0\0\0", "a.txt")]
    #[case(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.png")]
    #[case(b"\x7fELF\x02\x01\x01\0", "a")]
    #[case(b"abc\0def", "a.txt")]
    #[case(b"\xff\xfa\xfb\x00", "a.txt")]
    fn other_kinds_and_disguises_are_refused(#[case] head: &[u8], #[case] filename: &str) {
        let error = kind(head, filename, None).unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnsupportedMediaType, "{error}");
    }

    #[test]
    fn an_empty_file_cannot_be_processed() {
        assert_eq!(kind(b"", "a.txt", None).unwrap_err().code(), ErrorCode::DocumentUnprocessable);
    }

    #[test]
    fn a_declared_type_must_not_contradict_the_bytes() {
        assert!(kind(b"<html>", "upload", Some("application/pdf")).is_err());
        assert_eq!(kind(b"# x", "upload", Some("text/markdown")).unwrap(), MediaType::Markdown);
        assert_eq!(kind(b"x", "upload", Some("text/plain; charset=utf-8")).unwrap(), MediaType::Text);
    }
}
