//! A worker's reports.

use std::time::Duration;

use serde_json::{Map, Value};
use tidegate_types::{GenerationId, Timestamp};

use super::{Progress, Progressed, hold};
use crate::change::Decision;
use crate::store::Row;
use crate::{Entry, Generations, GenerationsError, Invalid, InvalidTransition, Status, WorkError};

/// Members that the server itself writes, or that would turn a report into a named event.
const CORE_FIELDS: [&str; 26] = [
    "type",
    "id",
    "generation_id",
    "owner_id",
    "title",
    "prompt",
    "framework",
    "options",
    "document_ids",
    "status",
    "stage",
    "progress",
    "message",
    "result",
    "error",
    "last_error",
    "attempt",
    "max_attempts",
    "worker",
    "epoch",
    "offset",
    "timestamp",
    "retry_of",
    "created_at",
    "updated_at",
    "finished_at",
];
const STAGE_BYTES_MAX: usize = 128;
const MESSAGE_BYTES_MAX: usize = 4_096;
const EXTRAS_MAX: usize = 64;

impl Generations {
    /// Takes a worker's report and renews its lease. With `status: "cancelled"` it ends one whose
    /// cancelling was asked for.
    ///
    /// # Errors
    /// The lease is not the present one, a field is not valid, or the generation has ended.
    pub async fn progress(
        &self,
        id: &GenerationId,
        lease: &str,
        progress: Progress,
    ) -> Result<Progressed, WorkError> {
        let wish = check(&progress)?;
        let digest = hold::digest(lease)?;
        let now = self.now();
        let bytes_max = self.parts().limits.progress_bytes;
        let row = self
            .change(id, |row| {
                let lease = hold::check(row, &digest, now)?;
                match wish {
                    Wish::GoOn => {
                        let entry = report(row, &progress, now)?;
                        check_size(&entry, bytes_max)?;
                        Ok::<_, WorkError>(Decision::write(entry, Some(lease.renewed(now))))
                    }
                    Wish::Stop if row.state.record.status == Status::Cancelled => {
                        Ok::<_, WorkError>(Decision::Keep)
                    }
                    Wish::Stop => {
                        let message = progress.message.as_deref().unwrap_or("Cancelled");
                        let entry = row.state.end_cancelled(message, now).map_err(WorkError::Transition)?;
                        Ok(Decision::write(entry, Some(lease.ended())))
                    }
                }
            })
            .await?;
        let row = row.ok_or(WorkError::NotFound)?;
        let record = row.state.record;
        let lasts = row.lease.map_or(Duration::ZERO, |lease| lease.lasts);
        self.inner.attendance.note([record.framework.as_str()], now.plus(lasts));
        let cancel_requested = matches!(record.status, Status::Cancelling | Status::Cancelled);
        Ok(Progressed { offset: record.offset, cancel_requested })
    }
}

#[derive(Clone, Copy)]
enum Wish {
    GoOn,
    Stop,
}

fn check(progress: &Progress) -> Result<Wish, WorkError> {
    check_fields(progress).map_err(WorkError::Invalid)?;
    match progress.status.as_deref() {
        None | Some("processing" | "cancelling") => Ok(Wish::GoOn),
        Some("cancelled") => Ok(Wish::Stop),
        Some(_) => Err(WorkError::Invalid(Invalid::new(
            "/status",
            "is `processing` or `cancelled`; end with `complete` or `fail`",
        ))),
    }
}

fn check_fields(progress: &Progress) -> Result<(), Invalid> {
    if !(1..=STAGE_BYTES_MAX).contains(&progress.stage.len()) {
        return Err(Invalid::new("/stage", format!("has 1 to {STAGE_BYTES_MAX} bytes")));
    }
    if progress.progress.is_some_and(|number| !(0.0..=1.0).contains(&number)) {
        return Err(Invalid::new("/progress", "is 0 to 1"));
    }
    if progress.message.as_ref().is_some_and(|message| message.len() > MESSAGE_BYTES_MAX) {
        return Err(Invalid::new("/message", format!("has more than {MESSAGE_BYTES_MAX} bytes")));
    }
    check_extras(&progress.extras)
}

fn check_extras(extras: &Map<String, Value>) -> Result<(), Invalid> {
    if extras.len() > EXTRAS_MAX {
        return Err(Invalid::new("", format!("has more than {EXTRAS_MAX} further members")));
    }
    match extras.keys().find(|name| CORE_FIELDS.contains(&name.as_str())) {
        Some(name) => Err(Invalid::new(format!("/{name}"), "is the server's own member")),
        None => Ok(()),
    }
}

fn report(row: &Row, progress: &Progress, now: Timestamp) -> Result<Entry, WorkError> {
    let mut entry = row
        .state
        .report(&progress.stage, progress.progress, progress.message.clone(), now)
        .map_err(WorkError::Transition)?;
    entry.rest.clone_from(&progress.extras);
    Ok(entry)
}

/// Refuses a record that would be larger than one report may be.
pub(super) fn check_size(entry: &Entry, bytes_max: u64) -> Result<(), WorkError> {
    let bytes = entry.encode().map_err(|error| GenerationsError::internal(&error))?;
    if bytes.len() as u64 > bytes_max {
        let detail = format!("gives a record of more than {bytes_max} bytes");
        return Err(WorkError::Invalid(Invalid::new("", detail)));
    }
    Ok(())
}

impl From<InvalidTransition> for WorkError {
    fn from(refused: InvalidTransition) -> Self {
        Self::Transition(refused)
    }
}
