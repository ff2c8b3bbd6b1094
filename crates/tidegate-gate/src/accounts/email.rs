//! Email addresses: which texts are taken for one, and when two are the same.

use super::EmailError;

const ADDRESS_BYTES_MAX: usize = 254;
const LOCAL_BYTES_MAX: usize = 64;
const LABEL_BYTES_MAX: usize = 63;

/// An address as it was given, and as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Email {
    pub(crate) shown: String,
    pub(crate) key: String,
}

impl Email {
    pub(crate) fn parse(text: &str) -> Result<Self, EmailError> {
        let shown = text.trim();
        let (local, domain) = shown.rsplit_once('@').ok_or(EmailError)?;
        let local_ok = (1..=LOCAL_BYTES_MAX).contains(&local.len())
            && local.chars().all(is_local)
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        if shown.len() > ADDRESS_BYTES_MAX || !local_ok || !domain.split('.').all(is_label) {
            return Err(EmailError);
        }
        Ok(Self { shown: shown.to_owned(), key: fold(shown) })
    }
}

/// The form in which addresses are compared, for any text.
pub(crate) fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

fn is_local(c: char) -> bool {
    !c.is_control()
        && !c.is_whitespace()
        && !matches!(c, '@' | '"' | '(' | ')' | ',' | ':' | ';' | '<' | '>' | '[' | ']' | '\\')
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&label.len())
        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("ada@example.test")]
    #[case("a.b+c@sub.example.test")]
    #[case("demo@localhost")]
    #[case("ünï@bücher.test")]
    fn addresses_are_taken(#[case] text: &str) {
        assert_eq!(Email::parse(text).unwrap().shown, text);
    }

    #[rstest]
    #[case("")]
    #[case("ada")]
    #[case("@example.test")]
    #[case("ada@")]
    #[case("a b@example.test")]
    #[case("a@b@example.test")]
    #[case("ada@exa mple.test")]
    #[case("ada@example..test")]
    #[case("ada@-example.test")]
    #[case("ada@example.test\r\nBcc: x@y.test")]
    #[case("<ada@example.test>")]
    fn other_texts_are_not(#[case] text: &str) {
        assert_eq!(Email::parse(text), Err(EmailError));
    }

    #[test]
    fn space_around_and_case_make_no_second_account() {
        assert_eq!(Email::parse(" Ada@Example.TEST ").unwrap().key, "ada@example.test");
    }
}
