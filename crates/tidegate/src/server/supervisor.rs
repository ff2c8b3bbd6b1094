//! Background work: each part offers `step(now) -> next due`, bounded; this calls them.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tidegate_types::{Clock, Timestamp};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

type Due = Pin<Box<dyn Future<Output = Result<Timestamp, String>> + Send>>;
type Woken = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One part's background work.
pub(super) struct Work {
    name: &'static str,
    step: Box<dyn Fn(Timestamp) -> Due + Send>,
    woken: Box<dyn Fn() -> Woken + Send>,
}

impl Work {
    /// Work that is called when it is due.
    pub(super) fn new<F, Fut, E>(name: &'static str, step: F) -> Self
    where
        F: Fn(Timestamp) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Timestamp, E>> + Send + 'static,
        E: Display + 'static,
    {
        let step = move |now| {
            let running = step(now);
            Box::pin(async move { running.await.map_err(|error| error.to_string()) }) as Due
        };
        Self { name, step: Box::new(step), woken: Box::new(|| Box::pin(std::future::pending())) }
    }

    /// The same work, called early when this future ends.
    #[must_use]
    pub(super) fn woken_by<F, Fut>(mut self, woken: F) -> Self
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.woken = Box::new(move || Box::pin(woken()));
        self
    }
}

/// However far away the next due time is: clocks jump, and tests move theirs by hand.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// Even work that is always due leaves room for requests.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const FAILURES_PAUSE_MAX: Duration = Duration::from_secs(30);

/// Runs all work until the token is cancelled. One task each: a slow part holds up no other.
pub(super) fn start(work: Vec<Work>, clock: &Arc<dyn Clock>, stop: &CancellationToken) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for part in work {
        tasks.spawn(keep_stepping(part, Arc::clone(clock), stop.clone()));
    }
    tasks
}

async fn keep_stepping(part: Work, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut failures: u32 = 0;
    loop {
        let now = clock.now();
        let pause = match (part.step)(now).await {
            Ok(due) => {
                failures = 0;
                due.since(clock.now()).clamp(PAUSE_MIN, PAUSE_MAX)
            }
            Err(error) => {
                let pause = Duration::from_millis(250).saturating_mul(1 << failures.min(7));
                failures = failures.saturating_add(1);
                tracing::warn!(part = part.name, %error, failures, "background work failed and will be tried again");
                pause.min(FAILURES_PAUSE_MAX)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = (part.woken)() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tidegate_types::SystemClock;

    #[tokio::test(start_paused = true)]
    async fn failing_work_is_tried_again_and_holds_up_no_other() {
        let (good, bad) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (count_good, count_bad) = (Arc::clone(&good), Arc::clone(&bad));
        let work = vec![
            Work::new("bad", move |_| {
                count_bad.fetch_add(1, Ordering::Relaxed);
                async { Err::<Timestamp, _>("no") }
            }),
            Work::new("good", move |now: Timestamp| {
                count_good.fetch_add(1, Ordering::Relaxed);
                async move { Ok::<_, String>(now.plus(Duration::from_secs(3_600))) }
            }),
        ];
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let stop = CancellationToken::new();
        let mut tasks = start(work, &clock, &stop);
        tokio::time::sleep(Duration::from_secs(10)).await;
        stop.cancel();
        while tasks.join_next().await.is_some() {}
        assert!(good.load(Ordering::Relaxed) >= 10);
        assert!((3..=8).contains(&bad.load(Ordering::Relaxed)));
    }
}
