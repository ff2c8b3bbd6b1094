//! Counters, gauges and histograms, and their page for Prometheus.
//!
//! Owns: names and label sets. Every label comes from a closed set: route templates, codes,
//! reasons.
//! Must not: take a user, an address or a stream as a label.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::HeaderMap;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use serde::Serialize;
use tidegate_types::ErrorCode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::exposition;
use crate::AppState;
use crate::problem::Problem;

/// What the server counts; clones share the counters.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    /// The counters of one route, by status, found once: streams are asked for more often than
    /// anything else.
    stream_requests: [OnceLock<Counter>; STATUSES],
    request_seconds: Histogram,
    problems: Family<CodeLabel, Counter>,
    token_requests: Family<ResultLabel, Counter>,
    redemptions: Family<ResultLabel, Counter>,
    connections: Gauge,
    connections_opened: Counter,
    connections_refused: Family<ReasonLabel, Counter>,
    connection_seconds: Family<ReasonLabel, Histogram, fn() -> Histogram>,
    reconnects: Counter,
    events_delivered: Counter<u64, AtomicU64>,
    append_seconds: Histogram,
    sockets: Gauge,
    sockets_refused: Family<ReasonLabel, Counter>,
}

/// Statuses that have a place of their own: 100 to 599.
const STATUSES: usize = 500;
const STATUS_FIRST: u16 = 100;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// The counters that an operator's page shows.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Totals {
    /// Open sockets now.
    pub(crate) sockets: i64,
    /// Live streams opened since the start.
    pub(crate) connections_opened: u64,
    /// Live streams resumed since the start.
    pub(crate) reconnects: u64,
    /// Records sent to readers since the start.
    pub(crate) events_delivered: u64,
}

/// What became of a ticket that was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redemption {
    /// Spent; a lease began.
    Opened,
    /// A spent one with a current tag.
    Resumed,
    /// Not accepted.
    Refused,
}

/// Why a socket was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Refusal {
    /// The node holds as many as it may.
    Node,
    /// The address holds as many as it may.
    Address,
    /// The TLS handshake failed or took too long.
    Handshake,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All counters at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut inner = Inner {
            registry: Registry::with_prefix("tidegate"),
            requests: Family::default(),
            stream_requests: [const { OnceLock::new() }; STATUSES],
            request_seconds: Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0]),
            problems: Family::default(),
            token_requests: Family::default(),
            redemptions: Family::default(),
            connections: Gauge::default(),
            connections_opened: Counter::default(),
            connections_refused: Family::default(),
            connection_seconds: Family::new_with_constructor(long_histogram),
            reconnects: Counter::default(),
            events_delivered: Counter::default(),
            append_seconds: Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0]),
            sockets: Gauge::default(),
            sockets_refused: Family::default(),
        };
        inner.register_requests();
        inner.register_streams();
        Self(Arc::new(inner))
    }

    /// The page for Prometheus.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a string fails for no reason but a broken label, which the tests would show.
        if encode(&mut text, &self.0.registry).is_err() {
            text.clear();
        }
        text
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            sockets: self.0.sockets.get(),
            connections_opened: self.0.connections_opened.get(),
            reconnects: self.0.reconnects.get(),
            events_delivered: self.0.events_delivered.get(),
        }
    }

    pub(crate) fn request_answered(&self, route: &str, status: u16, took: Duration) {
        self.requests_of(route, status).inc();
        self.0.request_seconds.observe(took.as_secs_f64());
    }

    /// The same for the one route of streams.
    pub(crate) fn stream_answered(&self, route: &str, status: u16, took: Duration) {
        let place = self.0.stream_requests.get(usize::from(status.wrapping_sub(STATUS_FIRST)));
        match place {
            Some(counter) => counter.get_or_init(|| self.requests_of(route, status)).inc(),
            None => self.requests_of(route, status).inc(),
        };
        self.0.request_seconds.observe(took.as_secs_f64());
    }

    fn requests_of(&self, route: &str, status: u16) -> Counter {
        self.0.requests.get_or_create_owned(&RequestLabels { route: route.to_owned(), status })
    }

    pub(crate) fn problem_answered(&self, code: ErrorCode) {
        self.0.problems.get_or_create(&CodeLabel { code: code.as_str() }).inc();
    }

    /// A ticket was asked for; `refused` says why it was not minted.
    pub(crate) fn token_requested(&self, refused: Option<ErrorCode>) {
        let result = refused.map_or("minted", ErrorCode::as_str);
        self.0.token_requests.get_or_create(&ResultLabel { result }).inc();
    }

    /// A ticket was presented on a stream route.
    pub(crate) fn ticket_presented(&self, redemption: Redemption) {
        let result = match redemption {
            Redemption::Opened => "opened",
            Redemption::Resumed => "resumed",
            Redemption::Refused => "refused",
        };
        self.0.redemptions.get_or_create(&ResultLabel { result }).inc();
        if redemption == Redemption::Resumed {
            self.reconnected();
        }
    }

    /// A live stream began; the same number of [`Metrics::connection_ended`] must follow.
    pub(crate) fn connection_opened(&self) {
        self.0.connections.inc();
        self.0.connections_opened.inc();
    }

    /// A live stream ended; `reason` is one of the contract's words, or `gone` when the client left.
    pub(crate) fn connection_ended(&self, reason: &'static str, lasted: Duration) {
        self.0.connections.dec();
        self.0.connection_seconds.get_or_create(&ReasonLabel { reason }).observe(lasted.as_secs_f64());
    }

    /// A live stream was refused.
    pub(crate) fn connection_refused(&self, code: ErrorCode) {
        self.0.connections_refused.get_or_create(&ReasonLabel { reason: code.as_str() }).inc();
    }

    /// A client came back with the position that it had reached.
    pub(crate) fn reconnected(&self) {
        self.0.reconnects.inc();
    }

    pub(crate) fn events_delivered(&self, events: u64) {
        self.0.events_delivered.inc_by(events);
    }

    /// An append was acknowledged.
    pub(crate) fn appended(&self, took: Duration) {
        self.0.append_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn socket_opened(&self) {
        self.0.sockets.inc();
    }

    pub(crate) fn socket_closed(&self) {
        self.0.sockets.dec();
    }

    pub(crate) fn socket_refused(&self, refusal: Refusal) {
        let reason = match refusal {
            Refusal::Node => "node",
            Refusal::Address => "address",
            Refusal::Handshake => "handshake",
        };
        self.0.sockets_refused.get_or_create(&ReasonLabel { reason }).inc();
    }
}

