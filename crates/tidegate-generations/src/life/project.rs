//! From records to the present state.

use serde_json::Value;
use tidegate_types::{Offset, UserId};

use super::{Entry, InvalidTransition, Origin, Step, transition};
use crate::{Generation, Status};

/// What the records up to `record.offset` add up to.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// The record as clients see it.
    pub record: Generation,
    /// How often it was claimed; the fence against workers that lost it.
    pub epoch: u64,
}

/// A record does not fit the state before it.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The first record is not one that creates a generation.
    #[error("the first record does not create a generation")]
    NotAnOrigin,
    /// The record belongs to another generation.
    #[error("the record belongs to another generation")]
    Foreign,
    /// The status cannot follow.
    #[error(transparent)]
    Transition(#[from] InvalidTransition),
    /// The attempt is not the present one (of one that waits again: nor the next one).
    #[error("the record is of attempt {found}, not {wanted}")]
    Attempt {
        /// What the record says.
        found: u32,
        /// What it should say.
        wanted: u32,
    },
    /// The claim is not newer than the last one.
    #[error("the claim's epoch does not rise")]
    Epoch,
}

/// Adds one record to the state before it.
///
/// # Errors
/// The record does not fit; the state before it stands.
pub fn project(
    before: Option<&Projection>,
    entry: &Entry,
    offset: Offset,
) -> Result<Projection, ProjectError> {
    match before {
        None => begin(entry, offset),
        Some(before) => advance(before, entry, offset),
    }
}

fn begin(entry: &Entry, offset: Offset) -> Result<Projection, ProjectError> {
    let origin = || serde_json::from_value::<Origin>(Value::Object(entry.rest.clone())).ok();
    let origin = match entry.status {
        Status::Pending => origin().ok_or(ProjectError::NotAnOrigin)?,
        _ => return Err(ProjectError::NotAnOrigin),
    };
    let at = entry.at();
    let record = Generation {
        id: entry.generation_id.clone(),
        owner_id: origin.owner_id,
        title: origin.title,
        prompt: origin.prompt,
        framework: origin.framework,
        options: origin.options,
        document_ids: origin.document_ids,
        status: Status::Pending,
        stage: entry.stage.clone(),
        progress: 0.0,
        message: entry.message.clone(),
        result: None,
        error: None,
        attempt: 1,
        max_attempts: origin.max_attempts.max(1),
        worker: None,
        retry_of: origin.retry_of,
        queue_place: None,
        offset,
        created_at: at,
        updated_at: at,
        finished_at: None,
    };
    Ok(Projection { record, epoch: 0 })
}

fn advance(before: &Projection, entry: &Entry, offset: Offset) -> Result<Projection, ProjectError> {
    if entry.generation_id != before.record.id {
        return Err(ProjectError::Foreign);
    }
    let step = transition(before.record.status, entry.status)?;
    // One that was handed back waits within its attempt.
    let is_next = step == Step::Requeued && entry.attempt != before.record.attempt;
    let wanted = before.record.attempt.saturating_add(u32::from(is_next));
    if entry.attempt != wanted {
        return Err(ProjectError::Attempt { found: entry.attempt, wanted });
    }
    let mut after = before.clone();
    let record = &mut after.record;
    record.status = entry.status;
    record.stage.clone_from(&entry.stage);
    record.message.clone_from(&entry.message);
    record.attempt = entry.attempt;
    record.offset = offset;
    record.updated_at = entry.at();
    // Never falls within an attempt, whatever a record says.
    let floor = if is_next { 0.0 } else { record.progress };
    record.progress = entry.progress.clamp(0.0, 1.0).max(floor);
    match step {
        Step::Claimed => {
            let epoch = entry.rest.get("epoch").and_then(Value::as_u64).unwrap_or(0);
            if epoch <= before.epoch {
                return Err(ProjectError::Epoch);
            }
            after.epoch = epoch;
            after.record.worker = entry.rest.get("worker").and_then(Value::as_str).map(str::to_owned);
        }
        Step::Finished => {
            record.finished_at = Some(entry.at());
            record.result = entry.rest.get("result").cloned();
            record.error = entry.rest.get("error").cloned();
        }
        Step::Progressed | Step::CancelRequested | Step::Requeued => {}
    }
    Ok(after)
}

