//! The edge: HTTP in, domain calls out, problem answers and event streams back.
//!
//! Owns: routes, extractors, middleware, problem answers, framing, the tail loop, the accept
//! loop and the OpenAPI document.
//! Must not: know SQL, or decide anything that a domain crate decides.
//!
//! A request passes `server` (socket) → `edge` (middleware) → `router` → a handler of an area. Requests for
//! streams pass from `edge` straight to theirs.

mod access;
mod admin;
mod auth;
mod config;
mod conversations;
mod credential;
mod documents;
mod edge;
mod events;
mod extract;
mod framing;
mod generations;
mod idempotency;
mod keys;
mod legacy;
mod ops;
mod problem;
mod router;
mod server;
mod shards;
mod state;
mod streams;
mod subscriptions;
mod tail;
mod tickets;
mod wire;
mod work;

pub use config::{AccessRule, HttpConfig, StreamAuth, TlsFiles, Who};
pub use ops::{Metrics, metrics_router, serve_metrics};
pub use router::openapi;
pub use server::serve;
pub use state::{AppState, HealthCheck, HttpParts};
