//! Waiting for something that happens elsewhere, with an end.

use std::future::Future;
use std::time::Duration;

/// How long tests wait for anything before they say that it did not come.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Asks again and again until there is an answer; fails the test after [`PATIENCE`].
///
/// # Panics
/// The answer did not come.
pub async fn eventually<T, F, Fut>(what: &str, ask: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    within(PATIENCE, what, ask).await
}

/// The same with another patience.
///
/// # Panics
/// The answer did not come.
#[expect(clippy::panic, reason = "this is the test's own failure")]
pub async fn within<T, F, Fut>(patience: Duration, what: &str, mut ask: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        if tokio::time::Instant::now() >= deadline {
            panic!("not within {patience:?}: {what}");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
