//! For tests of this and other crates: extraction without a child process, and users without accounts.

use async_trait::async_trait;
use tidegate_events::{EventsError, UserDirectory};
use tidegate_types::UserId;
use tokio::sync::mpsc;

use crate::extract::{Line, Say, Stop, extract_to};
use crate::{ExtractError, ExtractJob, Extracted, Extractor};

/// Extracts in a thread of this process: for files that a test made itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct InProcess;

struct Channel(mpsc::Sender<Extracted>);

impl Say for Channel {
    fn say(&mut self, line: &Line) -> Result<(), Stop> {
        let piece = match line.clone() {
            Line::Opened { pages } => Extracted::Opened { pages },
            Line::Passages(passages) => Extracted::Passages(passages),
            Line::Progress { done, total } => Extracted::Progress { done, total },
            Line::Failed(_) | Line::Done => return Ok(()),
        };
        let gone = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        Ok(self.0.blocking_send(piece).map_err(gone)?)
    }
}

#[async_trait]
impl Extractor for InProcess {
    async fn extract(&self, job: ExtractJob, pieces: mpsc::Sender<Extracted>) -> Result<(), ExtractError> {
        let work = move || {
            let lost = |error: std::io::Error| ExtractError::Lost(error.to_string());
            let bytes = std::fs::read(&job.file).map_err(lost)?;
            match extract_to(&mut Channel(pieces), job.media_type, &bytes, job.bounds) {
                Ok(()) => Ok(()),
                Err(Stop::Unprocessable(message)) => Err(ExtractError::Unprocessable(message)),
                Err(Stop::Deaf(error)) => Err(lost(error)),
            }
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| ExtractError::Lost(error.to_string()))?
    }
}

/// Each user whom a test names exists; there is nobody to broadcast to.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnyUser;

#[async_trait]
impl UserDirectory for AnyUser {
    async fn list_users(&self, _: Option<UserId>, _: usize) -> Result<Vec<UserId>, EventsError> {
        Ok(Vec::new())
    }

    async fn exists(&self, _: UserId) -> Result<bool, EventsError> {
        Ok(true)
    }
}
