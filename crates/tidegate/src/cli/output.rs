//! Where verbs write: results to standard output, remarks to standard error.

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

use super::exit::CliError;

/// How this call wants its output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// One JSON value a line on standard output.
    pub json: bool,
    /// No remarks.
    pub quiet: bool,
}

impl Output {
    /// A line of the result.
    pub(crate) fn line(self, text: impl std::fmt::Display) {
        // A closed pipe (`| head`) is no error of ours.
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }

    /// A piece of the result, shown at once.
    pub(crate) fn text(self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// A remark for the person in front of it.
    pub(crate) fn note(self, text: impl std::fmt::Display) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }

    /// A result: as JSON, or as the text that is built for people.
    pub(crate) fn result<T: Serialize>(self, value: &T, text: impl FnOnce() -> String) {
        if self.json {
            match serde_json::to_string(value) {
                Ok(json) => self.line(json),
                Err(error) => self.note(format!("cannot print the result: {error}")),
            }
        } else {
            self.line(text());
        }
    }

    /// The last words of a verb that failed.
    pub(crate) fn failure(self, error: &CliError) {
        let mut err = std::io::stderr().lock();
        if self.json {
            let value = serde_json::json!({
                "error": { "exit": error.exit.code(), "message": error.message, "hint": error.hint }
            });
            let _ = writeln!(err, "{value}");
            return;
        }
        let _ = writeln!(err, "tidegate: {}", error.message);
        if let Some(hint) = &error.hint {
            let _ = writeln!(err, "  hint: {hint}");
        }
    }

    /// Whether a person looks at the result.
    #[must_use]
    pub(crate) fn is_terminal(self) -> bool {
        !self.json && std::io::stdout().is_terminal()
    }
}
