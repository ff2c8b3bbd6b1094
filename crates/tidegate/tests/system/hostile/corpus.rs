//! The shape of a case, and how its words are filled in.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One header's value, or several under the same name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Values {
    One(String),
    Many(Vec<String>),
}

impl Values {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(value) => std::slice::from_ref(value).iter(),
            Self::Many(values) => values.iter(),
        }
        .map(String::as_str)
    }
}

/// One request and the answer that it must get.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(default = "get")]
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) path: String,
    pub(crate) host: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Values>,
    pub(crate) json: Option<String>,
    pub(crate) body: Option<String>,
    /// Bytes on a socket instead of all of the above.
    pub(crate) raw: Option<String>,
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) status_any: Vec<u16>,
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) answer_headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) has_answer_headers: Vec<String>,
    #[serde(default)]
    pub(crate) no_answer_headers: Vec<String>,
}

impl Case {
    /// Whether the status is one of those allowed; 0 stands for "closed without an answer".
    pub(crate) fn allows(&self, status: u16) -> bool {
        self.status == Some(status) || self.status_any.contains(&status)
    }
}

fn get() -> String {
    "GET".to_owned()
}

#[derive(Deserialize)]
struct Corpus {
    case: Vec<Case>,
}

pub(crate) fn cases() -> Vec<Case> {
    let corpus: Corpus = toml::from_str(include_str!("corpus.toml")).expect("the corpus is TOML");
    corpus.case
}

/// Replaces `{word}` by its value; braces around anything else stay.
pub(crate) fn fill(text: &str, words: &BTreeMap<&'static str, String>) -> String {
    words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(&format!("{{{word}}}"), value))
}
