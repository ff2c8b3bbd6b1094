//! One attempt at one document.

use tidegate_types::DocumentId;
use tokio::sync::mpsc;

use crate::extract::{Bounds, ExtractError, ExtractJob, Extracted};
use crate::store::{Finish, Report};
use crate::{Document, Documents, DocumentsError, Failure, Stage};

/// Pieces that may wait between the extractor and the database.
const PIECES: usize = 4;
/// A step of progress that is worth a record.
const STEP: f64 = 0.05;

impl Documents {
    /// Runs the extraction and ends the document with what came of it.
    pub(crate) async fn process(&self, id: DocumentId) -> Result<(), DocumentsError> {
        let Some(attempt) = self.parts().store.begin(id, self.now()).await? else {
            self.say_good(id);
            return Ok(());
        };
        let document = attempt.document;
        let attempts = self.parts().limits.extraction_attempts;
        if u64::from(document.attempt) > attempts {
            let failure = Failure::unprocessable(format!("the extraction was cut off {attempts} times"));
            return self.end(id, Finish::Failed(failure)).await;
        }
        let opening = Report {
            stage: Stage::Opening,
            progress: 0.0,
            message: "Opening the file".to_owned(),
            pages: None,
        };
        if !self.tell_progress(id, opening).await? {
            return Ok(());
        }
        match self.extract(&document).await? {
            Outcome::Gone => Ok(()),
            Outcome::Whole => self.end(id, Finish::Ready).await,
            Outcome::Failed(failure) => {
                if self.refuse_upload(id, &failure).await {
                    return Ok(());
                }
                self.end(id, Finish::Failed(failure)).await
            }
        }
    }

    async fn extract(&self, document: &Document) -> Result<Outcome, DocumentsError> {
        let job = ExtractJob {
            file: self.inner.files.path(document.id),
            media_type: document.media_type,
            bounds: Bounds::of(&self.parts().limits),
        };
        let (pieces, mut received) = mpsc::channel(PIECES);
        let extractor = std::sync::Arc::clone(&self.parts().extractor);
        let extraction = extractor.extract(job, pieces);
        tokio::pin!(extraction);
        let mut reached = Reached::default();
        let ended = loop {
            tokio::select! {
                biased;
                Some(piece) = received.recv() => {
                    if !self.take(document.id, piece, &mut reached).await? {
                        // Deleted meanwhile; dropping the extraction ends the child.
                        return Ok(Outcome::Gone);
                    }
                }
                ended = &mut extraction => break ended,
            }
        };
        while let Ok(piece) = received.try_recv() {
            if !self.take(document.id, piece, &mut reached).await? {
                return Ok(Outcome::Gone);
            }
        }
        match ended {
            Ok(()) => Ok(Outcome::Whole),
            Err(ExtractError::Unprocessable(message)) => Ok(Outcome::Failed(Failure::unprocessable(message))),
            Err(ExtractError::Lost(reason)) => {
                self.say_good(document.id);
                Err(DocumentsError::internal(&reason))
            }
        }
    }

    /// Stores one piece. Answers whether the document is still there.
    async fn take(
        &self,
        id: DocumentId,
        piece: Extracted,
        reached: &mut Reached,
    ) -> Result<bool, DocumentsError> {
        match piece {
            Extracted::Opened { pages } => {
                reached.pages = pages;
                self.tell_progress(id, reached.report()).await
            }
            Extracted::Passages(passages) => {
                let is_there = self.parts().store.insert_passages(id, passages, self.now()).await?;
                // A file that opens may still hold nothing; this one holds text.
                self.say_good(id);
                Ok(is_there)
            }
            Extracted::Progress { done, total } => {
                if !reached.advance(done, total) {
                    return Ok(true);
                }
                self.tell_progress(id, reached.report()).await
            }
        }
    }

    async fn end(&self, id: DocumentId, finish: Finish) -> Result<(), DocumentsError> {
        let finished = self.parts().store.finish(id, finish, self.now()).await?;
        self.say_good(id);
        match finished {
            Some(document) => self.tell_end(&document).await,
            None => Ok(()),
        }
    }
}

enum Outcome {
    Whole,
    Failed(Failure),
    Gone,
}

/// How far an extraction is, told in steps that are worth telling.
#[derive(Debug, Default)]
struct Reached {
    pages: Option<u32>,
    told: f64,
    done: u64,
    total: u64,
}

impl Reached {
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    fn share(&self) -> f64 {
        if self.total == 0 { 0.0 } else { (self.done as f64 / self.total as f64).clamp(0.0, 1.0) }
    }

    fn advance(&mut self, done: u64, total: u64) -> bool {
        (self.done, self.total) = (done, total);
        let is_worth_it = self.share() >= self.told + STEP;
        if is_worth_it {
            self.told = self.share();
        }
        is_worth_it
    }

    fn report(&self) -> Report {
        let message = match (self.pages, self.total) {
            (Some(pages), 1..) => format!("Page {} of {pages}", self.done),
            (Some(pages), 0) => format!("{pages} pages"),
            (None, _) => "Reading the text".to_owned(),
        };
        Report { stage: Stage::Extracting, progress: self.share(), message, pages: self.pages }
    }
}
