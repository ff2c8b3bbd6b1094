//! What the writer remembers of a stream, and the rules of an append.
//!
//! Pure: no IO, no clock. A head may be ahead of the last commit; if a commit fails, every head
//! that the group touched is dropped and read again from the store.

use std::collections::HashMap;
use std::time::Duration;

use tidegate_types::{Offset, Timestamp};

use crate::store::{ProducerState, Stored, StoredHead};
use crate::stream::same_media_type;
use crate::{Append, AppendError, Producer, ProducerAck};

/// Producers whose state one head keeps in memory.
const PRODUCERS_IN_MEMORY: usize = 64;

/// What the writer remembers of a stream.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) stored: Stored,
    pub(crate) last_seq: Option<String>,
    /// A value of `None`: known to be unknown to the store. Most streams have no producers.
    #[expect(clippy::box_collection, reason = "a word instead of six, for each stream that is written")]
    producers: Option<Box<HashMap<String, Option<ProducerState>>>>,
    /// The round in which it was last used.
    pub(crate) used: u64,
    /// The round in which it last moved, and its place among those that moved in it.
    pub(super) moved: (u64, usize),
}

/// What an append will do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is written.
    Accepted { producer: Option<ProducerAck>, new_producer: bool },
    /// It was written before, or there is nothing to do.
    Settled { producer: Option<ProducerAck>, duplicate: bool },
}

impl Head {
    pub(crate) fn load(loaded: StoredHead, producers: Vec<String>) -> Self {
        let StoredHead { stored, last_seq, producers: states } = loaded;
        let mut head = Self { last_seq, ..Self::new(stored) };
        producers.into_iter().zip(states).for_each(|(id, state)| head.remember_producer(id, state));
        head
    }

    pub(crate) fn new(stored: Stored) -> Self {
        Self { stored, last_seq: None, producers: None, used: 0, moved: (0, 0) }
    }

    /// Whether the state of this producer must be loaded first.
    pub(crate) fn lacks_producer(&self, id: &str) -> bool {
        self.producers.as_ref().is_none_or(|known| !known.contains_key(id))
    }

    pub(crate) fn remember_producer(&mut self, id: String, state: Option<ProducerState>) {
        self.producers.get_or_insert_default().insert(id, state);
    }

    /// Forgets producers beyond the bound; the store still knows them.
    pub(crate) fn shrink(&mut self) {
        self.producers.take_if(|known| known.len() > PRODUCERS_IN_MEMORY);
    }

    /// Decides about an append and, if it is accepted, moves everything but the tail.
    ///
    /// The order of the checks is the protocol's: a stale or repeated producer is told so even
    /// when the stream has been closed since.
    pub(crate) fn judge(&mut self, append: &Append) -> Result<Verdict, AppendError> {
        let info = &self.stored.info;
        let wrong_type = append
            .content_type
            .as_deref()
            .filter(|given| !append.records.is_empty() && !same_media_type(given, &info.content_type));
        let (closed, tail, only_closes) = (info.closed, info.tail, append.records.is_empty());
        let known = self.producer_state(append.producer.as_ref());
        let numbering = append.producer.as_ref().map(|given| check_numbers(given, known));
        match numbering {
            Some(Err(stale @ AppendError::StaleEpoch { .. })) => return Err(stale),
            Some(Ok(Numbers::Repeated(ack))) => {
                return Ok(Verdict::Settled { producer: Some(ack), duplicate: true });
            }
            _ if closed && only_closes && append.producer.is_none() => {
                return Ok(Verdict::Settled { producer: None, duplicate: false });
            }
            _ if closed => return Err(AppendError::Closed { tail }),
            _ => {}
        }
        if wrong_type.is_some() {
            return Err(AppendError::ContentTypeMismatch { expected: info.content_type.to_string() });
        }
        let producer = match numbering {
            Some(Err(error)) => return Err(error),
            Some(Ok(Numbers::Next(ack) | Numbers::Repeated(ack))) => Some(ack),
            None => None,
        };
        if let (Some(last), Some(given)) = (&self.last_seq, &append.seq)
            && given.as_bytes() <= last.as_bytes()
        {
            return Err(AppendError::SequenceConflict { last: last.clone() });
        }
        if append.expect_tail.is_some_and(|expected| expected != tail) {
            return Err(AppendError::TailMoved { tail });
        }
        Ok(Verdict::Accepted { producer, new_producer: producer.is_some() && known.is_none() })
    }

    fn producer_state(&self, producer: Option<&Producer>) -> Option<ProducerState> {
        let known = self.producers.as_ref()?;
        producer.and_then(|given| known.get(&given.id).copied().flatten())
    }

    /// Moves the head past an accepted append. Answers the position before its records.
    pub(crate) fn advance(&mut self, append: &Append, producer: Option<ProducerAck>) -> Offset {
        let first = self.stored.info.tail;
        self.stored.info.tail = first.plus(append.records.len() as u64);
        self.stored.info.closed |= append.close;
        if let Some(seq) = &append.seq {
            self.last_seq = Some(seq.clone());
        }
        if let (Some(given), Some(ack)) = (&append.producer, producer) {
            let state = ProducerState { epoch: ack.epoch, last_seq: ack.seq };
            self.remember_producer(given.id.clone(), Some(state));
        }
        first
    }

    /// Moves the stored deadline of a sliding life, if it lies at least `slack` back. Answers
    /// whether it moved.
    pub(crate) fn renew(&mut self, at: Timestamp, slack: Duration) -> bool {
        let Some(ttl) = self.stored.info.ttl else { return false };
        let renewed = at.plus(ttl);
        let moves = self.stored.deadline.is_none_or(|old| renewed > old && renewed.since(old) >= slack);
        if moves {
            self.stored.deadline = Some(renewed);
        }
        moves
    }

    /// How far the stored deadline may lie behind: a tenth of the life.
    pub(crate) fn slack(&self) -> Duration {
        self.stored.info.ttl.unwrap_or_default() / 10
    }
}

enum Numbers {
    Next(ProducerAck),
    Repeated(ProducerAck),
}

fn check_numbers(given: &Producer, known: Option<ProducerState>) -> Result<Numbers, AppendError> {
    let ack = ProducerAck { epoch: given.epoch, seq: given.seq };
    let expected = match known {
        None => 0,
        Some(state) if given.epoch < state.epoch => {
            return Err(AppendError::StaleEpoch { current: state.epoch });
        }
        Some(state) if given.epoch > state.epoch => {
            return if given.seq == 0 { Ok(Numbers::Next(ack)) } else { Err(AppendError::EpochStart) };
        }
        Some(state) if given.seq <= state.last_seq => {
            return Ok(Numbers::Repeated(ProducerAck { epoch: state.epoch, seq: state.last_seq }));
        }
        Some(state) => state.last_seq + 1,
    };
    if given.seq == expected {
        Ok(Numbers::Next(ack))
    } else {
        Err(AppendError::ProducerGap { expected, received: given.seq })
    }
}
