//! Every bound of the server, in one place, each with a default that a newcomer can live with.
//!
//! `[limits]` of the configuration file is this struct. Units stand last in the names.

use serde::{Deserialize, Serialize};

/// One bound, for `config show`, `config init` and the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitSpec {
    /// The key in `[limits]`.
    pub name: &'static str,
    /// What it bounds.
    pub doc: &'static str,
    /// The value when nothing is set.
    pub default: u64,
    /// The smallest value that is accepted.
    pub min: u64,
    /// The largest value that is accepted.
    pub max: u64,
}

/// A bound outside its own bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limits.{name} = {value} is outside {min}..={max}")]
pub struct LimitOutOfRange {
    /// The key in `[limits]`.
    pub name: &'static str,
    /// What was set.
    pub value: u64,
    /// The smallest value that is accepted.
    pub min: u64,
    /// The largest value that is accepted.
    pub max: u64,
}

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident = $default:literal, $min:literal..=$max:literal;)*) => {
        /// All bounds. See each field; [`Limits::SPECS`] lists them for people.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: u64,)*
        }

        impl Limits {
            /// The bounds with their documentation.
            pub const SPECS: &'static [LimitSpec] = &[$(LimitSpec {
                name: stringify!($name),
                doc: concat!($($doc),+),
                default: $default,
                min: $min,
                max: $max,
            }),*];

            /// Refuses values that would switch a protection off or overflow a type.
            ///
            /// # Errors
            /// The first bound outside its own bounds.
            pub fn validate(&self) -> Result<(), LimitOutOfRange> {
                $(if !($min..=$max).contains(&self.$name) {
                    return Err(LimitOutOfRange { name: stringify!($name), value: self.$name, min: $min, max: $max });
                })*
                Ok(())
            }
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }
    };
}

