//! One answer from its place in the queue to its last record.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};

use futures_util::FutureExt as _;
use serde_json::Value;
use tidegate_types::ConversationId;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::conversations::Conversations;
use super::desk::{Cause, Place, Sitting};
use super::error::ConversationsError;
use super::mend::restarted;
use super::model::Conversation;
use super::store::TurnRow;
use super::writer::{TooLong, WriteFailed, Writer};
use crate::answer::{AnswerFailed, AnswerSink, Answerer, Exchange, Part, Question};

/// Earlier questions that an answerer is told of at most.
const EXCHANGES: usize = 8;

/// An answer to be written.
pub(super) struct Job {
    pub(super) conversation: Conversation,
    pub(super) row: TurnRow,
    pub(super) answerer: Arc<dyn Answerer>,
    pub(super) place: Place,
}

/// How the writing ended.
enum Outcome {
    Whole(Value),
    Early(Cause),
    Failed(AnswerFailed),
    /// The stream is gone; there is nothing to end.
    Gone,
    Storage(ConversationsError),
}

impl Outcome {
    fn of(answered: Result<Value, AnswerFailed>) -> Self {
        answered.map_or_else(Self::Failed, Self::Whole)
    }
}

impl From<WriteFailed> for Outcome {
    fn from(failed: WriteFailed) -> Self {
        match failed {
            WriteFailed::Gone => Self::Gone,
            WriteFailed::Storage(error) => Self::Storage(error),
        }
    }
}

impl Conversations {
    pub(super) async fn run(&self, job: Job) {
        let (id, number) = (job.row.conversation_id, job.row.number);
        let path = Self::stream_path(id, number);
        let bytes = usize::try_from(self.parts().limits.answer_bytes).unwrap_or(usize::MAX);
        let mut writer = Writer::new(self.parts().log.clone(), path, number, bytes);
        let outcome = self.answer(&job, &mut writer).await;
        self.end(id, number, writer, outcome).await;
        // Only now may the next question begin, and who waits for this one go on.
        drop(job.place);
    }

    async fn answer(&self, job: &Job, writer: &mut Writer) -> Outcome {
        let sitting = &job.place.sitting;
        let _places = tokio::select! {
            biased;
            cause = sitting.ended() => return Outcome::Early(cause),
            places = job.place.turn(&self.inner.desk, job.conversation.owner_id) => places,
        };
        sitting.begin();
        let question = match self.question(job).await {
            Ok(question) => question,
            Err(error) => return Outcome::Storage(error),
        };
        let (sink, inbox) = AnswerSink::channel();
        let work = AssertUnwindSafe(job.answerer.answer(question, sink)).catch_unwind();
        let work = async move {
            work.await.unwrap_or_else(|_| {
                tracing::error!("an answerer panicked");
                Err(AnswerFailed::server("internal", "Something went wrong here."))
            })
        };
        write_down(work, inbox, writer, sitting).await
    }

    async fn question(&self, job: &Job) -> Result<Question, ConversationsError> {
        Ok(Question {
            owner: job.conversation.owner_id,
            documents: job.conversation.document_ids.clone(),
            message: job.row.message.clone(),
            history: self.history(job.row.conversation_id, job.row.parent).await?,
            library: Arc::clone(&self.parts().library),
        })
    }

    /// The branch that the question stands on, oldest first.
    async fn history(
        &self,
        id: ConversationId,
        mut parent: Option<u32>,
    ) -> Result<Vec<Exchange>, ConversationsError> {
        let mut history = Vec::new();
        while let Some(number) = parent.filter(|_| history.len() < EXCHANGES) {
            let Some(turn) = self.turn(id, number).await? else { break };
            parent = turn.parent;
            history.push(Exchange { message: turn.message, answer: turn.answer });
        }
        history.reverse();
        Ok(history)
    }

    /// The last record and the row. What can't be written now is left to `step`.
    async fn end(&self, id: ConversationId, number: u32, mut writer: Writer, outcome: Outcome) {
        let written = match &outcome {
            Outcome::Whole(usage) => writer.done(usage.clone(), false).await,
            Outcome::Early(Cause::Stop) => writer.done(Value::Object(Default::default()), true).await,
            Outcome::Early(Cause::Drain) => writer.failed(&restarted()).await,
            Outcome::Failed(failed) => writer.failed(failed).await,
            Outcome::Early(Cause::Deleted) | Outcome::Gone => return,
            Outcome::Storage(error) => {
                tracing::error!(conversation.id = %id, turn = number, %error, "an answer could not be written");
                let failed = AnswerFailed::server("storage-failed", "The answer could not be stored.");
                writer.failed(&failed).await
            }
        };
        let (said, offset) = writer.into_said();
        let saved = match written {
            Ok(()) => self.save_end(id, number, said, offset).await,
            Err(WriteFailed::Gone) => return,
            Err(WriteFailed::Storage(error)) => Err(error),
        };
        if let Err(error) = saved {
            tracing::error!(conversation.id = %id, turn = number, %error, "a turn's end is written later");
            self.inner.unended.lock().unwrap_or_else(PoisonError::into_inner).insert((id, number));
        }
    }
}

/// Takes the parts as they come and writes them down until the answer ends, or somebody ends it.
async fn write_down(
    work: impl Future<Output = Result<Value, AnswerFailed>>,
    mut inbox: mpsc::Receiver<Part>,
    writer: &mut Writer,
    sitting: &Sitting,
) -> Outcome {
    let mut result = None;
    {
        let mut work = std::pin::pin!(work);
        let mut ended = std::pin::pin!(sitting.ended());
        loop {
            let due = writer.due();
            tokio::select! {
                biased;
                // Dropping the work below ends whatever it has under way elsewhere.
                cause = &mut ended => {
                    result = Some(Outcome::Early(cause));
                    break;
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    if let Err(failed) = writer.flush().await {
                        return failed.into();
                    }
                }
                part = inbox.recv(), if writer.has_room() => match part {
                    Some(part) => if let Err(TooLong) = writer.take(part) {
                        return Outcome::Failed(too_long());
                    },
                    // The sink is dropped with the work, so its result is there, or comes at once.
                    None => break,
                },
                answered = &mut work, if result.is_none() => {
                    result = Some(Outcome::of(answered));
                }
            }
        }
        if result.is_none() {
            result = Some(tokio::select! {
                cause = &mut ended => Outcome::Early(cause),
                answered = &mut work => Outcome::of(answered),
            });
        }
    }
    // What had come before the end is kept.
    while let Ok(part) = inbox.try_recv() {
        if let Err(TooLong) = writer.take(part) {
            break;
        }
    }
    result.unwrap_or_else(|| Outcome::Failed(AnswerFailed::server("internal", "Something went wrong here.")))
}

fn too_long() -> AnswerFailed {
    AnswerFailed::server(
        "answer-too-long",
        "The answer is longer than this server keeps; what was written before is kept.",
    )
}
