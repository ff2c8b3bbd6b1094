//! One group on its way through the store.

use std::collections::VecDeque;
use std::sync::Arc;

use tidegate_db::DbError;
use tidegate_types::Timestamp;
use tokio::runtime::Handle;

use super::command::{Answer, Answers, Command};
use super::plan::{Moved, Plan, Round, plan};
use crate::core::Core;
use crate::store::{Chunk, Group, Loaded, Needs, Write};

/// Hands a new group to the store; it takes what waits when the store is ready to write.
pub(crate) fn hand_over(core: &Arc<Core>) {
    hand_over_for(core, Handle::try_current().ok());
}

/// `runtime`: where those wait who wrote first.
fn hand_over_for(core: &Arc<Core>, runtime: Option<Handle>) {
    core.store.commit(Box::new(Batch {
        core: Arc::clone(core),
        runtime,
        begun: None,
        commands: VecDeque::new(),
        answers: Vec::new(),
        moved: Vec::new(),
        chunks: Vec::new(),
    }));
}

struct Batch {
    core: Arc<Core>,
    runtime: Option<Handle>,
    begun: Option<Begun>,
    commands: VecDeque<Command>,
    answers: Vec<Answer>,
    moved: Vec<Moved>,
    chunks: Vec<Chunk>,
}

struct Begun {
    at: Timestamp,
    needs: Needs,
}

impl Group for Batch {
    fn begin(&mut self) -> Needs {
        let (commands, more) = self.core.queue.take_group();
        if more {
            hand_over_for(&self.core, self.runtime.clone());
        }
        self.commands = commands;
        let mut heads = self.core.lock_heads();
        let at = heads.begin_round(self.core.clock.now());
        let needs = heads.needs(&self.commands);
        self.begun = Some(Begun { at, needs: needs.clone() });
        needs
    }

    fn plan(&mut self, loaded: Loaded) -> Result<Vec<Write>, DbError> {
        let Some(Begun { at, needs }) = self.begun.as_mut() else {
            return Err(DbError::Bug("a group was planned before it began".to_owned()));
        };
        let mut heads = self.core.lock_heads();
        let round = Round {
            number: heads.round(),
            at: *at,
            first_new_id: loaded.first_new_id,
            producers_per_stream: self.core.options.producers_per_stream,
            fork_depth: self.core.options.fork_depth,
            renewals: &self.core.renewals,
        };
        heads.learn(std::mem::take(needs), loaded);
        let Plan { writes, answers, moved, chunks } = plan(&mut heads, round, self.commands.drain(..));
        heads.shrink();
        drop(heads);
        self.core.queue.reuse(std::mem::take(&mut self.commands));
        self.answers = answers;
        self.moved = moved;
        self.chunks = chunks;
        Ok(writes)
    }

    fn rolled_back(&mut self) {
        // All of them: failures are rare, and which streams each group touched would have to be kept.
        self.core.lock_heads().clear();
    }

    fn done(mut self: Box<Self>, outcome: Result<(), DbError>) {
        if self.begun.is_none() {
            // The store takes no groups: what waits would wait for ever.
            self.commands = self.core.queue.take_all();
        }
        if outcome.is_err() {
            self.core.lock_heads().clear();
        }
        let mut news = Vec::new();
        // Before anybody hears of it: what is answered next is known to whoever asks then.
        match outcome {
            Ok(()) => {
                self.core.note_commits(&self.moved);
                news.extend(self.moved.iter().filter_map(|moved| self.core.publish(moved, &self.chunks)));
            }
            Err(_) => {
                self.core.known.doubt_all();
                // An error may have come after the commit: only the store knows.
                for moved in &self.moved {
                    self.core.registry.doubt(moved.stored.info.id);
                    self.core.changes.note(&moved.stored.info.path);
                }
            }
        }
        let failure =
            outcome.clone().err().unwrap_or_else(|| DbError::Bug("a write was not planned".to_owned()));
        self.commands.drain(..).for_each(|command| command.fail(failure.clone()));
        Answers::new(std::mem::take(&mut self.answers), outcome, news).give(self.runtime.as_ref());
    }
}
