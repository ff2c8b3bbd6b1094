//! A server from opened parts to its last connection.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tidegate_db::Db;
use tidegate_documents::{Conversations, Documents};
use tidegate_events::Events;
use tidegate_gate::Gate;
use tidegate_generations::{Generations, Runner};
use tidegate_http::{HealthCheck, HttpParts, Metrics};
use tidegate_log::Log;
use tidegate_subscriptions::Subscriptions;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::lock::DataLock;
use super::settings;
use super::supervisor::{self, Work};
use super::wire::{Parts, Setup, make_folder, open_parts};
use crate::config::Refusal;

/// A server whose parts are open and whose background work has not begun.
pub struct Server {
    setup: Setup,
    parts: Parts,
    lock: DataLock,
}

/// Why a running server stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The sockets, or the certificate.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The address for metrics can't be listened on.
    #[error("server.metrics_addr = {addr} can't be listened on: {reason}")]
    Metrics {
        /// The address.
        addr: String,
        /// What the system said.
        reason: String,
    },
    /// The database failed for good.
    #[error("storage failed, start again: {0}")]
    Storage(String),
}

/// How long built-in jobs have to be handed back; they were asked to stop when the drain began.
const HAND_BACK: Duration = Duration::from_secs(6);

impl Server {
    /// Takes the lock, opens the database and every part.
    ///
    /// # Errors
    /// What can't be used, in the words of the configuration.
    pub async fn open(setup: Setup) -> Result<Self, Refusal> {
        if setup.database.parent() == Some(setup.data.as_path()) {
            make_folder(&setup.data)?;
        }
        let lock = DataLock::take(&setup.database)?;
        let parts = open_parts(&setup).await?;
        Ok(Self { setup, parts, lock })
    }

    /// Who may do what.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.parts.gate
    }

    /// The streams.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.parts.log
    }

    /// Domain events.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.parts.events
    }

    /// Long-running jobs.
    #[must_use]
    pub fn generations(&self) -> &Generations {
        &self.parts.generations
    }

    /// Uploaded documents.
    #[must_use]
    pub fn documents(&self) -> &Documents {
        &self.parts.documents
    }

    /// Questions over documents, and their answers.
    #[must_use]
    pub fn conversations(&self) -> &Conversations {
        &self.parts.conversations
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.parts.db
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &PathBuf {
        &self.setup.data
    }

    /// Serves until the token is cancelled, then drains within `limits.drain_ms`.
    ///
    /// # Errors
    /// The sockets or the storage failed.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> Result<(), ServeError> {
        let Self { setup, parts, lock } = self;
        let metrics = Metrics::new();
        // Its own token: when the server ends by itself, the rest has to end too.
        let stop = shutdown.child_token();
        let _stop_on_drop = stop.clone().drop_guard();
        let mut side = supervisor::start(work(&parts), &setup.clock, &stop);
        let runner = tokio::spawn(Runner::new(parts.generations.clone()).run(stop.clone()));
        if let Some(addr) = setup.config.server.metrics_addr {
            let bound = TcpListener::bind(addr.socket())
                .await
                .map_err(|error| ServeError::Metrics { addr: addr.to_string(), reason: error.to_string() })?;
            side.spawn(serve_metrics(bound, metrics.clone(), stop.clone()));
        }
        let mut failure = parts.db.failure();
        let gate = parts.gate.clone();
        let http = HttpParts {
            gate: parts.gate,
            log: parts.log,
            events: parts.events,
            generations: parts.generations,
            documents: parts.documents,
            subscriptions: parts.subscriptions,
            conversations: parts.conversations.clone(),
            db_check: Arc::new(DbCheck(parts.db)),
            clock: setup.clock,
            entropy: setup.entropy,
            limits: Arc::clone(&parts.limits),
            config: settings::http(&setup.config),
            metrics,
        };
        let conversations = parts.conversations;
        let served = serve_bounded(http, listener, &stop, Duration::from_millis(parts.limits.drain_ms));
        let result = tokio::select! {
            served = served => served.map_err(ServeError::from),
            reason = storage_failed(&mut failure) => Err(ServeError::Storage(reason)),
        };
        stop.cancel();
        if tokio::time::timeout(HAND_BACK, runner).await.is_err() {
            tracing::warn!("built-in jobs were not handed back in time; their leases run out");
        }
        if tokio::time::timeout(HAND_BACK, conversations.drain()).await.is_err() {
            tracing::warn!("answers were not ended in time; the next start ends them");
        }
        let rest = async { while side.join_next().await.is_some() {} };
        if tokio::time::timeout(Duration::from_secs(1), rest).await.is_err() {
            tracing::warn!("background work did not end in time");
        }
        // The ends of the streams that the drain closed are among what waits.
        if let Err(error) = gate.flush_audit().await {
            tracing::error!(%error, "the last rows of the audit could not be written");
        }
        drop(lock);
        result
    }
}

