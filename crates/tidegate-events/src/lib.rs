//! Domain events: what may be published, to whom, and each user's feed.
//!
//! Owns: event types and filters, the catalogue with its schemas, publishing to users and to
//! everybody, the streams `users/{id}/events`.
//! Must not: know HTTP, tickets or who may publish. Users are known through [`UserDirectory`].

mod catalogue;
mod directory;
mod error;
mod event_type;
mod events;
mod feed;
mod filter;
mod own;
mod publish;
mod sqlite;
mod store;

pub use catalogue::{CatalogueType, NewType, Violation};
pub use directory::UserDirectory;
pub use error::{EventsError, PublishError, RegisterError};
pub use event_type::{EventType, EventTypeError, RESERVED_TYPES};
pub use events::{Events, EventsParts};
pub use filter::{FilterError, TypeFilter};
pub use own::OwnEvent;
pub use publish::{Audience, Operation, OperationState, Publish, Published};
pub use sqlite::SqliteEvents;
pub use store::{Claimed, EventsStore, NewOperation};
