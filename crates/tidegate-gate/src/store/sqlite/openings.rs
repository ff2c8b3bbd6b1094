//! Opening tickets: whatever attempts wait are one job of the writer, decided one after the other.
//!
//! Owns: the queue of attempts, and the write that spends a ticket: its lease, in the transaction in which
//! the ticket was found unspent.
//! Must not: decide (`tickets/decide.rs`), or answer before the commit.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{CachedStatement, OptionalExtension as _, Transaction, params};
use tidegate_db::{Db, DbError, WriteJob, give_answers};
use tidegate_types::{LeaseId, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::tickets::{find_in, signed, takeovers_to, unsigned};
use super::{append_audit_in, insert_revocations_in, standing};
use crate::Principal;
use crate::audit::AuditRow;
use crate::revocation::NewRevocation;
use crate::store::Standing;
use crate::tickets::{
    Decision, Entry, FreshTicket, KillReason, OpenAttempt, Opening, OpeningDone, Refusal, StoredTicket,
    decide, minter_from, opening_audit,
};

/// How long a dead lease is kept, so that its user is refused for the true reason.
const DEAD_KEPT_MS: i64 = 3_600_000;
/// Attempts of one job.
const GROUP_ATTEMPTS: usize = 512;
/// Attempts that may wait.
const WAITING_MAX: usize = 16_384;
/// So few answers that a task to give them would cost more than it saves.
const FEW: usize = 4;

/// Minters whose standing one job remembers.
const STANDINGS: usize = 8;

const ADD_LEASE: &str =
    "INSERT INTO leases (id, ticket_digest, first_tag, created_at, expires_at, presented, issued,
                                           connected_at, takeovers, sweep_at)
                         VALUES (?1, ?2, ?3, ?4, ?5, 0, 1, ?4, '[]', ?5) ON CONFLICT (id) DO NOTHING";

type Answer = oneshot::Sender<Result<Opening, DbError>>;

/// Attempts on their way to the writer.
#[derive(Clone, Default)]
pub(super) struct Openings(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    attempts: Vec<(OpenAttempt, Answer)>,
    /// A job was handed over and has not begun: it takes what waits.
    on_its_way: bool,
}

impl fmt::Debug for Openings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Openings").finish_non_exhaustive()
    }
}

impl Openings {
    /// Opens, or refuses; answers after the commit.
    pub(super) async fn open(&self, db: &Db, attempt: OpenAttempt) -> Result<Opening, DbError> {
        let (answer, answered) = oneshot::channel();
        let needs_job = {
            let mut waiting = self.lock();
            if waiting.attempts.len() >= WAITING_MAX {
                return Err(DbError::Overloaded);
            }
            waiting.attempts.push((attempt, answer));
            !std::mem::replace(&mut waiting.on_its_way, true)
        };
        if needs_job {
            self.hand_over(db, Handle::try_current().ok());
        }
        answered.await.unwrap_or_else(|_| Err(DbError::Unavailable("the writer stopped".to_owned())))
    }

    fn hand_over(&self, db: &Db, runtime: Option<Handle>) {
        let openings = self.clone();
        db.submit(Box::new(OpenJob { openings, db: db.clone(), runtime, begun: false, done: Vec::new() }));
    }

    /// One job's worth, the first first; and whether another job must take the rest.
    fn take(&self) -> (Vec<(OpenAttempt, Answer)>, bool) {
        let mut waiting = self.lock();
        let count = GROUP_ATTEMPTS.min(waiting.attempts.len());
        let rest = waiting.attempts.split_off(count);
        let taken = std::mem::replace(&mut waiting.attempts, rest);
        waiting.on_its_way = !waiting.attempts.is_empty();
        (taken, waiting.on_its_way)
    }

