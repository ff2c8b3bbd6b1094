//! One behaviour suite for every store: plain functions that take a fresh, empty store.
//!
//! Owns: what a log promises over any store. A store runs all of it by one line:
//! `tidegate_log::log_store_suite!(name, factory)`, where `factory` is an async function beside it that answers
//! a [`Subject`]. Only for tests (feature `suite`).
#![expect(clippy::unwrap_used, reason = "a suite is a test, and stops at the first thing that is wrong")]

pub mod append;
pub mod close;
pub mod expire;
pub mod fork;
pub mod forks;
pub mod keep;
pub mod model;
pub mod produce;
pub mod read;
pub mod stream;
pub mod tail;
pub mod trim;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tidegate_types::{Clock, Offset, ReadFrom, StreamPath, Timestamp};

use crate::{Append, Log, LogOptions, LogStore, NewStream, Page, ReadBound};

/// A store under test, with whatever must live as long as it.
pub struct Subject {
    /// Fresh and empty.
    pub store: Arc<dyn LogStore>,
    /// A folder, a server process and the like.
    pub keep: Box<dyn std::any::Any + Send + Sync>,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("store", &self.store).finish_non_exhaustive()
    }
}

/// A clock that moves by hand.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// At some moment of 2025.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_763_690_000_000)))
    }

    /// A time from now.
    pub fn now_plus(&self, by: Duration) -> Timestamp {
        self.now().plus(by)
    }

    /// Moves on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A log over a subject, with a clock that moves by hand.
#[derive(Debug)]
pub struct Bench {
    /// The log.
    pub log: Log,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    subject: Subject,
}

impl Bench {
    /// With the default bounds.
    pub async fn open(subject: Subject) -> Self {
        Self::with(subject, LogOptions::default()).await
    }

    /// With these bounds.
    pub async fn with(subject: Subject, options: LogOptions) -> Self {
        let clock = ManualClock::shared();
        let log =
            Log::open(Arc::clone(&subject.store), options, Arc::<ManualClock>::clone(&clock)).await.unwrap();
        Self { log, clock, subject }
    }

    /// Another log over the same store, as after a restart.
    pub async fn reopen(self) -> Self {
        let Self { log, clock, subject } = self;
        drop(log);
        Self::go_on(subject, clock).await
    }

    /// Another log over another subject that has the same content, at the same time.
    pub async fn go_on(subject: Subject, clock: Arc<ManualClock>) -> Self {
        let options = LogOptions::default();
        let log =
            Log::open(Arc::clone(&subject.store), options, Arc::<ManualClock>::clone(&clock)).await.unwrap();
        Self { log, clock, subject }
    }

    /// Makes an open stream of bytes.
    pub async fn create(&self, at: &str) -> StreamPath {
        let path = path(at);
        self.log.create(&path, bytes_stream()).await.unwrap();
        path
    }

    /// Appends one record.
    pub async fn append(&self, path: &StreamPath, record: &str) -> Offset {
        self.log.append(path, Append::one(record.to_owned())).await.unwrap().tail
    }

    /// A few rounds of housekeeping.
    pub async fn housekeep(&self) {
        for _ in 0..4 {
            self.log.step(self.clock.now()).await.unwrap();
        }
        self.merge().await;
    }

    /// Does all that commits left for later.
    pub async fn merge(&self) {
        while self.subject.store.merge(self.clock.now()).await.unwrap() {}
    }

    /// All records, read in pages of seven.
    pub async fn read_all(&self, path: &StreamPath) -> Vec<String> {
        let (mut from, mut all) = (ReadFrom::Start, Vec::new());
        loop {
            let page = self.page(path, from, 7).await;
            check_page(&page);
            all.extend(page.records.iter().map(|record| text(&record.data)));
            if page.up_to_date {
                return all;
            }
            from = ReadFrom::At(page.next);
        }
    }

    /// One page of at most so many records.
    pub async fn page(&self, path: &StreamPath, from: ReadFrom, records: usize) -> Page {
        self.log.read(path, from, ReadBound { records, bytes: usize::MAX }).await.unwrap()
    }
}

/// Every page keeps these.
fn check_page(page: &Page) {
    let mut expected = page.from;
    for record in &page.records {
        expected = expected.plus(1);
        assert_eq!(record.offset, expected, "offsets are gap-free");
    }
    assert_eq!(page.next, expected);
    assert_eq!(page.up_to_date, page.next == page.info.tail);
    assert_eq!(page.closed, page.info.closed && page.up_to_date);
}

/// A stream path.
#[must_use]
pub fn path(text: &str) -> StreamPath {
    text.parse().unwrap()
}

/// A stream of bytes that does not expire.
#[must_use]
pub fn bytes_stream() -> NewStream {
    NewStream { content_type: "text/plain".to_owned(), ..NewStream::default() }
}

fn text(data: &Bytes) -> String {
    String::from_utf8_lossy(data).into_owned()
}

fn records<T: ToString>(items: impl IntoIterator<Item = T>) -> Vec<Bytes> {
    items.into_iter().map(|item| Bytes::from(item.to_string())).collect()
}

