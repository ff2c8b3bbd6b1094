//! Leases that ran out: another attempt while some are left, else the end.

use serde_json::{Value, json};
use tidegate_types::Timestamp;

use crate::change::Decision;
use crate::store::Row;
use crate::{Entry, Generations, GenerationsError, InvalidTransition, Status};

const LAPSED_PER_STEP: usize = 100;

impl Generations {
    /// Takes generations back from workers that fell silent; answers whether there may be more.
    pub(crate) async fn end_lapsed(&self, now: Timestamp) -> Result<bool, GenerationsError> {
        let lapsed = self.parts().store.list_lapsed(now, LAPSED_PER_STEP).await?;
        for id in &lapsed {
            self.change(id, |row| {
                let has_run_out = row.lease.and_then(|lease| lease.expires_at).is_some_and(|at| at <= now);
                if !has_run_out || !row.state.record.status.is_held() {
                    return Ok::<_, GenerationsError>(Decision::Keep);
                }
                let error = json!({"code": "worker-lost", "message": "The worker fell silent"});
                let entry = give_up(row, &error, now).map_err(|error| GenerationsError::internal(&error))?;
                Ok(Decision::write(entry, None))
            })
            .await?;
        }
        Ok(lapsed.len() == LAPSED_PER_STEP)
    }
}

/// What follows when this attempt came to nothing: cancelled if that was asked for, else the next
/// attempt, else the end with `worker-lost`.
pub(super) fn give_up(row: &Row, error: &Value, now: Timestamp) -> Result<Entry, InvalidTransition> {
    let record = &row.state.record;
    if record.status == Status::Cancelling {
        return row.state.end_cancelled("Cancelled; the worker did not finish", now);
    }
    if record.attempt < record.max_attempts {
        return row.state.requeue(error.clone(), now);
    }
    let mut last = json!({"code": "worker-lost"});
    if let Some(members) = last.as_object_mut() {
        members.insert("message".to_owned(), error.get("message").cloned().unwrap_or_default());
        if error.get("code").and_then(Value::as_str) != Some("worker-lost") {
            members.insert("cause".to_owned(), error.clone());
        }
    }
    row.state.end_failed(last, now)
}