limits! {
    /// Live feed connections of one user.
    feed_connections_per_user = 2, 1..=10_000;
    /// Live streams of one user, feeds included.
    streams_per_user = 20, 1..=1_000_000;
    /// Live streams from one client address (IPv6: one /64).
    streams_per_address = 200, 1..=10_000_000;
    /// Live streams of this node.
    streams_per_node = 100_000, 1..=10_000_000;
    /// Open sockets of this node, idle keep-alive ones included.
    connections_per_node = 120_000, 1..=10_000_000;
    /// Open sockets from one client address.
    connections_per_address = 1_000, 1..=10_000_000;
    /// Sign-ins, registrations and refreshes a minute from one address.
    auth_per_minute_per_address = 60, 1..=10_000_000;
    /// Sign-in attempts a minute for one account.
    logins_per_minute_per_account = 10, 1..=1_000_000;
    /// Tickets a minute that one user may mint (keys are not limited).
    tickets_per_minute_per_user = 120, 1..=10_000_000;
    /// API calls a minute without a credential from one address.
    anonymous_per_minute_per_address = 300, 1..=100_000_000;
    /// Keys that one rate limiter remembers.
    rate_limit_keys = 100_000, 1_000..=10_000_000;
    /// Password hashes computed at once (19 MiB of memory each).
    password_hashers = 2, 1..=64;
    /// Requests that may wait for a password hash.
    password_queue = 64, 1..=100_000;
    /// How long a request waits for a password hash, in milliseconds.
    password_wait_ms = 2_000, 10..=60_000;
    /// Body bytes of an auth request.
    auth_body_bytes = 16_384, 1_024..=1_048_576;
    /// Body bytes of any other request.
    body_bytes = 1_048_576, 1_024..=1_073_741_824;
    /// Bytes of a refused body that are still read, so that the client sees its 413.
    refused_body_bytes = 67_108_864, 0..=1_073_741_824;
    /// Nesting of a JSON body.
    json_depth = 64, 8..=120;
    /// Items of a page when the caller does not say.
    page_items_default = 50, 1..=200;
    /// Items of a page at most.
    page_items = 200, 1..=10_000;
    /// Bytes of one read of a stream.
    read_bytes = 1_048_576, 4_096..=67_108_864;
    /// Records of one read of a stream.
    read_records = 10_000, 1..=1_000_000;
    /// How long a long-poll waits, in milliseconds.
    long_poll_ms = 15_000, 100..=60_000;
    /// How long `?wait=` may ask for, in seconds.
    wait_seconds = 30, 1..=60;
    /// How long a request's head may take to arrive, in milliseconds.
    header_timeout_ms = 10_000, 100..=120_000;
    /// Connections that may wait to be accepted; the system has a bound of its own (`net.core.somaxconn`).
    accept_backlog = 4_096, 16..=65_535;
    /// How long an ordinary body may pause, in milliseconds.
    body_pause_ms = 10_000, 100..=120_000;
    /// How long an ordinary answer may take to be written, in milliseconds.
    write_timeout_ms = 10_000, 100..=120_000;
    /// How long an idle keep-alive connection is kept, in milliseconds.
    idle_timeout_ms = 60_000, 1_000..=3_600_000;
    /// How long a live stream may make no progress before it is closed (resumable), in milliseconds.
    tail_stall_ms = 60_000, 1_000..=3_600_000;
    /// How old a live connection may become before it is ended (`age`, resumable), in seconds; 0: any age.
    tail_age_seconds = 0, 0..=2_592_000;
    /// Bytes of one write to a live stream.
    tail_write_bytes = 65_536, 4_096..=4_194_304;
    /// Records that a live stream keeps in memory for its readers.
    ring_records = 256, 1..=65_536;
    /// Bytes that a live stream keeps in memory for its readers.
    ring_bytes = 262_144, 4_096..=67_108_864;
    /// Streams of one HTTP/2 connection.
    http2_streams = 100, 1..=10_000;
    /// Life of a ticket, in seconds.
    ticket_seconds = 60, 10..=60;
    /// How long a lease without a connection can be resumed, in seconds.
    lease_idle_seconds = 120, 5..=3_600;
    /// Life of a lease, in seconds.
    lease_seconds = 86_400, 60..=604_800;
    /// Take-overs of a live socket within 30 seconds that a lease survives.
    lease_takeovers = 3, 1..=100;
    /// Life of a refresh token that is not used, in seconds.
    refresh_idle_seconds = 1_209_600, 60..=31_536_000;
    /// Life of a session, in seconds.
    session_seconds = 2_592_000, 60..=31_536_000;
    /// Users that one `POST /api/v1/events` may name.
    publish_users = 1_000, 1..=100_000;
    /// Event types in the catalogue.
    catalogue_types = 1_000, 1..=100_000;
    /// Bytes of a generation's prompt.
    prompt_bytes = 262_144, 1_024..=1_048_576;
    /// Bytes of one progress or result body.
    progress_bytes = 262_144, 1_024..=1_048_576;
    /// Attempts of a generation when its creator does not say.
    generation_attempts = 1, 1..=100;
    /// Attempts that the creator of a generation may ask for.
    generation_attempts_max = 100, 1..=1_000;
    /// Generations of built-in frameworks that this node runs at once.
    built_in_jobs = 4, 1..=1_024;
    /// Bytes of one uploaded file.
    upload_bytes = 26_214_400, 1_024..=1_073_741_824;
    /// Documents of one user.
    documents_per_user = 1_000, 1..=1_000_000;
    /// Bytes of all files of one user.
    document_bytes_per_user = 1_073_741_824, 1_048_576..=1_099_511_627_776;
    /// Pages of one document.
    document_pages = 5_000, 1..=100_000;
    /// Passages of one document.
    document_passages = 100_000, 1..=10_000_000;
    /// Bytes of text that one document may hold.
    document_text_bytes = 33_554_432, 65_536..=1_073_741_824;
    /// Bytes that an archive such as a docx may unpack to.
    document_unpacked_bytes = 262_144_000, 1_048_576..=4_294_967_296;
    /// Documents whose text is being extracted at once, each in a process of its own.
    extractions = 2, 1..=64;
    /// Memory of one extraction.
    extraction_memory_bytes = 536_870_912, 134_217_728..=17_179_869_184;
    /// Processor time of one extraction, in seconds.
    extraction_cpu_seconds = 20, 1..=600;
    /// How long one extraction may take by the clock on the wall, in seconds.
    extraction_wall_seconds = 25, 1..=3_600;
    /// How often an extraction that was cut off is begun again.
    extraction_attempts = 3, 1..=100;
    /// Words of a search that count.
    search_words = 32, 1..=256;
    /// Conversations of one user.
    conversations_per_user = 10_000, 1..=10_000_000;
    /// Turns of one conversation.
    turns_per_conversation = 1_000, 1..=1_000_000;
    /// Bytes of one question.
    message_bytes = 32_768, 1..=1_048_576;
    /// Bytes of one answer.
    answer_bytes = 262_144, 1_024..=16_777_216;
    /// Answers written at once for one user.
    answers_per_user = 8, 1..=100_000;
    /// Answers written at once by this node.
    answers_per_node = 256, 1..=100_000;
    /// Questions that wait in one conversation.
    questions_waiting_per_conversation = 8, 0..=1_000;
    /// Questions that wait on this node.
    questions_waiting_per_node = 1_024, 0..=1_000_000;
    /// Appends that wait for the next group commit.
    append_queue = 16_384, 16..=1_048_576;
    /// Bytes that wait for the next group commit.
    append_queue_bytes = 67_108_864, 1_048_576..=4_294_967_296;
    /// Bytes of committed records that wait to be put with their streams' others.
    append_journal_bytes = 16_777_216, 65_536..=4_294_967_296;
    /// Room made at a start for the database's log file, so that no commit has to make it longer; 0 for none.
    database_log_bytes = 20_971_520, 0..=1_073_741_824;
    /// Streams whose heads are kept in memory for their writers.
    stream_heads = 8_192, 16..=10_000_000;
    /// Producers remembered for one stream.
    producers_per_stream = 10_000, 1..=1_000_000;
    /// Forks of forks of a stream, one after the other.
    fork_depth = 1_000, 1..=100_000;
    /// Subscriptions of one user or key (all that were made without a credential count as one).
    subscriptions_per_principal = 100, 1..=100_000;
    /// Subscriptions of this node.
    subscriptions_per_node = 1_000, 1..=100_000;
    /// Streams of one subscription.
    subscription_streams = 1_000, 1..=10_000;
    /// Life of the lease on a wake when the subscription does not say, in milliseconds.
    subscription_lease_ms = 30_000, 1_000..=600_000;
    /// Life of the lease on a wake that a subscription may ask for, in milliseconds.
    subscription_lease_ms_max = 600_000, 1_000..=3_600_000;
    /// Attempts to deliver one wake.
    webhook_attempts = 20, 1..=1_000;
    /// Webhooks that are called at once.
    webhook_deliveries = 8, 1..=256;
    /// How long a call of a webhook may take, in milliseconds.
    webhook_timeout_ms = 5_000, 100..=60_000;
    /// Bytes of a webhook's answer that are read.
    webhook_answer_bytes = 65_536, 256..=1_048_576;
    /// How long an idempotency key is remembered, in seconds.
    idempotency_seconds = 86_400, 60..=604_800;
    /// How long a server that was asked to stop goes on serving while `/readyz` says no, in milliseconds; a part of the drain.
    drain_notice_ms = 1_000, 0..=60_000;
    /// How long a drain may take, in milliseconds.
    drain_ms = 10_000, 100..=600_000;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_lie_within_their_own_bounds() {
        assert_eq!(Limits::default().validate(), Ok(()));
    }

    #[test]
    fn a_bound_outside_its_bounds_is_named() {
        let limits = Limits { ticket_seconds: 3_600, ..Limits::default() };
        let error = limits.validate().unwrap_err();
        assert_eq!(error.to_string(), "limits.ticket_seconds = 3600 is outside 10..=60");
    }
}
