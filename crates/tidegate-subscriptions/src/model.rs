//! What a subscription is.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use tidegate_log::StreamId;
use tidegate_types::{Offset, StreamPath, StreamPattern, Timestamp};

use crate::{Progress, WebhookUrl};

const ID_BYTES_MAX: usize = 256;
/// Everything but the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The name that its maker gave it: 1 to 256 bytes, without slash and control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubscriptionId(Box<str>);

/// The text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to 256 bytes, no slash and no control character")]
pub struct IdRefused;

impl SubscriptionId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as a segment of a URL.
    #[must_use]
    pub fn encoded(&self) -> String {
        percent_encoding::utf8_percent_encode(&self.0, SEGMENT).to_string()
    }
}

impl FromStr for SubscriptionId {
    type Err = IdRefused;

    fn from_str(text: &str) -> Result<Self, IdRefused> {
        let fits = (1..=ID_BYTES_MAX).contains(&text.len()) && !matches!(text, "." | "..");
        if !fits || text.contains(|c: char| c.is_control() || c == '/' || c == '\\') {
            return Err(IdRefused);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of a subscription; none is given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionUid(pub i64);

/// Whose it is, in words that only [`crate::Reach`] understands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner(Box<str>);

impl Owner {
    /// From its text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How it is told of a wake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A call of this URL.
    Webhook(Box<str>),
    /// A record of this stream, which workers read before they claim.
    PullWake(StreamPath),
}

impl Target {
    /// The word on the wire and in the store.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::PullWake(_) => "pull-wake",
        }
    }

    /// The URL or the stream, as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Webhook(url) => url,
            Self::PullWake(path) => path.as_str(),
        }
    }
}

/// A subscription to be made. It matches a pattern, names streams, or both.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// Its name.
    pub id: SubscriptionId,
    /// Whose it shall be.
    pub owner: Owner,
    /// How it shall be told.
    pub target: NewTarget,
    /// Which streams it shall match, those that are yet to be made included.
    pub pattern: Option<StreamPattern>,
    /// Which streams it shall have besides.
    pub streams: Vec<StreamPath>,
    /// How long a lease on a wake lasts; `None` for the default.
    pub lease: Option<Duration>,
    /// A note for people.
    pub description: Option<String>,
    /// Where this server is reached, `https://host`, for the callback's URL.
    pub origin: String,
}

/// How it shall be told.
#[derive(Clone, Debug)]
pub enum NewTarget {
    /// A call of this URL, as it was written.
    Webhook(String),
    /// A record of this stream.
    PullWake(StreamPath),
}

/// A subscription as it is now.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Its number.
    pub uid: SubscriptionUid,
    /// Its name.
    pub id: SubscriptionId,
    /// Whose it is.
    pub owner: Owner,
    /// How it is told.
    pub target: Target,
    /// Which streams it matches.
    pub pattern: Option<StreamPattern>,
    /// How long a lease on a wake lasts.
    pub lease: Duration,
    /// A note for people.
    pub description: Option<String>,
    /// What its maker asked for, as a digest.
    pub config_digest: [u8; 32],
    /// Where this server is reached, `https://host`.
    pub origin: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Rises with each change.
    pub version: u64,
    /// Where it stands.
    pub progress: Progress,
}

impl Subscription {
    /// Whether its pattern takes a stream. The server's own streams are taken only by a pattern that names their prefix.
    #[must_use]
    pub fn matches(&self, path: &StreamPath) -> bool {
        self.pattern.as_ref().is_some_and(|pattern| takes(pattern, path))
    }

    /// Where a webhook calls back.
    #[must_use]
    pub fn callback_url(&self) -> String {
        format!("{}/v1/stream/__ds/subscriptions/{}/callback", self.origin, self.id.encoded())
    }

    /// The stream that tells of its wakes.
    #[must_use]
    pub const fn wake_stream(&self) -> Option<&StreamPath> {
        match &self.target {
            Target::PullWake(path) => Some(path),
            Target::Webhook(_) => None,
        }
    }

    /// The URL that is called.
    #[must_use]
    pub fn webhook_url(&self) -> Option<&str> {
        match &self.target {
            Target::Webhook(url) => Some(url),
            Target::PullWake(_) => None,
        }
    }
}

/// Whether a pattern takes a stream: a star never reaches into the server's own streams.
pub(crate) fn takes(pattern: &StreamPattern, path: &StreamPath) -> bool {
    let first = path.as_str().split('/').next().unwrap_or_default();
    pattern.matches(path) && (!path.is_reserved() || pattern.first_segment() == first)
}

/// One stream of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it lives.
    pub path: StreamPath,
    /// Whether it was named.
    pub named: bool,
    /// Whether the pattern takes it.
    pub matched: bool,
    /// Which stream it was when it was last looked at; `None` when there was none.
    pub stream: Option<StreamId>,
    /// Everything up to here was worked on.
    pub acked: Offset,
    /// Where it ended when the present wake was last told.
    pub snapshot: Option<Offset>,
}

impl Link {
    /// The word on the wire; a name counts more than a match.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        if self.named { "explicit" } else { "glob" }
    }
}

impl From<WebhookUrl> for Target {
    fn from(url: WebhookUrl) -> Self {
        Self::Webhook(url.as_str().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_takes_none_of_the_servers_own_streams() {
        let takes = |pattern: &str, path: &str| takes(&pattern.parse().unwrap(), &path.parse().unwrap());
        assert!(takes("**", "events/a") && takes("generations/*", "generations/a"));
        assert!(!takes("**", "generations/a") && !takes("*/a", "generations/a"));
    }

    #[test]
    fn ids_that_read_differently_elsewhere_are_refused() {
        for bad in ["", "a/b", "a\\b", "..", "a\nb", &"x".repeat(257)] {
            assert_eq!(bad.parse::<SubscriptionId>(), Err(IdRefused));
        }
        assert!("sub-1 ü".parse::<SubscriptionId>().is_ok());
    }
}