/// Serves; whatever hangs after the drain's time is left behind.
async fn serve_bounded(
    parts: HttpParts,
    listener: TcpListener,
    stop: &CancellationToken,
    drain: Duration,
) -> std::io::Result<()> {
    let served = tidegate_http::serve(listener, parts, stop.clone());
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        served = served => served,
        () = late => {
            tracing::warn!("the drain took too long, what is left is cut");
            Ok(())
        }
    }
}

fn work(parts: &Parts) -> Vec<Work> {
    let (log, gate) = (parts.log.clone(), parts.gate.clone());
    let (events, generations) = (parts.events.clone(), parts.generations.clone());
    let (documents, more_documents) = (parts.documents.clone(), parts.documents.clone());
    let conversations = parts.conversations.clone();
    let (more_events, goodbyes) = (events.clone(), Arc::clone(&parts.goodbyes));
    let mut work = subscription_work(&parts.subscriptions);
    work.extend([
        Work::new("log", move |now| {
            let log = log.clone();
            async move { log.step(now).await }
        }),
        Work::new("gate", move |now| {
            let gate = gate.clone();
            async move { Ok::<_, std::convert::Infallible>(gate.step(now).await) }
        }),
        Work::new("events", move |now| {
            let events = events.clone();
            async move { events.step(now).await }
        })
        .woken_by(move || {
            let events = more_events.clone();
            async move { events.woken().await }
        }),
        Work::new("documents", move |now| {
            let documents = documents.clone();
            async move { documents.step(now).await }
        })
        .woken_by(move || {
            let documents = more_documents.clone();
            async move { documents.woken().await }
        }),
        Work::new("conversations", move |now| {
            let conversations = conversations.clone();
            async move { conversations.step(now).await }
        }),
        Work::new("generations", move |now| {
            let generations = generations.clone();
            async move { generations.step(now).await }
        }),
        Work::new("goodbyes", move |now| {
            let goodbyes = Arc::clone(&goodbyes);
            async move { goodbyes.step(now).await }
        }),
    ]);
    work
}

/// Wakes, and as many works that call webhooks as may be called at once.
fn subscription_work(subscriptions: &Subscriptions) -> Vec<Work> {
    let deliveries = (0..subscriptions.deliveries_at_once()).map(|_| {
        let (step, woken) = (subscriptions.clone(), subscriptions.clone());
        Work::new("webhooks", move |now| {
            let subscriptions = step.clone();
            async move { subscriptions.deliver(now).await }
        })
        .woken_by(move || {
            let subscriptions = woken.clone();
            async move { subscriptions.delivery_woken().await }
        })
    });
    let (step, woken) = (subscriptions.clone(), subscriptions.clone());
    let wakes = Work::new("subscriptions", move |now| {
        let subscriptions = step.clone();
        async move { subscriptions.step(now).await }
    })
    .woken_by(move || {
        let subscriptions = woken.clone();
        async move { subscriptions.woken().await }
    });
    std::iter::once(wakes).chain(deliveries).collect()
}

async fn serve_metrics(listener: TcpListener, metrics: Metrics, stop: CancellationToken) {
    if let Err(error) = tidegate_http::serve_metrics(listener, metrics, stop).await {
        tracing::error!(%error, "the metrics listener stopped");
    }
}

async fn storage_failed(failure: &mut tokio::sync::watch::Receiver<Option<String>>) -> String {
    let failed = failure.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
    match failed {
        Some(reason) => reason,
        // The writer is gone only when the server is.
        None => std::future::pending().await,
    }
}

/// The database as `/readyz` asks for it.
struct DbCheck(Db);

#[async_trait]
impl HealthCheck for DbCheck {
    async fn check(&self) -> Result<(), String> {
        match tokio::time::timeout(Duration::from_secs(1), self.0.check()).await {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(_) => Err("the database did not answer within a second".to_owned()),
        }
    }
}