impl Inner {
    fn register_requests(&mut self) {
        let registry = &mut self.registry;
        registry.register("requests", "Requests answered", self.requests.clone());
        registry.register_with_unit(
            "request",
            "Time until an answer's head",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        registry.register("problems", "Refusals by code", self.problems.clone());
        registry.register("token_requests", "Tickets asked for, by result", self.token_requests.clone());
        registry.register("redemptions", "Tickets presented, by result", self.redemptions.clone());
        registry.register_with_unit(
            "append",
            "Time until an append is on stable storage",
            Unit::Seconds,
            self.append_seconds.clone(),
        );
    }

    fn register_streams(&mut self) {
        let registry = &mut self.registry;
        registry.register("connections", "Live streams now", self.connections.clone());
        registry.register("connections_opened", "Live streams opened", self.connections_opened.clone());
        registry.register("connections_refused", "Live streams refused", self.connections_refused.clone());
        registry.register_with_unit(
            "connection",
            "Life of live streams, by end reason",
            Unit::Seconds,
            self.connection_seconds.clone(),
        );
        registry.register("reconnects", "Live streams resumed", self.reconnects.clone());
        registry.register("events_delivered", "Records sent to readers", self.events_delivered.clone());
        registry.register("sockets", "Open sockets now", self.sockets.clone());
        registry.register("sockets_refused", "Sockets turned away", self.sockets_refused.clone());
    }
}

fn long_histogram() -> Histogram {
    Histogram::new([1.0, 10.0, 60.0, 300.0, 1_800.0, 7_200.0, 43_200.0])
}

/// The counters, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "operations", security(()),
    responses((status = 200, description = "OpenMetrics if `Accept` names it, else Prometheus' own text", content(
        (String = "text/plain"),
        (String = "application/openmetrics-text"),
    )))
)]
pub(crate) async fn metrics(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, Problem> {
    if !state.config().serve_metrics {
        return Err(ErrorCode::NotFound.into());
    }
    Ok(exposition::page(state.metrics().render(), &headers))
}

/// A router with nothing but `/metrics`, for a listener of its own.
pub fn metrics_router(metrics: Metrics) -> Router {
    Router::new()
        .route("/metrics", get(async move |headers: HeaderMap| exposition::page(metrics.render(), &headers)))
}

/// Serves nothing but `/metrics`, for scrapers on a network of their own.
///
/// # Errors
/// The listener broke.
pub async fn serve_metrics(
    listener: TcpListener,
    metrics: Metrics,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, metrics_router(metrics)).with_graceful_shutdown(shutdown.cancelled_owned()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_holds_every_counter_with_labels_from_closed_sets() {
        let metrics = Metrics::new();
        metrics.request_answered("/api/v1/generations/{id}", 200, Duration::from_millis(3));
        metrics.problem_answered(ErrorCode::TicketInvalid);
        metrics.token_requested(None);
        metrics.ticket_presented(Redemption::Resumed);
        metrics.connection_opened();
        metrics.connection_ended("eof", Duration::from_secs(5));
        metrics.connection_refused(ErrorCode::ConnectionLimit);
        metrics.events_delivered(7);
        metrics.appended(Duration::from_millis(2));
        metrics.socket_opened();
        metrics.socket_refused(Refusal::Node);
        let page = metrics.render();
        for line in [
            "tidegate_requests_total{route=\"/api/v1/generations/{id}\",status=\"200\"} 1",
            "tidegate_problems_total{code=\"ticket-invalid\"} 1",
            "tidegate_token_requests_total{result=\"minted\"} 1",
            "tidegate_redemptions_total{result=\"resumed\"} 1",
            "tidegate_reconnects_total 1",
            "tidegate_connections 0",
            "tidegate_connections_refused_total{reason=\"connection-limit\"} 1",
            "tidegate_connection_seconds_count{reason=\"eof\"} 1",
            "tidegate_events_delivered_total 7",
            "tidegate_append_seconds_count 1",
            "tidegate_sockets 1",
            "tidegate_sockets_refused_total{reason=\"node\"} 1",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
    }
}