    fn take_all(&self) -> Vec<(OpenAttempt, Answer)> {
        std::mem::take(&mut *self.lock()).attempts
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Attempts that are opened in one savepoint.
struct OpenJob {
    openings: Openings,
    db: Db,
    runtime: Option<Handle>,
    begun: bool,
    done: Vec<(Answer, Result<Opening, DbError>)>,
}

impl WriteJob for OpenJob {
    fn run(&mut self, tx: &Transaction<'_>) -> Result<(), DbError> {
        let (taken, more) = self.openings.take();
        self.begun = true;
        if more {
            self.openings.hand_over(&self.db, self.runtime.clone());
        }
        let mut round = Round::new(tx, taken.len())?;
        let mut failed = None;
        for (attempt, answer) in taken {
            // Once a write failed all is taken back, and nobody else is tried.
            let opened = match &failed {
                Some(error) => Err(DbError::clone(error)),
                None => round.open(attempt).unwrap_or_else(|error| {
                    failed = Some(error.clone());
                    Err(error)
                }),
            };
            self.done.push((answer, opened));
        }
        match failed {
            Some(error) => Err(error),
            None => append_audit_in(tx, &round.rows),
        }
    }

    fn done(mut self: Box<Self>, outcome: Result<(), DbError>) {
        if !self.begun {
            let all = self.openings.take_all();
            let unwritten = || DbError::Bug("tickets were not looked at".to_owned());
            self.done.extend(all.into_iter().map(|(_, answer)| (answer, Err(unwritten()))));
        }
        let answers = Answers { held: std::mem::take(&mut self.done), outcome };
        let several = answers.held.len() > FEW;
        give_answers(answers, several, self.runtime.as_ref());
    }
}

/// Answers that are given when this is dropped, wherever that is.
struct Answers {
    held: Vec<(Answer, Result<Opening, DbError>)>,
    outcome: Result<(), DbError>,
}

impl Drop for Answers {
    fn drop(&mut self) {
        for (answer, opened) in self.held.drain(..) {
            // Even a refusal may rest on writes that were not committed, so all hear of a failure. Who
            // stopped waiting learns nothing.
            drop(answer.send(self.outcome.clone().and(opened)));
        }
    }
}

/// The attempts of one job: reads, decides and writes on the one writer, so no other attempt can come between.
struct Round<'t> {
    tx: &'t Transaction<'t>,
    add_lease: CachedStatement<'t>,
    /// How minters stand whom this job met; no attempt changes that.
    standings: Vec<(Principal, Option<Standing>)>,
    rows: Vec<AuditRow>,
}

impl<'t> Round<'t> {
    fn new(tx: &'t Transaction<'t>, attempts: usize) -> Result<Self, DbError> {
        let add_lease = tx.prepare_cached(ADD_LEASE)?;
        Ok(Self { tx, add_lease, standings: Vec::new(), rows: Vec::with_capacity(attempts) })
    }

    /// What can't be read fails alone (inside); a write that fails takes the whole job with it (outside).
    fn open(&mut self, mut attempt: OpenAttempt) -> Result<Result<Opening, DbError>, DbError> {
        let found = match Found::of(self.tx, &mut attempt) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Ok(Opening::Refused(Refusal::Unknown))),
            Err(error) => return Ok(Err(error)),
        };
        let decision = decide(&attempt, &found.stored, found.tag_number);
        let asks = matches!(decision, Decision::Redeem | Decision::Resume { .. });
        let standing = match asks.then(|| self.standing(&found.minter)).transpose() {
            Ok(standing) => standing.flatten(),
            Err(error) => return Ok(Err(error)),
        };
        let OpenAttempt { entrance, audit, now, new_tag, bounds, .. } = attempt;
        let entry = if asks { entrance.ask(&found.stored, &found.minter, standing) } else { Entry::Granted };
        match entry {
            Entry::Granted => {}
            Entry::Refused(refusal) => return Ok(Ok(Opening::Refused(refusal))),
            Entry::TurnedAway => return Ok(Ok(Opening::TurnedAway)),
        }
        let row = opening_audit(&decision, &audit, &found.minter, &found.stored.ticket, now);
        let write = Write { tx: self.tx, stored: &found.stored, now, new_tag };
        let opening = match decision {
            Decision::Refuse(refusal) => Opening::Refused(refusal),
            Decision::Redeem => write.redeem(&mut self.add_lease, Duration::from_millis(bounds.life_ms))?,
            Decision::Kill(reason) => write.kill(reason)?,
            Decision::Resume { presented, takes_over, takeovers } => {
                write.resume(presented, takes_over, &takeovers)?
            }
        };
        if !matches!(opening, Opening::Refused(_)) {
            self.rows.extend(row);
        }
        Ok(Ok(opening))
    }

    fn standing(&mut self, minter: &Principal) -> Result<Option<Standing>, DbError> {
        if let Some((_, standing)) = self.standings.iter().find(|(known, _)| known == minter) {
            return Ok(standing.clone());
        }
        let standing = standing::find_in(self.tx, minter)?;
        if self.standings.len() < STANDINGS {
            self.standings.push((minter.clone(), standing.clone()));
        }
        Ok(standing)
    }
}

