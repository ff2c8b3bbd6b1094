//! How the streams of a subscription stand now.

use tidegate_log::StreamInfo;
use tidegate_types::{Offset, StreamPath};

use crate::{Link, Subscription, Subscriptions, SubscriptionsError, ViewedStream};

/// One stream: what is kept of it, and its end.
pub(crate) struct Standing {
    pub(crate) link: Link,
    pub(crate) tail: Offset,
    readable: bool,
    kept: Link,
}

/// All streams of a subscription.
pub(crate) struct Standings {
    streams: Vec<Standing>,
    gone: Vec<StreamPath>,
}

impl Subscriptions {
    /// Looks at every stream and asks what the owner may read. Paths that were deleted and made again start anew.
    pub(crate) async fn look(&self, subscription: &Subscription) -> Result<Standings, SubscriptionsError> {
        let links = self.store().list_links(subscription.uid).await?;
        let paths: Vec<StreamPath> = links.iter().map(|link| link.path.clone()).collect();
        let readable = self.reach()?.readable(&subscription.owner, &paths).await;
        let readable = readable.map_err(SubscriptionsError::Reach)?;
        let mut standings = Standings { streams: Vec::with_capacity(links.len()), gone: Vec::new() };
        for (link, readable) in links.into_iter().zip(readable) {
            match self.parts().log.lookup(&link.path).await? {
                None if !link.named => standings.gone.push(link.path),
                info => standings.streams.push(Standing::of(link, info.as_ref(), readable)),
            }
        }
        Ok(standings)
    }
}

impl Standing {
    fn of(mut link: Link, info: Option<&StreamInfo>, readable: bool) -> Self {
        let kept = link.clone();
        if let Some(info) = info {
            if link.stream.is_some_and(|known| known != info.id) {
                link.acked = Offset::START;
                link.snapshot = None;
            }
            link.stream = Some(info.id);
        }
        Self { tail: info.map_or(Offset::START, |info| info.tail), link, readable, kept }
    }

    fn is_pending(&self) -> bool {
        self.readable && self.tail > self.link.acked
    }

    fn view(&self) -> ViewedStream {
        ViewedStream {
            path: self.link.path.clone(),
            kind: self.link.kind(),
            acked: self.link.acked,
            tail: self.tail,
            pending: self.is_pending(),
        }
    }
}

impl Standings {
    /// The first stream with something that its owner may read and nobody worked on.
    pub(crate) fn first_pending(&self) -> Option<&StreamPath> {
        self.streams.iter().find(|standing| standing.is_pending()).map(|standing| &standing.link.path)
    }

    /// Every stream, those included that the owner may no longer read.
    pub(crate) fn all(&self) -> Vec<ViewedStream> {
        self.streams.iter().map(Standing::view).collect()
    }

    /// The streams that whoever works on a wake is told of.
    pub(crate) fn readable(&self) -> Vec<ViewedStream> {
        self.streams.iter().filter(|standing| standing.readable).map(Standing::view).collect()
    }

    pub(crate) fn find_mut(&mut self, path: &StreamPath) -> Option<&mut Standing> {
        self.streams.iter_mut().find(|standing| standing.link.path == *path)
    }

    /// Keeps where every readable stream ends now: what whoever says `done` has done.
    pub(crate) fn take_snapshot(&mut self) {
        for standing in &mut self.streams {
            standing.link.snapshot = standing.readable.then_some(standing.tail);
        }
    }

    /// Everything that was kept by the last snapshot was worked on.
    pub(crate) fn ack_snapshot(&mut self) {
        for standing in &mut self.streams {
            if let Some(snapshot) = standing.link.snapshot {
                standing.link.acked = standing.link.acked.max(snapshot);
            }
        }
    }

    /// What is to be written: changed links, and paths that are gone.
    pub(crate) fn into_changes(self) -> (Vec<Link>, Vec<StreamPath>) {
        let changed = self.streams.into_iter().filter(|standing| standing.link != standing.kept);
        (changed.map(|standing| standing.link).collect(), self.gone)
    }
}
