//! The process and the system: signals (the first asks for a drain, the second ends it at once),
//! the limit of open files, who may read what is written.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by SIGTERM, SIGINT or SIGHUP.
///
/// # Errors
/// Signals can't be listened for.
pub fn shutdown_token() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let token = CancellationToken::new();
    let asked = token.clone();
    tokio::spawn(async move {
        loop {
            let (name, code) = tokio::select! {
                _ = terminate.recv() => ("SIGTERM", 143),
                _ = interrupt.recv() => ("SIGINT", 130),
                _ = hangup.recv() => ("SIGHUP", 129),
            };
            if asked.is_cancelled() {
                tracing::warn!(signal = name, "asked twice, stopping at once");
                std::process::exit(code);
            }
            tracing::info!(signal = name, "draining");
            asked.cancel();
        }
    });
    Ok(token)
}

/// Lets the process open as many files and sockets as the system allows at most.
pub fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}

/// Files that this process makes are its user's alone: the database holds what people said.
pub fn keep_files_private() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}
