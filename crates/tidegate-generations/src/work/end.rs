//! Ends that a worker reports: completed, failed, or failed for now.

use serde_json::{Map, Value, json};
use tidegate_types::{GenerationId, Timestamp};

use super::progress::check_size;
use super::{hold, lapse};
use crate::change::Decision;
use crate::store::Row;
use crate::{Entry, Generation, Generations, Invalid, Status, WorkError};

impl Generations {
    /// Ends one with its result and closes its stream, in one step. The same again is fine.
    ///
    /// # Errors
    /// The lease is not the present one, or it has ended otherwise.
    pub async fn complete(
        &self,
        id: &GenerationId,
        lease: &str,
        result: Value,
    ) -> Result<Generation, WorkError> {
        self.end(id, lease, |row, now| {
            let record = &row.state.record;
            if record.status == Status::Completed && record.result.as_ref() == Some(&result) {
                return Ok(None);
            }
            Ok(Some(row.state.end_completed(result.clone(), now)?))
        })
        .await
    }

    /// Ends one with an error and closes its stream; or, if it may be tried again, puts it back
    /// while attempts are left. One that was to be cancelled is not tried again.
    ///
    /// # Errors
    /// The lease is not the present one, the error has no readable form, or it has ended otherwise.
    pub async fn fail(
        &self,
        id: &GenerationId,
        lease: &str,
        error: Value,
        retryable: bool,
    ) -> Result<Generation, WorkError> {
        let error = readable(error)?;
        self.end(id, lease, |row, now| {
            let record = &row.state.record;
            if record.status == Status::Failed && record.error.as_ref() == Some(&error) {
                return Ok(None);
            }
            if retryable && record.status.is_held() {
                return Ok(Some(lapse::give_up(row, &error, now)?));
            }
            Ok(Some(row.state.end_failed(error.clone(), now)?))
        })
        .await
    }

    pub(super) async fn end(
        &self,
        id: &GenerationId,
        lease: &str,
        decide: impl Fn(&Row, Timestamp) -> Result<Option<Entry>, WorkError>,
    ) -> Result<Generation, WorkError> {
        let digest = hold::digest(lease)?;
        let now = self.now();
        let bytes_max = self.parts().limits.progress_bytes;
        let row = self
            .change(id, |row| {
                let lease = hold::check(row, &digest, now)?;
                let Some(entry) = decide(row, now)? else { return Ok::<_, WorkError>(Decision::Keep) };
                check_size(&entry, bytes_max)?;
                let kept = entry.status.is_finished().then(|| lease.ended());
                Ok(Decision::write(entry, kept))
            })
            .await?;
        let record = row.ok_or(WorkError::NotFound)?.state.record;
        Ok(self.placed(record).await?)
    }
}

/// An error as records hold it: an object with `code` and `message`.
fn readable(error: Value) -> Result<Value, WorkError> {
    let mut members = match error {
        Value::Object(members) => members,
        Value::String(message) => Map::from_iter([("message".to_owned(), Value::String(message))]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            let detail = "is a text, or an object with `code` and `message`";
            return Err(WorkError::Invalid(Invalid::new("/error", detail)));
        }
    };
    for (name, default) in [("code", "worker-failed"), ("message", "The worker reported a failure")] {
        match members.get(name) {
            None | Some(Value::Null) => {
                members.insert(name.to_owned(), json!(default));
            }
            Some(Value::String(_)) => {}
            Some(_) => {
                return Err(WorkError::Invalid(Invalid::new(format!("/error/{name}"), "is a text")));
            }
        }
    }
    Ok(Value::Object(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_gets_a_code_and_a_message() {
        assert_eq!(
            readable(json!("out of memory")).unwrap(),
            json!({"code": "worker-failed", "message": "out of memory"})
        );
        assert_eq!(
            readable(json!({"code": "oom", "exit": 137})).unwrap(),
            json!({"code": "oom", "message": "The worker reported a failure", "exit": 137})
        );
        for bad in [json!(null), json!(7), json!([]), json!({"code": 7})] {
            assert!(readable(bad).is_err());
        }
    }
}
