//! One step of one generation: look, decide, append, project, save.
//!
//! Rule: the record is appended first, with the tail that the decision was made on; the row
//! follows. Both run in a task of their own, so that a caller that goes away cannot part them.

use std::sync::PoisonError;

use tidegate_log::Append;
use tidegate_types::{ErrorCode, GenerationId};
use tokio::sync::OwnedMutexGuard;

use crate::announce::Told;
use crate::store::{Lease, Row, Save};
use crate::{Entry, Generations, GenerationsError, Status, project};

/// What is to be done with a generation.
pub(crate) enum Decision {
    /// Nothing; it is as wanted.
    Keep,
    /// This record follows, and this lease stands from then on.
    Write(Box<Entry>, Option<Lease>),
}

impl Decision {
    pub(crate) fn write(entry: Entry, lease: Option<Lease>) -> Self {
        Self::Write(Box::new(entry), lease)
    }
}

/// How often a decision is made anew because the stream had moved on.
const ROUNDS: usize = 4;

impl Generations {
    /// Decides on the present row and writes what was decided. `None`: there is no such generation.
    pub(crate) async fn change<E, F>(&self, id: &GenerationId, decide: F) -> Result<Option<Row>, E>
    where
        E: From<GenerationsError>,
        F: Fn(&Row) -> Result<Decision, E>,
    {
        for _ in 0..ROUNDS {
            if let Some(result) = self.try_change(id, &decide).await? {
                return Ok(result);
            }
        }
        let detail = format!("generation {id} kept changing under its lock");
        Err(GenerationsError::Stream { code: ErrorCode::Overloaded, detail }.into())
    }

    /// One round. The outer `None`: the stream had moved on, decide again.
    async fn try_change<E, F>(&self, id: &GenerationId, decide: &F) -> Result<Option<Option<Row>>, E>
    where
        E: From<GenerationsError>,
        F: Fn(&Row) -> Result<Decision, E>,
    {
        // A row that is behind is mended here, before the lock that mending takes itself.
        self.row(id).await?;
        let held = self.inner.locks.lock(id.clone()).await;
        let row = self.parts().store.lookup(id).await.map_err(GenerationsError::from)?;
        let Some(row) = row else { return Ok(Some(None)) };
        match decide(&row)? {
            Decision::Keep => Ok(Some(Some(row))),
            Decision::Write(entry, lease) => Ok(self.commit(held, row, *entry, lease).await?.map(Some)),
        }
    }

    async fn commit(
        &self,
        held: OwnedMutexGuard<()>,
        row: Row,
        entry: Entry,
        lease: Option<Lease>,
    ) -> Result<Option<Row>, GenerationsError> {
        let this = self.clone();
        self.run_whole(async move {
            let _held = held;
            this.commit_held(row, entry, lease).await
        })
        .await
    }

    async fn commit_held(
        &self,
        before: Row,
        entry: Entry,
        lease: Option<Lease>,
    ) -> Result<Option<Row>, GenerationsError> {
        let id = before.state.record.id.clone();
        let append = Append {
            records: vec![entry.encode().map_err(|error| GenerationsError::internal(&error))?],
            close: entry.status.is_finished(),
            expect_tail: Some(before.state.record.offset),
            ..Append::default()
        };
        let appended = match self.parts().log.append(&Self::stream_path(&id), append).await {
            Ok(appended) => appended,
            Err(error) if GenerationsError::is_stale(&error) => {
                self.mend(&id).await?;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let state = project(Some(&before.state), &entry, appended.tail)
            .map_err(|error| GenerationsError::internal(&error))?;
        let row = Row { state, lease };
        self.save(&row, Told::about(&before.state.record, &row.state.record)).await?;
        Ok(Some(row))
    }

    /// Writes a row that follows a record, and passes on what it means.
    pub(crate) async fn save(&self, row: &Row, told: Told) -> Result<(), GenerationsError> {
        let record = &row.state.record;
        let is_kept = !told.kept.is_empty();
        let save = Save { row: row.clone(), announcements: told.kept };
        if let Err(error) = self.parts().store.save(save).await {
            self.inner.behind.lock().unwrap_or_else(PoisonError::into_inner).insert(record.id.clone());
            return Err(error.into());
        }
        if record.status == Status::Pending {
            self.inner.waiting.notify_waiters();
        }
        let now = self.now();
        self.inner.teller.note(record, told.progress, now);
        if is_kept || self.has_progress_due(now) {
            self.tell_soon();
        }
        Ok(())
    }

    /// Runs something to its end, whether or not the caller waits for it.
    pub(crate) async fn run_whole<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<GenerationsError> + Send + 'static,
    {
        match tokio::spawn(work).await {
            Ok(result) => result,
            Err(error) => Err(GenerationsError::internal(&error).into()),
        }
    }
}
