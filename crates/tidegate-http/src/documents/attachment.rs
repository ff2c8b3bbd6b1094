//! `Content-Disposition` for a name that a stranger chose (RFC 6266, RFC 8187).

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// RFC 8187 `attr-char` stands as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// To be saved under this name, never shown in the page.
pub(super) fn attachment(filename: &str) -> HeaderValue {
    let plain: String = filename
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ' { c } else { '_' })
        .collect();
    let exact = utf8_percent_encode(filename, ENCODED);
    let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}");
    HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_given_twice_for_old_and_new_readers() {
        let value = attachment("Übersicht \"1\".pdf");
        assert_eq!(
            value,
            "attachment; filename=\"_bersicht _1_.pdf\"; filename*=UTF-8''%C3%9Cbersicht%20%221%22.pdf"
        );
    }

    proptest! {
        #[test]
        fn no_name_breaks_the_header(name in any::<String>()) {
            let value = attachment(&name);
            let text = value.to_str().unwrap();
            prop_assert!(text.starts_with("attachment; filename=\""));
            prop_assert_eq!(text.matches('"').count(), 2);
            prop_assert!(!text.contains(['\r', '\n']));
        }
    }
}
