//! One refusal: the setting, why it can't stand, and the cure, on one line.

use std::fmt;

/// A setting that the server will not run with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The setting, variable or file.
    pub setting: String,
    /// Why it can't stand.
    pub why: String,
    /// What to do.
    pub cure: String,
}

impl Refusal {
    /// A refusal; line breaks inside are folded, so that it stays one line.
    pub fn new(setting: impl fmt::Display, why: impl fmt::Display, cure: impl fmt::Display) -> Self {
        let fold = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { setting: fold(setting.to_string()), why: fold(why.to_string()), cure: fold(cure.to_string()) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}; {}", self.setting, self.why, self.cure)
    }
}

impl std::error::Error for Refusal {}
