//! The parent's side: starts a child for one file, reads what it says, ends it when it overruns.
//!
//! Rule: nothing that the child says is believed before it is checked; it has read a hostile file.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::line::{LINE_BYTES_MAX, Line, Said};
use super::{Bounds, ExtractError, ExtractJob, Extracted, Extractor};
use crate::record::open_stored;

/// Extracts in a child process: a program that is called with the kind and the bounds, the file on
/// its standard input and nothing of the environment, and that does what [`super::run_child`] does.
#[derive(Clone, Debug)]
pub struct ChildExtractor {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl ChildExtractor {
    /// The program and its first arguments.
    #[must_use]
    pub fn new(program: PathBuf, arguments: Vec<OsString>) -> Self {
        Self { program, arguments }
    }

    async fn start(&self, job: &ExtractJob) -> std::io::Result<Child> {
        let path = job.file.clone();
        let file = tokio::task::spawn_blocking(move || open_stored(&path))
            .await
            .map_err(std::io::Error::other)??;
        let bounds = &job.bounds;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .arg(job.media_type.as_str())
            .args(["--file-bytes", &bounds.file_bytes.to_string()])
            .args(["--text-bytes", &bounds.text_bytes.to_string()])
            .args(["--pages", &bounds.pages.to_string()])
            .args(["--passages", &bounds.passages.to_string()])
            .args(["--memory-bytes", &bounds.memory_bytes.to_string()])
            .args(["--cpu-seconds", &bounds.cpu_seconds.to_string()])
            .env_clear()
            // One thread and one heap: what libraries would reserve for more counts as memory.
            .env("RAYON_NUM_THREADS", "1")
            .env("MALLOC_ARENA_MAX", "1")
            .current_dir("/")
            .stdin(Stdio::from(file))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        command.spawn()
    }
}

#[async_trait]
impl Extractor for ChildExtractor {
    async fn extract(&self, job: ExtractJob, pieces: mpsc::Sender<Extracted>) -> Result<(), ExtractError> {
        let lost = |error: std::io::Error| ExtractError::Lost(error.to_string());
        let mut child = self.start(&job).await.map_err(lost)?;
        let Some(output) = child.stdout.take() else {
            return Err(ExtractError::Lost("the child has no output".to_owned()));
        };
        let ended = match listen(output, &pieces, job.bounds).await {
            Ok(Heard::Whole) => Ok(()),
            Ok(Heard::CutOff) => Err(cut_off(child.wait().await.map_err(lost)?)),
            Err(error) => Err(error),
        };
        // It has said all that counts; whatever it still does is over.
        child.start_kill().ok();
        child.wait().await.map_err(lost)?;
        ended
    }
}

enum Heard {
    Whole,
    CutOff,
}

/// Hears a child out. Its clock runs while it is waited for, not while what it said is stored: a slow disk
/// is no fault of the document.
async fn listen(
    output: ChildStdout,
    pieces: &mpsc::Sender<Extracted>,
    bounds: Bounds,
) -> Result<Heard, ExtractError> {
    let mut output = BufReader::with_capacity(65_536, output);
    let mut checked = Checked::new(bounds);
    let (mut line, mut left) = (Vec::new(), bounds.wall);
    loop {
        line.clear();
        let mut bounded = (&mut output).take(LINE_BYTES_MAX as u64);
        let began = Instant::now();
        let read = timeout(left, bounded.read_until(b'\n', &mut line)).await;
        left = left.saturating_sub(began.elapsed());
        let read = read.map_err(|_| took_too_long(bounds.wall))?;
        read.map_err(|error| ExtractError::Lost(error.to_string()))?;
        if line.pop() != Some(b'\n') {
            return if line.len() + 1 >= LINE_BYTES_MAX { Err(nonsense()) } else { Ok(Heard::CutOff) };
        }
        let said: Line = serde_json::from_slice(&line).map_err(|_| nonsense())?;
        match Said::from(said) {
            Said::Done => return Ok(Heard::Whole),
            Said::Failed(message) => return Err(ExtractError::Unprocessable(sentence(&message))),
            Said::Piece(piece) => {
                checked.check(&piece)?;
                let gone = pieces.send(piece).await.is_err();
                if gone {
                    return Err(ExtractError::Lost("nobody waits for it any more".to_owned()));
                }
            }
        }
    }
}

/// Messages come from libraries that have read the file: short, one line, without controls.
fn sentence(message: &str) -> String {
    message.chars().filter(|c| !c.is_control()).take(300).collect()
}

fn took_too_long(wall: Duration) -> ExtractError {
    ExtractError::Unprocessable(format!("reading it took longer than {} s", wall.as_secs()))
}

fn nonsense() -> ExtractError {
    ExtractError::Unprocessable("the reader of this file gave no sensible answer".to_owned())
}

/// A child that ended without a last word: by its limits, or by its own fault.
fn cut_off(status: ExitStatus) -> ExtractError {
    use std::os::unix::process::ExitStatusExt as _;
    let reason = match status.signal() {
        Some(libc::SIGXCPU) => "reading it took more processor time than is allowed",
        // A signal that no reader sends itself: the system's, or an operator's.
        Some(libc::SIGKILL | libc::SIGTERM | libc::SIGINT | libc::SIGHUP) => {
            return ExtractError::Lost(format!("the child was ended: {status}"));
        }
        Some(_) => "the document is damaged, or needs more memory than is allowed",
        None => return ExtractError::Lost(format!("the child ended early: {status}")),
    };
    ExtractError::Unprocessable(reason.to_owned())
}

/// The bounds once more, and that passages follow each other without gaps.
struct Checked {
    bounds: Bounds,
    passages: u64,
    end: usize,
}

impl Checked {
    const fn new(bounds: Bounds) -> Self {
        Self { bounds, passages: 0, end: 0 }
    }

    fn check(&mut self, piece: &Extracted) -> Result<(), ExtractError> {
        let Extracted::Passages(passages) = piece else { return Ok(()) };
        for passage in passages {
            let follows = u64::from(passage.ordinal) == self.passages
                && passage.start == self.end.saturating_add(passage.lead.len())
                && passage.page.is_none_or(|page| u64::from(page) <= self.bounds.pages);
            self.passages += 1;
            self.end = passage.end();
            let fits = self.passages <= self.bounds.passages && self.end as u64 <= self.bounds.text_bytes;
            if !follows || !fits {
                return Err(nonsense());
            }
        }
        Ok(())
    }
}
