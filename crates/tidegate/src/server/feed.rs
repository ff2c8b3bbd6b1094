//! What happens to generations, told in their owners' feeds.

use async_trait::async_trait;
use tidegate_events::{Events, OwnEvent};
use tidegate_generations::{Announce, AnnounceFailed, Announcement};

/// Tells by publishing.
#[derive(Debug)]
pub(super) struct FeedAnnounce(pub(super) Events);

#[async_trait]
impl Announce for FeedAnnounce {
    async fn announce(&self, announcement: &Announcement) -> Result<(), AnnounceFailed> {
        let Some(event) = OwnEvent::ALL.iter().copied().find(|e| e.as_str() == announcement.event_type)
        else {
            return Err(AnnounceFailed(format!("no own event is called {}", announcement.event_type)));
        };
        self.0
            .publish_own(announcement.owner, event, &announcement.data, announcement.id.as_deref())
            .await
            .map(|_| ())
            .map_err(|error| AnnounceFailed(error.to_string()))
    }
}
