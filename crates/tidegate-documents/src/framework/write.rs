//! Having a model write: its words come in while progress is told, and a stop reaches it at once.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, json};
use tidegate_generations::{Failure, Job};
use tidegate_types::Entropy;
use tokio::time::Instant;

use super::report::{Stage, share};
use crate::{AnswerFailed, ChatMessage, Fault, Model};

const REPORT_EVERY: Duration = Duration::from_millis(500);

/// A model that writes.
#[derive(Clone, Debug)]
pub struct Writer {
    model: Model,
    entropy: Arc<dyn Entropy>,
}

/// One text to be written.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) stage: Stage,
    /// What is being written, in words.
    pub(super) message: String,
    /// About so long: progress is measured by it.
    pub(super) bytes_wanted: usize,
    /// What goes beyond is left away.
    pub(super) bytes_max: usize,
}

impl Writer {
    /// A writer over a model.
    #[must_use]
    pub const fn new(model: Model, entropy: Arc<dyn Entropy>) -> Self {
        Self { model, entropy }
    }

    /// Bytes of material that go along with a task.
    pub(super) fn material_bytes(&self) -> usize {
        self.model.config().context_bytes
    }

    /// A marker that no document can know.
    pub(super) fn nonce(&self) -> String {
        self.entropy.array::<12>().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Has a text written.
    ///
    /// # Errors
    /// The model fails, writes nothing, or the job should stop.
    pub(super) async fn write(
        &self,
        job: &Job,
        task: &Task,
        messages: &[ChatMessage],
    ) -> Result<String, Failure> {
        report(job, task, 0).await?;
        tokio::select! {
            text = self.take(job, task, messages) => text,
            // Dropping what is under way ends the request.
            () = job.cancelled() => Err(Failure::Stopped),
        }
    }

    async fn take(&self, job: &Job, task: &Task, messages: &[ChatMessage]) -> Result<String, Failure> {
        let mut talk = self.model.begin(messages).await.map_err(failed)?;
        let mut text = String::new();
        let mut told = Instant::now();
        while let Some(words) = talk.next().await.map_err(failed)? {
            text.push_str(&words);
            if text.len() >= task.bytes_max {
                text.truncate(text.floor_char_boundary(task.bytes_max));
                break;
            }
            if told.elapsed() >= REPORT_EVERY {
                told = Instant::now();
                report(job, task, text.len()).await?;
            }
        }
        if text.trim().is_empty() {
            return Err(Failure::for_now("model-silent", "The model wrote nothing").with("fault", "model"));
        }
        Ok(text)
    }
}

async fn report(job: &Job, task: &Task, bytes: usize) -> Result<(), Failure> {
    // Never the whole stage: a text may get longer than was asked for.
    let stage = task.stage.at(share(bytes, task.bytes_wanted).min(0.95));
    let extras = Map::from_iter([("written_bytes".to_owned(), json!(bytes))]);
    stage.tell(job, task.message.clone(), extras).await
}

fn failed(error: AnswerFailed) -> Failure {
    let (fault, again) = match error.fault {
        Fault::Model => ("model", true),
        Fault::Operator => ("operator", false),
        Fault::Server => ("server", true),
    };
    let failure = if again {
        Failure::for_now(error.code, error.detail)
    } else {
        Failure::new(error.code, error.detail)
    };
    failure.with("fault", fault)
}

/// A model's words as Markdown that can't hold a link, an image or HTML. `[3]` stays where there is such
/// a source; a mark of a source that is not there goes.
pub(super) fn tame(text: &str, sources: usize) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '[', ']']) {
        safe.push_str(rest.get(..at).unwrap_or_default());
        let from = rest.get(at..).unwrap_or_default();
        let (mark, after) = match mark(from) {
            Some((numbers, after)) => (kept(&numbers, sources), after),
            None => {
                let mut chars = from.chars();
                let escaped = chars.next().map(|c| format!("\\{c}")).unwrap_or_default();
                (escaped, chars.as_str())
            }
        };
        safe.push_str(&mark);
        rest = after;
    }
    safe.push_str(rest);
    safe
}

/// The numbers of a mark like `[3]` or `[2, 5]` at the beginning of a text, and what follows it.
pub(super) fn mark(text: &str) -> Option<(Vec<usize>, &str)> {
    let (inside, after) = text.strip_prefix('[')?.split_once(']')?;
    if inside.len() > 40 || after.starts_with('(') {
        return None;
    }
    let numbers: Result<Vec<usize>, _> =
        inside.split([',', ' ']).filter(|n| !n.is_empty()).map(str::parse).collect();
    numbers.ok().filter(|numbers| !numbers.is_empty()).map(|numbers| (numbers, after))
}

fn kept(numbers: &[usize], sources: usize) -> String {
    let kept: Vec<String> =
        numbers.iter().filter(|number| (1..=sources).contains(*number)).map(ToString::to_string).collect();
    if kept.is_empty() { String::new() } else { format!("[{}]", kept.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_sources_stay_and_nothing_else_in_brackets_means_anything() {
        assert_eq!(tame("True [1]. Both [2, 3]. Made up [9].", 3), "True [1]. Both [2, 3]. Made up .");
        assert_eq!(tame("![x](http://a) <script>", 3), "!\\[x\\](http://a) \\<script\\>");
        assert_eq!(tame("[1](http://a)", 3), "\\[1\\](http://a)");
        assert_eq!(tame("[[1]", 3), "\\[[1]");
    }
}
