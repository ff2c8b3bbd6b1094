//! What every handler can reach.
//!
//! Owns: the one concrete state of the router and the parts that it is built from.
//! Must not: hold anything that belongs to a single request.

use std::fmt;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use tidegate_documents::{Conversations, Documents};
use tidegate_events::Events;
use tidegate_gate::Gate;
use tidegate_generations::Generations;
use tidegate_log::Log;
use tidegate_subscriptions::Subscriptions;
use tidegate_types::{Clock, Entropy, Limits, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::config::HttpConfig;
use crate::edge::HostPolicy;
use crate::ops::Metrics;
use crate::subscriptions::EdgeReach;

/// Whether something that the server depends on works.
#[async_trait]
pub trait HealthCheck: Send + Sync {
    /// Checks it now, within a second or so.
    ///
    /// # Errors
    /// One sentence for the operator, without secrets; it goes to the log, never to a client.
    async fn check(&self) -> Result<(), String>;
}

/// All that the edge is built from.
pub struct HttpParts {
    /// Who may do what.
    pub gate: Gate,
    /// The streams.
    pub log: Log,
    /// Domain events and feeds.
    pub events: Events,
    /// Long-running jobs.
    pub generations: Generations,
    /// Documents, with their passages and their search.
    pub documents: Documents,
    /// Subscriptions to streams.
    pub subscriptions: Subscriptions,
    /// Questions over documents, and their answers.
    pub conversations: Conversations,
    /// Asked by `/readyz`.
    pub db_check: Arc<dyn HealthCheck>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// All bounds.
    pub limits: Arc<Limits>,
    /// Settings of the edge itself.
    pub config: HttpConfig,
    /// Counters; made outside so that another listener can serve them.
    pub metrics: Metrics,
}

/// The router's state: cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

struct Inner {
    parts: HttpParts,
    hosts: HostPolicy,
    asked_to_stop: CancellationToken,
    shutdown: CancellationToken,
    started_at: Timestamp,
}

/// The state, for what the state itself holds.
#[derive(Clone)]
pub(crate) struct WeakState(Weak<Inner>);

impl WeakState {
    /// The state, unless the server has ended.
    pub(crate) fn upgrade(&self) -> Option<AppState> {
        self.0.upgrade().map(AppState)
    }
}

impl AppState {
    pub(crate) fn new(
        parts: HttpParts,
        loopback: bool,
        asked_to_stop: CancellationToken,
        shutdown: CancellationToken,
    ) -> Self {
        let hosts = HostPolicy::new(&parts.config, loopback);
        let started_at = parts.clock.now();
        let subscriptions = parts.subscriptions.clone();
        let state = Self(Arc::new(Inner { parts, hosts, asked_to_stop, shutdown, started_at }));
        subscriptions.bind(Arc::new(EdgeReach::new(&state)));
        state
    }

    /// A handle that keeps nothing alive.
    pub(crate) fn downgrade(&self) -> WeakState {
        WeakState(Arc::downgrade(&self.0))
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.0.parts.gate
    }

    pub(crate) fn log(&self) -> &Log {
        &self.0.parts.log
    }

    pub(crate) fn events(&self) -> &Events {
        &self.0.parts.events
    }

    pub(crate) fn generations(&self) -> &Generations {
        &self.0.parts.generations
    }

    pub(crate) fn conversations(&self) -> &Conversations {
        &self.0.parts.conversations
    }

    pub(crate) fn documents(&self) -> &Documents {
        &self.0.parts.documents
    }

    pub(crate) fn subscriptions(&self) -> &Subscriptions {
        &self.0.parts.subscriptions
    }

    pub(crate) fn db_check(&self) -> &dyn HealthCheck {
        &*self.0.parts.db_check
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.parts.clock
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.0.parts.entropy
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.parts.limits
    }

    pub(crate) fn config(&self) -> &HttpConfig {
        &self.0.parts.config
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.parts.metrics
    }

    /// When this node began to serve.
    pub(crate) fn started_at(&self) -> Timestamp {
        self.0.started_at
    }

    pub(crate) fn hosts(&self) -> &HostPolicy {
        &self.0.hosts
    }

    /// Cancelled when the server drains; long waits end with it.
    pub(crate) fn shutdown(&self) -> &CancellationToken {
        &self.0.shutdown
    }

    /// Whether the server was asked to stop: it still serves for a moment, but wants no more to do.
    pub(crate) fn is_leaving(&self) -> bool {
        self.0.asked_to_stop.is_cancelled()
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.shutdown.is_cancelled()
    }
}

impl fmt::Debug for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppState")
    }
}
