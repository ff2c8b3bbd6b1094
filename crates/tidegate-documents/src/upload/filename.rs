//! Names of files as data: shown to people, written into headers, never used as a path.

use crate::MediaType;

const NAME_CHARS_MAX: usize = 200;

/// The name as it is shown and offered for saving: its last segment, without control and direction
/// characters, and not too long.
pub(super) fn shown(given: &str, kind: MediaType) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !is_unsafe(*c)).collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean = clean.trim_matches('.').trim();
    if clean.is_empty() {
        return format!("document.{}", kind.extension());
    }
    shorten(clean)
}

/// Characters that move, hide or break what stands around them.
fn is_unsafe(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\u{FFFD}' | '\u{FEFF}')
        || matches!(c, '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
        || matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// Cuts the stem and keeps the ending.
fn shorten(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if ending.chars().count() <= 8 => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    let kept = NAME_CHARS_MAX - ending.chars().count();
    stem.chars().take(kept).chain(ending.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("../../etc/passwd", "passwd")]
    #[case("C:\\Users\\a\\report.pdf", "report.pdf")]
    #[case("a\r\nSet-Cookie: x.txt", "a Set-Cookie x.txt")]
    #[case("invoice\u{202E}fdp.exe", "invoicefdp.exe")]
    #[case("..", "document.txt")]
    #[case("", "document.txt")]
    #[case("nul\0byte.txt", "nulbyte.txt")]
    #[case("naïve – Übersicht.txt", "naïve – Übersicht.txt")]
    #[case(".hidden", "hidden")]
    fn names_are_data_and_no_paths(#[case] given: &str, #[case] wanted: &str) {
        assert_eq!(shown(given, MediaType::Text), wanted);
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let name = shown(&format!("{}.pdf", "x".repeat(5_000)), MediaType::Pdf);
        assert_eq!(name.chars().count(), 200);
        assert!(name.ends_with("x.pdf"));
    }

    proptest! {
        #[test]
        fn no_name_holds_a_separator_or_a_control_character(given in any::<String>()) {
            let name = shown(&given, MediaType::Text);
            prop_assert!(!name.is_empty() && name != "." && name != "..");
            prop_assert!(name.chars().count() <= 200);
            prop_assert!(!name.chars().any(|c| c == '/' || c == '\\' || c.is_control()));
        }
    }
}
