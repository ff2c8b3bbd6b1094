//! The bounded queue before the group commit.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::command::Command;

/// Commands and bytes of one group at most, so that one commit stays short.
const GROUP_COMMANDS: usize = 4_096;
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// Places that are kept when nothing waits.
const SPARE_COMMANDS: usize = 256;

#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    commands_max: usize,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    commands: VecDeque<Command>,
    bytes: usize,
    /// Memory for those that come next.
    spare: VecDeque<Command>,
    /// A group was handed to the store and has not begun yet: it will take what waits.
    on_its_way: bool,
}

/// The queue is full.
#[derive(Debug)]
pub(crate) struct Full;

impl Queue {
    pub(crate) fn new(commands_max: usize, bytes_max: usize) -> Self {
        Self { waiting: Mutex::default(), commands_max, bytes_max }
    }

    /// Queues a command. Answers whether a group must be handed to the store now.
    pub(crate) fn push(&self, command: Command) -> Result<bool, Full> {
        let weight = command.weight();
        let mut waiting = self.lock();
        let full = waiting.commands.len() >= self.commands_max
            || (waiting.bytes.saturating_add(weight) > self.bytes_max && !waiting.commands.is_empty());
        if full {
            return Err(Full);
        }
        waiting.bytes = waiting.bytes.saturating_add(weight);
        waiting.commands.push_back(command);
        Ok(!std::mem::replace(&mut waiting.on_its_way, true))
    }

    /// Takes one group's worth. Answers also whether another group must be handed over for the rest.
    pub(crate) fn take_group(&self) -> (VecDeque<Command>, bool) {
        let mut waiting = self.lock();
        if waiting.commands.len() <= GROUP_COMMANDS && waiting.bytes <= GROUP_BYTES {
            let spare = std::mem::take(&mut waiting.spare);
            (waiting.bytes, waiting.on_its_way) = (0, false);
            return (std::mem::replace(&mut waiting.commands, spare), false);
        }
        let (mut taken, mut bytes) = (VecDeque::new(), 0);
        while taken.len() < GROUP_COMMANDS && bytes < GROUP_BYTES {
            let Some(command) = waiting.commands.pop_front() else { break };
            bytes += command.weight();
            taken.push_back(command);
        }
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
        waiting.on_its_way = !waiting.commands.is_empty();
        (taken, waiting.on_its_way)
    }

    /// Takes back the memory of a group, which would else be asked for with each.
    pub(crate) fn reuse(&self, mut memory: VecDeque<Command>) {
        memory.clear();
        if memory.capacity() <= SPARE_COMMANDS {
            self.lock().spare = memory;
        }
    }

    /// Takes everything, for a store that takes no more groups.
    pub(crate) fn take_all(&self) -> VecDeque<Command> {
        std::mem::take(&mut *self.lock()).commands
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        // No code that can panic runs under the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