impl Projection {
    /// Whose generation it is.
    #[must_use]
    pub const fn owner(&self) -> UserId {
        self.record.owner_id
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};
    use tidegate_types::{GenerationId, Timestamp};

    use super::*;

    fn id() -> GenerationId {
        "g-1".parse().unwrap()
    }

    fn created(max_attempts: u32) -> Entry {
        let origin = Origin {
            owner_id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
            title: None,
            prompt: "p".to_owned(),
            framework: "external".to_owned(),
            options: Map::new(),
            document_ids: Vec::new(),
            max_attempts,
            retry_of: None,
        };
        Entry::created(&id(), &origin, Timestamp::from_millis(1_763_690_000_123)).unwrap()
    }

    fn any_entry() -> impl Strategy<Value = Entry> {
        let status = prop::sample::select(Status::ALL.to_vec());
        (status, -1.0..2.0_f64, 1..4_u32, 0..5_u64).prop_map(|(status, progress, attempt, epoch)| Entry {
            generation_id: id(),
            status,
            stage: "s".to_owned(),
            progress,
            message: None,
            timestamp: 1.0,
            attempt,
            rest: Map::from_iter([("epoch".to_owned(), json!(epoch))]),
        })
    }

    proptest! {
        #[test]
        fn no_sequence_of_records_breaks_the_rules(entries in prop::collection::vec(any_entry(), 0..60)) {
            let mut state = project(None, &created(3), Offset::START.plus(1)).unwrap();
            for (entry, n) in entries.iter().zip(2..) {
                let Ok(after) = project(Some(&state), entry, Offset::START.plus(n)) else { continue };
                prop_assert!(!state.record.status.is_finished(), "nothing follows an end");
                prop_assert!((0.0..=1.0).contains(&after.record.progress));
                prop_assert!(after.epoch >= state.epoch);
                if after.record.attempt == state.record.attempt {
                    prop_assert!(after.record.progress >= state.record.progress);
                } else {
                    prop_assert_eq!(after.record.attempt, state.record.attempt + 1);
                }
                prop_assert_eq!(after.record.finished_at.is_some(), after.record.status.is_finished());
                state = after;
            }
        }

        #[test]
        fn what_the_state_itself_writes_always_projects(choices in prop::collection::vec((0..9_u8, 0.0..1.0_f64), 0..60)) {
            let mut state = project(None, &created(3), Offset::START.plus(1)).unwrap();
            let now = Timestamp::from_millis(1_763_690_000_500);
            for ((choice, number), n) in choices.into_iter().zip(2..) {
                let next = match choice {
                    0 | 1 => state.claim("w", now),
                    2 | 3 => state.report("s", Some(number), None, now),
                    4 => state.cancel(now),
                    5 => state.end_completed(json!({}), now),
                    7 => state.hand_back("x", now),
                    6 => state.requeue(json!({"message": "lost"}), now),
                    _ => state.end_cancelled("x", now),
                };
                let Ok(entry) = next else { continue };
                let stored = Entry::decode(&entry.encode().unwrap()).unwrap();
                prop_assert_eq!(&stored, &entry);
                state = project(Some(&state), &stored, Offset::START.plus(n)).unwrap();
            }
        }

        #[test]
        fn no_bytes_make_reading_a_record_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Entry::decode(&bytes);
        }
    }

    #[test]
    fn the_first_record_is_shaped_like_progress_and_has_no_type() {
        let value: Value = serde_json::from_slice(&created(1).encode().unwrap()).unwrap();
        assert_eq!(value["status"], "pending");
        assert_eq!(value["stage"], "init");
        assert_eq!(value["progress"], 0.0);
        assert_eq!(value["timestamp"], 1_763_690_000.123);
        assert_eq!(value["attempt"], 1);
        assert!(value.get("type").is_none());
    }

    #[test]
    fn a_record_of_another_generation_is_refused() {
        let state = project(None, &created(1), Offset::START.plus(1)).unwrap();
        let mut entry = state.claim("w", Timestamp::from_millis(1)).unwrap();
        entry.generation_id = "other".parse().unwrap();
        assert!(matches!(project(Some(&state), &entry, Offset::START.plus(2)), Err(ProjectError::Foreign)));
    }
}
