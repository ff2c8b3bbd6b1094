//! The gate: who asks, what they may open, and how it ends.
//!
//! Owns: principals, passwords, sessions, tokens, outside issuers, API keys, signatures,
//! idempotency keys, tickets, leases, caps, rate limits, revocation and the audit.
//! Must not: know the server framework, the log, or what a stream holds. Outgoing calls go
//! through [`Fetch`]; time and randomness are given.

mod accounts;
mod audit;
mod connections;
mod error;
mod facts;
mod gate;
mod idempotency;
mod issuers;
mod keys;
mod live;
mod passwords;
mod principal;
mod rates;
mod revocation;
mod scope;
mod seen;
mod sessions;
mod signatures;
pub mod store;
mod tickets;
mod tokens;

pub use accounts::{
    ChangePassword, EmailError, Login, LoginError, NewUser, PasswordError, Register, RegisterError, SignedIn,
    User, UserError,
};
pub use audit::{
    Actor, AuditEntry, AuditEvent, AuditFilter, AuditKind, AuditOrder, AuditPage, AuditRow, AuditVerdict,
};
pub use connections::{
    Connection, ConnectionFilter, ConnectionInfo, EndReason, NewConnection, Refused, StreamKind,
};
pub use error::{AuthError, GateError};
pub use facts::{ClientFacts, FetchSite};
pub use gate::{Gate, GateConfig, GateParts, GateRetention};
pub use idempotency::{IdempotencyToken, Idempotent, StoredAnswer};
pub use issuers::{Fetch, FetchError, IssuerConfig, NoFetch};
pub use keys::{CreatedKey, Key, KeyError, NewKey};
pub use passwords::{HashError, PasswordParams, PasswordRejected};
pub use principal::{Principal, Role, ServicePrincipal, UnknownRole, UserPrincipal, Via};
pub use rates::{Rate, RetryAfter, network_of};
pub use revocation::{NewRevocation, REVOCATIONS_TOPIC, Revocation, RevocationScope};
pub use scope::{Scope, ScopeError};
pub use sessions::{Issued, RefreshError, Session, SessionCookie, SessionKind};
pub use signatures::{SignatureError, SignatureHeaders};
pub use store::{GateStore, SqliteGate};
pub use tickets::{
    EnterError, MintError, Minted, OpenedLease, StreamRef, TicketError, TicketFor, TicketPreview,
    TicketRequest,
};
pub use tokens::{SigningKey, Tokens};

/// Re-exported, since passwords and tokens are given and taken in these.
pub use secrecy::{ExposeSecret, SecretString};
