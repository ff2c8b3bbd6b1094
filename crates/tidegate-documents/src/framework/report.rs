//! Honest progress: each stage has its part of the whole, and moves by what has been done.

use serde_json::{Map, Value, json};
use tidegate_generations::{Failure, Job};

/// A stage and its part of the whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stage {
    name: &'static str,
    from: f64,
    to: f64,
}

pub(super) const LOAD: Stage = Stage::new("load", 0.0, 0.1);
pub(super) const READ: Stage = Stage::new("read", 0.1, 0.5);
pub(super) const RANK: Stage = Stage::new("rank", 0.5, 0.65);
pub(super) const COMPOSE: Stage = Stage::new("compose", 0.65, 0.9);
pub(super) const CHECK: Stage = Stage::new("check", 0.9, 1.0);

impl Stage {
    pub(super) const fn new(name: &'static str, from: f64, to: f64) -> Self {
        Self { name, from, to }
    }

    /// The same stage when this much of it is done, 0 to 1.
    pub(super) fn at(self, done: f64) -> Self {
        Self { from: self.from + (self.to - self.from) * done.clamp(0.0, 1.0), ..self }
    }

    /// Tells that it is here.
    pub(super) async fn tell(
        self,
        job: &Job,
        message: impl Into<String>,
        extras: Map<String, Value>,
    ) -> Result<(), Failure> {
        job.report(self.name, self.from, message.into(), extras).await
    }

    /// One of several equal parts of it.
    pub(super) fn part(self, index: usize, count: usize) -> Self {
        let (start, end) = (self.at(share(index, count)), self.at(share(index + 1, count)));
        Self { name: self.name, from: start.from, to: end.from }
    }
}

/// Tells how far it is, and about which file if it is about one.
pub(super) async fn tell(
    job: &Job,
    stage: Stage,
    message: impl Into<String>,
    file: Option<&str>,
) -> Result<(), Failure> {
    let mut extras = Map::new();
    if let Some(file) = file {
        extras.insert("current_file".to_owned(), json!(file));
    }
    stage.tell(job, message, extras).await
}

/// A part of a whole, 0 to 1; 1 of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of passages and sentences")]
pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// `1 sentence`, `2 sentences`.
pub(super) fn counted(count: usize, word: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {word}{ending}")
}
