//! The record of a generation on the wire.
//!
//! Owns: its members, their order, and its ETag.
//! Must not: rename anything for existing front ends; `legacy` does, on top of this.

use serde::Serialize;
use serde_json::{Map, Value};
use tidegate_generations::Generation;
use tidegate_types::{GenerationId, Offset, Timestamp, UserId};
use utoipa::ToSchema;

/// A generation: the projection of its stream at `offset`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct GenerationView {
    /// UUIDv7, or the client's own `[A-Za-z0-9_-]{1,64}`.
    #[schema(value_type = String)]
    pub(crate) id: GenerationId,
    /// Whose it is.
    #[schema(value_type = String)]
    pub(crate) owner_id: UserId,
    /// Its name for people.
    pub(crate) title: Option<String>,
    /// What was asked for.
    pub(crate) prompt: String,
    /// Its kind: which workers run it.
    pub(crate) framework: String,
    /// Further wishes, as the framework knows them.
    #[schema(value_type = Object)]
    pub(crate) options: Map<String, Value>,
    /// The documents that it is about.
    pub(crate) document_ids: Vec<String>,
    /// `pending`, `processing`, `cancelling`, `completed`, `failed` or `cancelled`.
    pub(crate) status: &'static str,
    /// What it does now, in the worker's words; `init` at first.
    pub(crate) stage: String,
    /// 0 to 1; never falls within an attempt.
    pub(crate) progress: f64,
    /// A sentence for people.
    pub(crate) message: Option<String>,
    /// What came out, once completed.
    pub(crate) result: Option<Value>,
    /// `{code, message, …}`, once failed.
    pub(crate) error: Option<Value>,
    /// Which attempt this is, from 1.
    pub(crate) attempt: u32,
    /// How many attempts there may be.
    pub(crate) max_attempts: u32,
    /// The worker that has it, or had it last.
    pub(crate) worker: Option<String>,
    /// The generation that this one repeats.
    #[schema(value_type = Option<String>)]
    pub(crate) retry_of: Option<GenerationId>,
    /// Its place among those that wait for the same framework, from 1; only while pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) queue_place: Option<u64>,
    /// The position in its stream that this record reflects.
    #[schema(value_type = String)]
    pub(crate) offset: Offset,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
    /// When its last record was written.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) finished_at: Option<Timestamp>,
}

impl From<Generation> for GenerationView {
    fn from(record: Generation) -> Self {
        Self {
            id: record.id,
            owner_id: record.owner_id,
            title: record.title,
            prompt: record.prompt,
            framework: record.framework,
            options: record.options,
            document_ids: record.document_ids,
            status: record.status.as_str(),
            stage: record.stage,
            progress: record.progress,
            message: record.message,
            result: record.result,
            error: record.error,
            attempt: record.attempt,
            max_attempts: record.max_attempts,
            worker: record.worker,
            retry_of: record.retry_of,
            queue_place: record.queue_place,
            offset: record.offset,
            created_at: record.created_at,
            updated_at: record.updated_at,
            finished_at: record.finished_at,
        }
    }
}

/// The ETag of a record: which one it is, the position that it reflects, and its place in the queue.
///
/// The time of creation stands in it because a deleted id can be made again, the length of the
/// message because one that waits says so when no worker asks for it, without a record.
pub(crate) fn etag(record: &Generation) -> String {
    let (made, place) = (record.created_at.as_millis(), record.queue_place.unwrap_or_default());
    let words = record.message.as_ref().map_or(0, String::len);
    format!("\"{}.{made:x}.{}.{place}.{words}\"", record.id, record.offset)
}
