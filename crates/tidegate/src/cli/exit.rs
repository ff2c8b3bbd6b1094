//! How a verb ends: its exit code and the words on the way out.

use std::fmt;
use std::process::ExitCode;

use crate::config::Refusal;

/// The exit codes of every verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It worked.
    Ok,
    /// It ran, and the answer is no: a failed check, a failed job.
    Failed,
    /// The command line makes no sense.
    Usage,
    /// No credential, or one that is not accepted.
    Auth,
    /// No such thing.
    NotFound,
    /// The server can't be reached.
    Unreachable,
    /// The configuration was refused (`EX_CONFIG`).
    Config,
    /// The exit code of the command that `run` ran.
    Command(u8),
}

impl Exit {
    /// The number.
    #[must_use]
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Auth => 3,
            Self::NotFound => 4,
            Self::Unreachable => 5,
            Self::Config => 78,
            Self::Command(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a verb stopped.
#[derive(Clone, Debug)]
pub(crate) struct CliError {
    /// The exit code.
    pub exit: Exit,
    /// What happened, in a sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl CliError {
    /// An error without a hint.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// The same error with what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// An error of this machine: a file, a pipe, a socket.
    pub(crate) fn io(what: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, format!("{what}: {error}"))
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Refusal> for CliError {
    fn from(refusal: Refusal) -> Self {
        // One line, as a supervisor's log wants it: setting, why, cure.
        Self::new(Exit::Config, refusal.to_string())
    }
}
