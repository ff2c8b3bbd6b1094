//! The command itself: started in its own process group, its output read to the end, told to stop.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::lines::{Digest, Splitter};

/// Where the command's own output goes besides the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Echo {
    /// To the same streams of ours.
    Through,
    /// All to standard error, since standard output carries JSON.
    Stderr,
    /// Nowhere.
    Silent,
}

/// The output so far, shared with the reporter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feed {
    digest: Arc<Mutex<Digest>>,
    news: Arc<Notify>,
}

impl Feed {
    /// Works on the digest.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Digest) -> T) -> T {
        work(&mut self.digest.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Waits for something new.
    pub(crate) async fn changed(&self) {
        self.news.notified().await;
    }
}

/// A running command.
pub(crate) struct Running {
    child: Child,
    group: Option<Pid>,
    pumps: JoinSet<()>,
}

/// How long output is awaited after the command's end: a grandchild may hold the pipe.
const LINGER: Duration = Duration::from_secs(2);

impl Running {
    /// Starts the command in a process group of its own; its output goes to the feed and is echoed.
    ///
    /// # Errors
    /// It can't be started.
    pub(crate) fn start(mut command: Command, feed: &Feed, echo: Echo) -> std::io::Result<Self> {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let mut pumps = JoinSet::new();
        if let Some(stdout) = child.stdout.take() {
            pumps.spawn(pump(stdout, feed.clone(), echo, false));
        }
        if let Some(stderr) = child.stderr.take() {
            pumps.spawn(pump(stderr, feed.clone(), echo, true));
        }
        Ok(Self { child, group, pumps })
    }

    /// Its standard input, once.
    pub(crate) fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Waits for the end of the command and of its output. Cancel-safe.
    ///
    /// # Errors
    /// The system lost track of it.
    pub(crate) async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        let drained = async { while self.pumps.join_next().await.is_some() {} };
        if tokio::time::timeout(LINGER, drained).await.is_err() {
            self.pumps.abort_all();
        }
        Ok(status)
    }

    /// Sends a signal to the command and its children.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // It may have ended in the meantime; then there is nobody to tell.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Still there: nobody waits for it any more, and its children would go on.
        if self.child.id().is_some() {
            self.signal(Signal::KILL);
        }
    }
}

async fn pump(mut from: impl AsyncRead + Unpin, feed: Feed, echo: Echo, is_stderr: bool) {
    let mut splitter = Splitter::default();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        let chunk = buffer.get(..read).unwrap_or_default();
        let pieces = if read == 0 { splitter.finish().into_iter().collect() } else { splitter.feed(chunk) };
        if !pieces.is_empty() {
            feed.with(|digest| pieces.into_iter().for_each(|piece| digest.add(piece)));
            feed.news.notify_one();
        }
        if read == 0 {
            return;
        }
        let to_stderr = echo == Echo::Stderr || is_stderr;
        if echo != Echo::Silent {
            let chunk = chunk.to_vec();
            // A terminal may stand still; that holds up this pipe, as it would without us, and nothing else.
            let written = tokio::task::spawn_blocking(move || write_all(to_stderr, &chunk)).await;
            if written.is_err() {
                return;
            }
        }
    }
}

fn write_all(to_stderr: bool, chunk: &[u8]) {
    use std::io::Write as _;
    // A closed pipe of ours must not stop the command.
    let _ = if to_stderr {
        std::io::stderr().write_all(chunk)
    } else {
        let mut out = std::io::stdout().lock();
        out.write_all(chunk).and_then(|()| out.flush())
    };
}

/// The exit code as shells tell it: 128 + the signal for a killed command.
#[must_use]
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code.clamp(0, 255)).unwrap_or(1)
}
