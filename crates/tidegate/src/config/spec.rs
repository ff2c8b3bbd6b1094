//! What settings exist: the list behind `config show`, `config init`, the environment names and
//! the did-you-mean of a misspelt one.

use std::fmt;
use std::path::PathBuf;

use tidegate_types::Limits;

use super::{
    AuthConfig, CorsConfig, DatabaseConfig, DocumentsConfig, GenerationsConfig, LlmConfig, LogConfig,
    RetentionConfig, ServerConfig, WebhooksConfig,
};

/// How a text from the environment becomes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As it stands.
    Text,
    /// A whole number.
    Number,
    /// A file or folder; relative ones in the file are relative to that file.
    Path,
    /// `true` or `false`.
    Flag,
    /// Comma-separated.
    List,
    /// As it stands, and never shown.
    Secret,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct SettingSpec {
    /// The table of the file.
    pub section: &'static str,
    /// The key in it.
    pub key: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// How a text becomes its value.
    pub kind: Kind,
}

impl SettingSpec {
    /// `section.key`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }

    /// `TIDEGATE_SECTION_KEY`.
    #[must_use]
    pub fn env_name(&self) -> String {
        format!("TIDEGATE_{}_{}", self.section, self.key).to_uppercase()
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A flag of the command line.
    Flag(&'static str),
    /// A variable of the process.
    Env(String),
    /// A variable of a `.env` file.
    EnvFile(PathBuf, String),
    /// The configuration file.
    File(PathBuf),
    /// Chosen by `tidegate dev`.
    Dev,
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Env(name) => write!(f, "env {name}"),
            Self::EnvFile(path, name) => write!(f, "{} {name}", path.display()),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Dev => f.write_str("dev"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The lists; they stand in the file only.
pub(super) const LISTS: [&str; 4] = ["issuer", "access", "retain", "command"];

/// Every setting that has one value.
#[must_use]
pub fn specs() -> Vec<SettingSpec> {
    let limits = Limits::SPECS.iter().map(|limit| SettingSpec {
        section: "limits",
        key: limit.name,
        doc: limit.doc,
        kind: Kind::Number,
    });
    [
        ServerConfig::SPECS,
        DatabaseConfig::SPECS,
        AuthConfig::SPECS,
        CorsConfig::SPECS,
        GenerationsConfig::SPECS,
        DocumentsConfig::SPECS,
        WebhooksConfig::SPECS,
        LlmConfig::SPECS,
        RetentionConfig::SPECS,
        LogConfig::SPECS,
    ]
    .into_iter()
    .flatten()
    .copied()
    .chain(limits)
    .collect()
}

/// The candidate that was probably meant.
pub fn did_you_mean<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near_enough = 0.8;
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(given, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= near_enough)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// Declares a section: the struct, its defaults and its [`SettingSpec`]s from one list.
macro_rules! section {
    ($(#[doc = $about:literal])+ $name:ident in $section:literal {
        $($(#[doc = $doc:literal])+ $field:ident: $type:ty = $default:expr, $kind:ident;)*
    }) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $type,)*
        }

        impl $name {
            /// The settings of this section.
            pub const SPECS: &'static [$crate::config::SettingSpec] = &[$($crate::config::SettingSpec {
                section: $section,
                key: stringify!($field),
                doc: concat!($($doc),+),
                kind: $crate::config::Kind::$kind,
            }),*];
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}
pub(super) use section;
