//! The events that the server itself publishes.

use crate::EventType;

macro_rules! own_events {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)*) => {
        /// An event that the server itself publishes; in the catalogue from the start.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum OwnEvent { $($(#[doc = $doc])+ $name,)* }

        impl OwnEvent {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The event's type.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What it tells.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+)),* }
            }
        }
    };
}

own_events! {
    /// A generation was created.
    GenerationCreated = "generation.created";
    /// A generation moved on; at most one a second for each.
    GenerationProgress = "generation.progress";
    /// A generation ended with a result.
    GenerationCompleted = "generation.completed";
    /// A generation ended with an error.
    GenerationFailed = "generation.failed";
    /// A generation was cancelled.
    GenerationCancelled = "generation.cancelled";
    /// A document can be read and searched.
    DocumentReady = "document.ready";
    /// A document could not be processed.
    DocumentFailed = "document.failed";
    /// A session of this user ended.
    SessionEnded = "session.ended";
}

impl OwnEvent {
    /// The event of this type, if it is one of the server's own.
    #[must_use]
    pub fn from_type(event_type: &EventType) -> Option<Self> {
        Self::ALL.iter().copied().find(|own| own.as_str() == event_type.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_own_types_are_types() {
        for own in OwnEvent::ALL {
            let parsed: EventType = own.as_str().parse().unwrap();
            assert_eq!(OwnEvent::from_type(&parsed), Some(*own));
        }
    }
}
