//! Subscriptions: whoever subscribes to streams is woken when they have something new, works under
//! a lease, and acknowledges what was done (Durable Streams, `__ds`).
//!
//! Owns: subscriptions and their streams, wakes and their generations, leases, webhooks and what
//! they are signed with, and the rule which URLs may be called.
//! Must not: know HTTP's server side, or users. Who may read what is asked of [`Reach`]; calls go
//! out through [`Deliver`].

mod deliver;
mod error;
mod manage;
mod model;
mod progress;
mod reach;
mod sign;
mod sqlite;
mod store;
mod subscriptions;
mod webhook;
mod work;

pub use deliver::{Deliver, DeliverError, NoDeliver, WebhookAnswer, WebhookCall};
pub use error::{AckError, ClaimError, CreateError, StreamsError, SubscriptionsError};
pub use manage::{Confirmed, View, ViewedStream};
pub use model::{
    IdRefused, Link, NewSubscription, NewTarget, Owner, Subscription, SubscriptionId, SubscriptionUid, Target,
};
pub use progress::{Phase, Progress, Status};
pub use reach::Reach;
pub use sign::PublicKey;
pub use sqlite::SqliteSubscriptions;
pub use store::{Bounds, Inserted, NewRow, SigningRow, SubscriptionsStore, Touched};
pub use subscriptions::{Subscriptions, SubscriptionsParts};
pub use webhook::{UrlRefused, WebhookPolicy, WebhookUrl, is_public};
pub use work::{Ack, Acked, Claimed, Holding};