/// What a decision rests on.
struct Found {
    stored: StoredTicket,
    minter: Principal,
    tag_number: Option<u64>,
}

impl Found {
    /// A fresh ticket is as its mint stored it. Whether it has a lease by now its redemption finds out.
    fn of(tx: &Transaction<'_>, attempt: &mut OpenAttempt) -> Result<Option<Self>, DbError> {
        if let Some(fresh) = attempt.fresh.take().filter(|_| attempt.tag.is_none()) {
            let FreshTicket { ticket, minter } = *fresh;
            let stored = StoredTicket { ticket, lease: None };
            return Ok(Some(Self { stored, minter, tag_number: None }));
        }
        let Some(stored) = find_in(tx, attempt.key)? else { return Ok(None) };
        let minter = minter_from(&stored.ticket.principal)?;
        let tag_number = match (attempt.tag, &stored.lease) {
            (Some(tag), Some(lease)) if lease.first_tag == Some(tag) => Some(1),
            (Some(tag), Some(_)) => tag_number(tx, stored.ticket.id.as_uuid(), tag)?,
            _ => None,
        };
        Ok(Some(Self { stored, minter, tag_number }))
    }
}

fn tag_number(tx: &Transaction<'_>, lease: Uuid, tag: [u8; 32]) -> Result<Option<u64>, DbError> {
    let mut statement =
        tx.prepare_cached("SELECT number FROM lease_tags WHERE lease_id = ?1 AND digest = ?2")?;
    Ok(statement.query_row(params![lease, tag], |row| row.get(0).map(unsigned)).optional()?)
}

/// One write that was decided.
struct Write<'w> {
    tx: &'w Transaction<'w>,
    stored: &'w StoredTicket,
    now: Timestamp,
    new_tag: [u8; 32],
}

impl Write<'_> {
    fn lease(&self) -> Uuid {
        self.stored.ticket.id.as_uuid()
    }

    /// Makes the lease, which is what spends the ticket: of racers the second finds that there is one,
    /// whatever was known before.
    fn redeem(self, add_lease: &mut CachedStatement<'_>, life: Duration) -> Result<Opening, DbError> {
        let ends_at = self.now.plus(life);
        let added = add_lease.execute(params![
            self.lease(),
            self.stored.ticket.digest,
            self.new_tag,
            self.now.as_millis(),
            ends_at.as_millis()
        ])?;
        if added == 0 {
            return Ok(Opening::Refused(Refusal::SpentWithoutTag));
        }
        Ok(self.opened(1, ends_at, (false, false)))
    }

    fn resume(self, presented: u64, takes_over: bool, takeovers: &[Timestamp]) -> Result<Opening, DbError> {
        let Some(lease) = &self.stored.lease else { return Ok(Opening::Refused(Refusal::Unknown)) };
        let number = lease.issued + 1;
        self.tx
            .prepare_cached(
                "UPDATE leases SET presented = ?2, issued = ?3, connected_at = ?4, ended_at = NULL,
                                   takeovers = ?5, sweep_at = expires_at WHERE id = ?1",
            )?
            .execute(params![
                self.lease(),
                signed(presented),
                signed(number),
                self.now.as_millis(),
                takeovers_to(takeovers)
            ])?;
        self.tx
            .prepare_cached("INSERT INTO lease_tags (lease_id, digest, number) VALUES (?1, ?2, ?3)")?
            .execute(params![self.lease(), self.new_tag, signed(number)])?;
        Ok(self.opened(number, lease.expires_at, (true, takes_over)))
    }

    fn opened(&self, tag_number: u64, ends_at: Timestamp, (resumed, took_over): (bool, bool)) -> Opening {
        let ticket = &self.stored.ticket;
        Opening::Opened(OpeningDone {
            lease_id: LeaseId::from(self.lease()),
            kind: ticket.kind,
            start: ticket.start,
            tag_number,
            resumed,
            took_over,
            ends_at,
        })
    }

    fn kill(self, reason: KillReason) -> Result<Opening, DbError> {
        let lease = LeaseId::from(self.lease());
        let now = self.now.as_millis();
        self.tx
            .prepare_cached("UPDATE leases SET dead_at = ?2, sweep_at = ?3 WHERE id = ?1")?
            .execute(params![self.lease(), now, now.saturating_add(DEAD_KEPT_MS)])?;
        insert_revocations_in(self.tx, &[NewRevocation::lease(lease, self.now)])?;
        Ok(Opening::Killed { lease, reason })
    }
}
