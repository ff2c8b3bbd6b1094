//! What crosses the wire in both directions.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_subscriptions::{Subscriptions, View, ViewedStream};
use tidegate_types::{ErrorCode, StreamPath, Timestamp};

use super::refusal::Refusal;
use crate::problem::Problem;

/// A subscription to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NewSubscription)]
pub(super) struct NewBody {
    /// `webhook` or `pull-wake`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Which streams it matches, those that are yet to be made included: `*` stands for one segment
    /// or a part of one, a last `**` for any number of segments.
    pub(super) pattern: Option<String>,
    /// Streams that it has by name.
    #[serde(default)]
    pub(super) streams: Vec<String>,
    /// What is called, for `webhook`.
    pub(super) webhook: Option<NewWebhook>,
    /// What tells workers of wakes, for `pull-wake`.
    pub(super) wake_stream: Option<String>,
    /// How long a lease on a wake lasts, in milliseconds.
    pub(super) lease_ttl_ms: Option<u64>,
    /// A note for people.
    pub(super) description: Option<String>,
}

/// A webhook to be called.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct NewWebhook {
    /// Where: https, a public host, port 443 or 8443.
    pub(super) url: String,
}

/// A subscription.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Subscription)]
pub(super) struct SubscriptionBody {
    id: String,
    subscription_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    streams: Vec<StreamBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<WebhookBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wake_stream: Option<String>,
    lease_ttl_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// `active`, or `failed` when the last try to tell of a wake failed.
    status: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// The number of its last wake.
    generation: u64,
}

/// A webhook, and what its calls are signed with.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WebhookBody {
    url: String,
    signing: SigningBody,
}

/// How a call is checked: Ed25519 over `t.body`, in the header `Webhook-Signature`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SigningBody {
    alg: &'static str,
    kid: String,
    jwks_url: String,
}

/// One stream of a subscription.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SubscriptionStream)]
pub(super) struct StreamBody {
    path: String,
    /// `explicit` if it was named, else `glob`.
    link_type: &'static str,
    /// Everything up to here was worked on.
    acked_offset: String,
    /// Its end.
    tail_offset: String,
    /// Whether there is something in between.
    has_pending: bool,
}

impl From<ViewedStream> for StreamBody {
    fn from(stream: ViewedStream) -> Self {
        Self {
            path: stream.path.to_string(),
            link_type: stream.kind,
            acked_offset: stream.acked.to_string(),
            tail_offset: stream.tail.to_string(),
            has_pending: stream.pending,
        }
    }
}

impl SubscriptionBody {
    pub(super) fn of(view: View, subscriptions: &Subscriptions) -> Self {
        let View { subscription, streams } = view;
        let signing = |origin: &str| SigningBody {
            alg: "ed25519",
            kid: subscriptions.signing_keys().first().map(|key| key.kid.clone()).unwrap_or_default(),
            jwks_url: format!("{origin}/v1/stream/__ds/jwks.json"),
        };
        let webhook = subscription
            .webhook_url()
            .map(|url| WebhookBody { url: url.to_owned(), signing: signing(&subscription.origin) });
        Self {
            id: subscription.id.to_string(),
            subscription_id: subscription.id.to_string(),
            kind: subscription.target.kind(),
            pattern: subscription.pattern.as_ref().map(|pattern| pattern.as_str().to_owned()),
            streams: streams.into_iter().map(StreamBody::from).collect(),
            webhook,
            wake_stream: subscription.wake_stream().map(ToString::to_string),
            lease_ttl_ms: u64::try_from(subscription.lease.as_millis()).unwrap_or(u64::MAX),
            description: subscription.description,
            created_at: subscription.created_at,
            status: subscription.progress.status().as_str(),
            last_error: subscription.progress.failure,
            generation: subscription.progress.generation,
        }
    }
}

/// Paths as the protocol's clients write them: a slash around them does not count.
pub(super) fn paths(texts: &[String]) -> Result<Vec<StreamPath>, Refusal> {
    texts.iter().map(|text| path(text)).collect()
}

pub(super) fn path(text: &str) -> Result<StreamPath, Refusal> {
    let bad = || Problem::new(ErrorCode::InvalidRequest).detail("a path of the request names no stream");
    let path: StreamPath = text.trim_matches('/').parse().map_err(|_| bad())?;
    if path.as_str().split('/').next() == Some("__ds") { Err(bad().into()) } else { Ok(path) }
}

/// What whoever works on a wake says of it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = WakeReport)]
pub(super) struct ReportBody {
    /// The wake's id.
    #[serde(default)]
    pub(super) wake_id: String,
    /// Its number.
    #[serde(default)]
    pub(super) generation: u64,
    /// What was worked on.
    #[serde(default)]
    pub(super) acks: Vec<AckBody>,
    /// Whether the work is done.
    #[serde(default)]
    pub(super) done: bool,
}

/// A stream was worked on up to an offset.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = WakeAck)]
pub(super) struct AckBody {
    /// The stream.
    #[serde(alias = "path")]
    pub(super) stream: String,
    /// The offset, as the stream gave it.
    #[schema(value_type = String)]
    pub(super) offset: Value,
}
