//! Publishing: to one user, to a list of users, to everybody.

mod broadcast;
mod once;
mod record;
mod send;

use serde::Serialize;
use serde_json::value::RawValue;
use tidegate_types::{Offset, Timestamp, UserId};

use crate::EventType;

/// Whom an event is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// One user.
    User(UserId),
    /// Some users; each gets it once, however often named.
    Users(Vec<UserId>),
    /// Every user, in the background.
    Broadcast,
}

/// An event to publish.
#[derive(Clone, Debug)]
pub struct Publish {
    /// Whom it is for.
    pub audience: Audience,
    /// What happened.
    pub event_type: EventType,
    /// Its data, any JSON.
    pub data: Box<RawValue>,
    /// The publisher's own id: given twice for the same user, the first record stands.
    pub id: Option<String>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Published {
    /// The offset in each user's feed, in the order named.
    pub offsets: Vec<(UserId, Offset)>,
    /// The id of the broadcast, if it is one.
    pub operation: Option<String>,
}

/// How far a broadcast is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// Users are still to be sent it.
    Running,
    /// Every user was sent it.
    Done,
}

/// A broadcast.
#[derive(Clone, Debug, Serialize)]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// The event's type.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// How far it is.
    pub state: OperationState,
    /// How many users were sent it.
    pub sent: u64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the last user was sent it.
    pub finished_at: Option<Timestamp>,
    /// The last user that was sent it.
    #[serde(skip)]
    pub cursor: Option<UserId>,
    /// The event's data, as JSON text.
    #[serde(skip)]
    pub data: String,
    /// The publisher's own id of the event.
    #[serde(skip)]
    pub event_id: Option<String>,
}
