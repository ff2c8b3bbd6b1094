//! The closed list of failures that a client can meet, and what each means on the wire.
//!
//! Domain errors say their own code; the edge turns a code into a status and a problem page.
//! Every match here is total, so that a new code has to answer every question.

use std::fmt;

use serde::Serialize;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal, $help:literal;)*) => {
        /// Why a request failed: stable, kebab-case on the wire (`code` of a problem answer).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* #[doc = $title] $name,)*
        }

        impl ErrorCode {
            /// All codes, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as it stands on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The HTTP status that carries it (RFC 9110 section 15).
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// A short title, the same for every occurrence (RFC 9457 section 3.1.3).
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            /// What to do about it, for the page at `/problems/{code}`.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$name => $help),* }
            }
        }
    };
}

error_codes! {
    Unauthenticated = "unauthenticated", 401, "No credential", "Send `Authorization: Bearer …`, a session cookie, or on a stream route a ticket.";
    InvalidToken = "invalid-token", 401, "Credential not accepted", "The token or key is malformed, forged, revoked or made for another service. Sign in again.";
    TokenExpired = "token-expired", 401, "Access token expired", "Refresh the token at `POST /api/v1/auth/refresh` and try once more.";
    TicketInvalid = "ticket-invalid", 401, "Ticket not accepted", "A ticket opens one stream once within 60 seconds. Mint a new one; do not retry with this one.";
    CredentialInUrl = "credential-in-url", 401, "Credential in the URL", "URLs end up in logs. Send the credential as a header, or mint a ticket: the only secret a URL may carry. Treat the one you sent as leaked.";
    InvalidCredentials = "invalid-credentials", 401, "Email or password is wrong", "Check both. The answer is the same for an unknown email on purpose.";
    RefreshReused = "refresh-reused", 401, "Refresh token was used before", "The token was spent; the session was ended for safety. Sign in again.";
    BadSignature = "bad-signature", 401, "Signature not accepted", "Sign `id.timestamp.body` with the key's `whsec_` secret; the timestamp must be fresh and the id new.";
    Forbidden = "forbidden", 403, "Not allowed", "You are known, but this is not yours.";
    InsufficientScope = "insufficient-scope", 403, "Key lacks a scope", "Create a key with the scope that the answer names.";
    AccountDisabled = "account-disabled", 403, "Account is disabled", "An operator disabled this account.";
    RegistrationClosed = "registration-closed", 403, "Registration is closed", "Ask an operator for an account (`tidegate user add`).";
    CrossSiteRequest = "cross-site-request", 403, "Cross-site request refused", "Cookie requests must come from this origin or a listed one.";
    OriginNotAllowed = "origin-not-allowed", 403, "Origin is not listed", "Add the exact origin to `cors.origins`.";
    NotFound = "not-found", 404, "No such thing", "Check the id or path; it may have been deleted.";
    SubscriptionNotFound = "subscription-not-found", 404, "No such subscription", "Check the id; it may have been deleted, or belong to somebody else.";
    MethodNotAllowed = "method-not-allowed", 405, "Method not allowed here", "The `Allow` header lists what this path takes.";
    NotAcceptable = "not-acceptable", 406, "No acceptable representation", "Ask for a media type that this route offers.";
    RequestTimeout = "request-timeout", 408, "The request took too long to arrive", "Send the body without long pauses.";
    Conflict = "conflict", 409, "Conflict with the present state", "Look at the present state and decide again.";
    EmailTaken = "email-taken", 409, "Email already registered", "Sign in instead, or use another email.";
    IdTaken = "id-taken", 409, "Id is taken", "The id exists with another owner or another body. Choose another id.";
    IdempotencyConflict = "idempotency-conflict", 409, "Idempotency key was used for another request", "Use a new key for a new request.";
    Fenced = "fenced", 409, "Another worker holds the lease", "Stop working on this generation: its lease passed on.";
    InvalidTransition = "invalid-transition", 409, "Not possible in this state", "The record's `status` says what is possible.";
    StreamExists = "stream-exists", 409, "Stream exists with another configuration", "Create it with the same content type and expiry, or choose another path.";
    StreamClosed = "stream-closed", 409, "Stream is closed", "A closed stream takes no more records.";
    ContentTypeMismatch = "content-type-mismatch", 409, "Content type differs from the stream's", "Append with the content type that the stream was created with.";
    SequenceConflict = "sequence-conflict", 409, "Sequence does not rise", "`Stream-Seq` must be greater than the last one accepted.";
    ProducerGap = "producer-gap", 409, "Producer skipped a sequence number", "Send the batch that `Producer-Expected-Seq` names first.";
    SubscriptionAlreadyExists = "subscription-already-exists", 409, "Subscription exists with another configuration", "Choose another id, or delete the subscription first.";
    SubscriptionLimit = "subscription-limit", 409, "Too many subscriptions or streams", "Delete a subscription, or match fewer streams; the bounds are settings.";
    AlreadyClaimed = "already-claimed", 409, "Another worker works on this subscription", "Wait for its next wake, or for the lease to run out.";
    NoPendingWork = "no-pending-work", 409, "Nothing to do", "Every stream of the subscription is acknowledged up to its end.";
    InvalidOffset = "invalid-offset", 409, "Offset can't be acknowledged", "Acknowledge an offset of a stream of this subscription, not before the last one and not past the stream's end.";
    CursorAhead = "cursor-ahead", 409, "Cursor is ahead of the stream", "The stream is shorter than this cursor, as after a restore. Read again from the start.";
    StaleEpoch = "stale-epoch", 403, "Producer epoch is stale", "A newer instance of this producer has taken over.";
    DocumentLimit = "document-limit", 409, "Too many documents", "Delete documents that are no longer needed; the limits are settings of the server.";
    ConversationBusy = "conversation-busy", 409, "Conversation is busy", "Another question of this conversation is being answered. Wait for it, stop it, or ask with `?if_busy=wait`.";
    ConversationLimit = "conversation-limit", 409, "Too many conversations or turns", "Delete conversations that are no longer needed; the limits are settings of the server.";
    Gone = "gone", 410, "No longer there", "The range was trimmed or the thing was deleted.";
    BodyTooLarge = "body-too-large", 413, "Body is too large", "Send less; the limits are settings of the server.";
    UnsupportedMediaType = "unsupported-media-type", 415, "Media type not accepted", "Send the media type that the route documents.";
    EncodingNotAccepted = "encoding-not-accepted", 415, "Content encoding not accepted", "Send the body without `Content-Encoding`.";
    HostNotAllowed = "host-not-allowed", 421, "Host is not served here", "Add the host to `server.hosts`.";
    ValidationFailed = "validation-failed", 422, "Some fields are not valid", "`errors` names each field.";
    WeakPassword = "weak-password", 422, "Password is too weak", "Use at least 8 characters that are not a common password.";
    PasswordTooLong = "password-too-long", 422, "Password is too long", "Use at most 1,024 bytes.";
    UnknownFramework = "unknown-framework", 422, "Unknown framework", "List the name in `generations.external` for outside workers to claim it.";
    InvalidEventType = "invalid-event-type", 422, "Event type not accepted", "A type is 1 to 64 of `A-Z a-z 0-9 _ . -` and none of the reserved names.";
    SchemaViolation = "schema-violation", 422, "Data does not match the catalogue's schema", "`errors` names each place.";
    DocumentUnprocessable = "document-unprocessable", 422, "Document cannot be processed", "The file is empty, damaged, protected, or unpacks to more than is allowed. Open it, save it again, and upload that.";
    InvalidRequest = "invalid-request", 400, "Malformed request", "The detail says which part.";
    InvalidJson = "invalid-json", 400, "Body is not valid JSON", "Send one JSON value, UTF-8.";
    JsonTooDeep = "json-too-deep", 400, "JSON is nested too deeply", "Flatten it.";
    EmptyBody = "empty-body", 400, "Body is empty", "An append needs at least one byte; in JSON mode at least one value.";
    WebhookUrlRejected = "webhook-url-rejected", 400, "Webhook URL not accepted", "Use https with a public host name and port 443 or 8443, without a user name and fragment.";
    InvalidCursor = "invalid-cursor", 400, "Cursor is not valid", "Send a cursor exactly as an earlier answer gave it.";
    ResumeTagInUrl = "resume-tag-in-url", 400, "Resume tag in the URL", "A tag comes back only in the `Last-Event-ID` header; send the bare offset.";
    DuplicateParameter = "duplicate-parameter", 400, "Parameter given twice", "Send each parameter once.";
    RateLimited = "rate-limited", 429, "Too many requests", "Wait for `Retry-After` seconds.";
    ConnectionLimit = "connection-limit", 429, "Too many open streams", "Close another stream, or share one between tabs.";
    Internal = "internal", 500, "Something went wrong here", "It was logged under the request id. Nothing was half done.";
    NotImplemented = "not-implemented", 501, "Not served by this version", "The CHANGELOG says what each version serves.";
    DatabaseUnavailable = "database-unavailable", 503, "Database is unavailable", "Nothing was written. Try again after `Retry-After` seconds.";
    Overloaded = "overloaded", 503, "Too busy", "Try again after `Retry-After` seconds.";
    Draining = "draining", 503, "Server is shutting down", "Another node, or this one after its restart, will answer.";
    StorageFull = "storage-full", 507, "Storage is full", "Nothing was written. Free space on the data folder's disk.";
}

impl ErrorCode {
    /// Reads a code as it stands on the wire.
    #[must_use]
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }

    /// Whether the same request may succeed later without a change by the caller.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self.status(), 408 | 429 | 503 | 507)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_kebab_case_and_read_back() {
        let mut seen = HashSet::new();
        for code in ErrorCode::ALL {
            assert!(seen.insert(code.as_str()), "{code} stands twice");
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            assert!((400..600).contains(&code.status()));
            assert_eq!(ErrorCode::from_wire(code.as_str()), Some(*code));
        }
    }
}
