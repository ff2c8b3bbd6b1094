//! Which events of a feed a reader wants: `task.*,novel.created`.

use std::str::FromStr;

use tidegate_types::ErrorCode;

use crate::event_type::is_type_text;

const ITEMS_MAX: usize = 32;

/// A set of event types: exact names, and prefixes that end in `*`.
///
/// The default lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeFilter(Vec<Item>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Exact(Box<str>),
    Prefix(Box<str>),
}

/// The text is no filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// An item is empty, too long, or has a character outside the alphabet.
    #[error("`types` is a comma list of event types, each may end in `*`")]
    Malformed,
    /// More items than a filter holds.
    #[error("`types` holds at most {ITEMS_MAX} items")]
    TooMany,
}

impl FilterError {
    /// How this failure is told to clients.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

impl TypeFilter {
    /// Whether everything passes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an event of this type passes.
    #[must_use]
    pub fn matches(&self, event_type: &str) -> bool {
        self.is_open()
            || self.0.iter().any(|item| match item {
                Item::Exact(name) => **name == *event_type,
                Item::Prefix(prefix) => event_type.starts_with(&**prefix),
            })
    }
}

impl FromStr for TypeFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut items = Vec::new();
        for part in text.split(',') {
            if items.len() == ITEMS_MAX {
                return Err(FilterError::TooMany);
            }
            items.push(read_item(part.trim_matches(' '))?);
        }
        Ok(Self(items))
    }
}

fn read_item(text: &str) -> Result<Item, FilterError> {
    let (name, is_prefix) = match text.strip_suffix('*') {
        Some(prefix) => (prefix, true),
        None => (text, false),
    };
    if !(is_type_text(name) || (is_prefix && name.is_empty())) {
        return Err(FilterError::Malformed);
    }
    Ok(if is_prefix { Item::Prefix(name.into()) } else { Item::Exact(name.into()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("task.*,novel.created", "task.done", true)]
    #[case("task.*,novel.created", "task.a.b", true)]
    #[case("task.*,novel.created", "task", false)]
    #[case("task.*,novel.created", "novel.created", true)]
    #[case("task.*, novel.created", "novel.created", true)]
    #[case("task.*,novel.created", "novel.created2", false)]
    #[case("*", "anything", true)]
    fn filters_let_through_what_they_name(#[case] filter: &str, #[case] name: &str, #[case] passes: bool) {
        assert_eq!(filter.parse::<TypeFilter>().unwrap().matches(name), passes);
    }

    #[rstest]
    #[case("")]
    #[case("a,,b")]
    #[case("a*b")]
    #[case("**")]
    #[case("a\nb")]
    fn malformed_filters_are_refused(#[case] text: &str) {
        assert_eq!(text.parse::<TypeFilter>(), Err(FilterError::Malformed));
    }

    #[test]
    fn a_filter_has_a_bound() {
        assert!(vec!["a"; 32].join(",").parse::<TypeFilter>().is_ok());
        assert_eq!(vec!["a"; 33].join(",").parse::<TypeFilter>(), Err(FilterError::TooMany));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_filter_panic(text in ".{0,200}", name in ".{0,20}") {
            if let Ok(filter) = text.parse::<TypeFilter>() {
                let _ = filter.matches(&name);
            }
        }
    }
}