fn offset(n: u64) -> Offset {
    Offset::new(n).unwrap()
}

/// Runs the whole suite against a store: `log_store_suite!(sqlite, sqlite_subject)` makes a module of
/// tests; the factory is an async function without arguments that answers a [`Subject`].
#[macro_export]
macro_rules! log_store_suite {
    ($name:ident, $factory:ident) => {
        $crate::log_store_suite! { @tests $name, $factory;
            stream: a_new_stream_is_empty_and_can_be_looked_up,
                making_it_again_with_the_same_settings_changes_nothing,
                making_it_with_other_settings_is_refused,
                settings_that_are_no_settings_are_refused,
                first_records_are_there_when_the_creation_answers,
                a_deleted_stream_is_gone_and_its_path_makes_another_stream,
                streams_are_listed_by_path_under_a_prefix;
            append: offsets_count_records_without_gaps,
                a_batch_is_written_whole,
                an_append_without_bytes_is_refused,
                another_content_type_is_refused,
                a_sequence_must_rise_bytewise,
                an_append_that_expects_another_tail_is_refused,
                appends_of_many_writers_get_distinct_offsets,
                a_stream_that_is_not_there_takes_nothing;
            produce: a_producer_begins_at_zero_and_goes_on_without_gaps,
                a_repeated_append_is_acknowledged_and_not_written,
                a_new_epoch_begins_at_zero_and_fences_the_old_one,
                producers_do_not_disturb_each_other,
                producers_are_remembered_after_a_restart,
                the_longest_idle_producers_are_forgotten_beyond_the_bound,
                repeated_numbers_in_one_group_are_written_once;
            close: a_closed_stream_takes_no_more_records,
                closing_twice_is_harmless,
                closing_with_last_records_is_one_step,
                a_repeated_closing_append_is_a_duplicate,
                a_stale_producer_is_told_so_even_after_closing,
                closing_alone_does_not_look_at_the_content_type;
            read: pages_follow_each_other_without_holes,
                a_page_is_bounded_by_bytes_but_never_empty,
                a_cursor_ahead_of_the_stream_is_told,
                reading_from_now_gives_only_the_tail,
                large_records_and_large_batches_come_back_as_they_were,
                everything_is_there_after_a_restart;
            expire: a_sliding_life_is_renewed_by_reads_and_writes_only,
                small_renewals_are_kept_in_memory_and_flushed,
                an_expiry_time_is_not_moved_by_reads_and_writes,
                an_expired_path_can_be_used_again_at_once,
                housekeeping_ends_the_tails_of_expired_streams,
                housekeeping_says_when_it_is_due_again;
            keep: only_the_newest_records_are_kept,
                what_is_too_old_is_dropped_and_the_offsets_go_on,
                the_newest_bytes_are_kept,
                what_a_fork_inherits_is_as_old_and_as_large_as_if_it_were_its_own,
                the_first_rule_that_matches_holds_and_other_streams_keep_everything,
                a_walk_over_many_streams_goes_in_bounded_rounds;
            fork: a_fork_begins_with_its_sources_records_and_goes_on_alone,
                every_page_of_a_fork_follows_the_one_before,
                forks_of_forks_read_through_the_whole_chain,
                a_chain_of_forks_has_a_greatest_length,
                a_sub_offset_takes_records_of_json_and_bytes_of_anything_else,
                a_fork_that_can_not_be_is_refused_and_leaves_no_trace,
                making_a_fork_again_changes_nothing_and_another_is_refused,
                a_fork_lives_as_long_as_it_says_else_as_its_source,
                a_deleted_source_is_read_by_its_forks_only_and_keeps_its_path,
                the_last_fork_of_a_chain_takes_all_of_it_along,
                forking_and_deleting_in_one_group_is_told_in_order,
                trimming_a_source_takes_nothing_from_its_forks,
                writers_of_a_fork_start_afresh,
                first_records_of_a_fork_follow_what_it_inherits,
                a_tail_goes_from_the_inherited_records_to_the_own_without_a_seam;
            trim: a_trimmed_range_is_told_once_and_skipped,
                trimming_everything_keeps_the_tail,
                purging_removes_only_what_nobody_can_read;
            tail: a_tail_replays_and_then_follows,
                a_tail_at_the_end_says_so_once,
                a_tail_ends_with_the_stream,
                a_tail_is_told_of_a_deletion,
                a_tail_is_told_what_it_cannot_have,
                a_tail_that_falls_out_of_the_ring_loses_nothing,
                a_dropped_wait_loses_nothing,
                all_readers_see_the_same_list_under_many_writers,
                a_wait_ends_with_a_record_a_close_or_its_time,
                a_frame_is_encoded_once_for_all_readers;
            forks: random_forks_read_as_if_they_were_copies;
            model: random_histories_agree_with_a_model;
        }
    };
    (@tests $name:ident, $factory:ident; $($area:ident: $($test:ident),* $(,)?;)*) => {
        mod $name {
            $(mod $area {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    $crate::suite::$area::$test(super::super::$factory().await).await;
                })*
            })*
        }
    };
}
