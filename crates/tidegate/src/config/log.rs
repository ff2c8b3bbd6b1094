//! `[log]`: what the server says about itself.

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::spec::section;

/// The shape of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

section! {
    /// Log lines.
    LogConfig in "log" {
        /// `error`, `warn`, `info`, `debug`, or per part, e.g. `info,tidegate_log=debug`; `trace` says more in debug builds only.
        level: String = "info".to_owned(), Text;
        /// `auto` (pretty on a terminal, else json), `json` or `pretty`.
        format: LogFormat = LogFormat::Auto, Text;
    }
}

impl LogConfig {
    pub(super) fn check(&self, refusals: &mut Vec<Refusal>) {
        // A bare word that is no level would be read as the name of a part.
        let is_level = |part: &str| {
            let level = part.rsplit('=').next().unwrap_or_default().trim();
            level.parse::<tracing_subscriber::filter::LevelFilter>().is_ok()
        };
        let parses = self.level.parse::<tracing_subscriber::filter::Targets>().is_ok();
        if !parses || !self.level.split(',').all(is_level) {
            refusals.push(Refusal::new(
                "log.level",
                format!("= {} is not understood", self.level),
                "use error, warn, info, debug or trace",
            ));
        }
    }
}
