//! What an audit event says, and how the list of them is asked for.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use serde::Serialize;
use serde_json::Value;
use tidegate_types::{KeyId, StreamPath, Timestamp, UserId};
use uuid::Uuid;

use super::AuditRow;
use super::row::{Circumstances, Subject};
use crate::{ClientFacts, Principal};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum AuditKind {
            $($(#[$doc])* $name,)*
        }

        impl AuditKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word as it is stored and shown.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

kinds! {
    /// An account was made.
    Register = "register";
    /// Somebody signed in.
    SignIn = "sign-in";
    /// A sign-in was refused.
    SignInRefused = "sign-in-refused";
    /// Somebody signed out.
    SignOut = "sign-out";
    /// A refresh token was rotated.
    Refresh = "refresh";
    /// A spent refresh token came back: its session was ended.
    RefreshReused = "refresh-reused";
    /// A password was changed.
    PasswordChanged = "password-changed";
    /// A ticket was made.
    Mint = "mint";
    /// A ticket was spent.
    Redeem = "redeem";
    /// A lease was resumed by its tag.
    Resume = "resume";
    /// A resume displaced a socket that was still alive.
    TakeOver = "take-over";
    /// A lease was killed: an old tag came back, or it was taken over too often.
    LeaseKilled = "lease-killed";
    /// A ticket came from another origin than it was made for.
    OriginMismatch = "origin-mismatch";
    /// A credential stood in a URL.
    CredentialInUrl = "credential-in-url";
    /// A request was refused; `detail.code` says why.
    Refusal = "refusal";
    /// A session, user, key or lease was revoked.
    Revoke = "revoke";
    /// An API key was made.
    KeyCreated = "key-created";
    /// An API key was revoked.
    KeyRevoked = "key-revoked";
    /// A live stream was opened.
    StreamOpen = "stream-open";
    /// A live stream ended; `detail` says how and how long it was.
    StreamClose = "stream-close";
    /// An operator did something; `detail.action` says what.
    Admin = "admin";
    /// The store failed for so long that events were dropped; `detail.count` says how many.
    AuditLost = "audit-lost";
}

impl AuditKind {
    /// Reads the word as it is stored and shown.
    #[must_use]
    pub fn from_word(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for AuditKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Nobody we know.
    Anonymous,
    /// A signed-in user.
    User(UserId),
    /// A service, by its key.
    Key(KeyId),
    /// Who has the data folder: the command line.
    Operator,
    /// The server itself.
    Server,
}

impl Actor {
    /// Writes it as it is stored and shown.
    pub(crate) fn write_to(self, out: &mut impl fmt::Write) -> fmt::Result {
        let (kind, id) = match self {
            Self::Anonymous => return out.write_str("anonymous"),
            Self::User(id) => ("user:", id.as_uuid()),
            Self::Key(id) => ("key:", id.as_uuid()),
            Self::Operator => return out.write_str("operator"),
            Self::Server => return out.write_str("server"),
        };
        out.write_str(kind)?;
        out.write_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_to(f)
    }
}

impl From<&Principal> for Actor {
    fn from(principal: &Principal) -> Self {
        match principal {
            Principal::Anonymous => Self::Anonymous,
            Principal::User(user) => Self::User(user.user_id),
            Principal::Service(service) => Self::Key(service.key_id),
        }
    }
}

/// One thing that happened, without its time. Build it with [`AuditEvent::new`].
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// What happened.
    pub kind: AuditKind,
    /// Who did it.
    pub actor: Actor,
    /// To whom or what: an id, never a secret.
    pub subject: Option<String>,
    /// From where.
    pub address: Option<IpAddr>,
    /// In which request.
    pub request_id: Option<String>,
    /// On which stream.
    pub stream: Option<StreamPath>,
    /// The rest; never a secret.
    pub detail: Value,
}

impl AuditEvent {
    /// An event without circumstances.
    #[must_use]
    pub fn new(kind: AuditKind, actor: impl Into<Actor>) -> Self {
        Self {
            kind,
            actor: actor.into(),
            subject: None,
            address: None,
            request_id: None,
            stream: None,
            detail: Value::Null,
        }
    }

    /// With the address and the request id of the client.
    #[must_use]
    pub fn from_client(mut self, facts: &ClientFacts) -> Self {
        self.address = Some(facts.address);
        self.request_id = Some(facts.request_id.clone());
        self
    }

    /// With whom or what it was done to.
    #[must_use]
    pub fn subject(mut self, subject: impl fmt::Display) -> Self {
        self.subject = Some(subject.to_string());
        self
    }

    /// With the stream it was done on.
    #[must_use]
    pub fn stream(mut self, stream: &StreamPath) -> Self {
        self.stream = Some(stream.clone());
        self
    }

    /// With more to say; never a secret.
    #[must_use]
    pub fn detail(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }

    /// The row that stores it.
    #[must_use]
    pub fn at(self, at: Timestamp) -> AuditRow {
        let of = Circumstances {
            actor: self.actor,
            subject: self.subject.as_deref().map(Subject::Text),
            address: self.address,
            request_id: self.request_id.as_deref(),
            stream: self.stream.as_ref().map(StreamPath::as_str),
        };
        AuditRow::new(at, self.kind, &of, |text| match &self.detail {
            Value::Null => text.push_str("{}"),
            detail => {
                // Writing to a text does not fail.
                let _ = write!(text, "{detail}");
            }
        })
    }
}

/// One row as it was stored. Serialises as one line of the export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Its number; they have no holes.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What happened, a word of [`AuditKind`].
    pub kind: String,
    /// Who: `anonymous`, `user:…`, `key:…`, `operator` or `server`.
    pub actor: String,
    /// To whom or what.
    pub subject: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// On which stream.
    pub stream: Option<String>,
    /// The rest.
    pub detail: Value,
    /// The hash that chains it to the row before, in hexadecimal.
    pub hash: String,
}

/// Which rows are wanted; everything that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this kind.
    pub kind: Option<AuditKind>,
    /// Done by or to this user.
    pub user: Option<UserId>,
    /// On this stream.
    pub stream: Option<StreamPath>,
    /// At or after this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

/// Which end of the list comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditOrder {
    /// For people who look.
    #[default]
    NewestFirst,
    /// For exports.
    OldestFirst,
}

/// Which part of the list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditPage {
    /// The number of the last row that was seen.
    pub cursor: Option<u64>,
    /// Rows at most.
    pub limit: usize,
    /// Which end comes first.
    pub order: AuditOrder,
}

/// What a walk along the whole chain found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum AuditVerdict {
    /// Every row is as it was written, and none is missing.
    Intact {
        /// How many rows there are.
        rows: u64,
        /// The number of the last one.
        head: u64,
    },
    /// A row was changed, taken out or put in.
    Broken {
        /// The first row that does not fit.
        seq: u64,
        /// What does not fit.
        reason: &'static str,
    },
}
