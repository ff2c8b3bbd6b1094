//! Many readers or writers side by side on one thread, joined with their first error.

use std::future::Future;

use anyhow::Context as _;
use tokio::task::JoinSet;

/// How many connects are under way at once: enough to be quick, few enough for any backlog.
const CONNECTS_AT_ONCE: usize = 64;

/// Runs the futures to their end; the first error stops the rest.
pub(super) async fn all<T, F>(jobs: impl IntoIterator<Item = F>) -> anyhow::Result<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = anyhow::Result<T>> + Send + 'static,
{
    let mut set = JoinSet::new();
    for job in jobs {
        set.spawn(job);
    }
    let mut done = Vec::with_capacity(set.len());
    while let Some(result) = set.join_next().await {
        done.push(result.context("a part of the load was lost")??);
    }
    Ok(done)
}

/// Opens one thing for each item, a bounded number at once.
pub(super) async fn open_each<I, T, F>(
    items: impl IntoIterator<Item = I>,
    open: impl Fn(I) -> F,
) -> anyhow::Result<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = anyhow::Result<T>> + Send + 'static,
{
    let mut set = JoinSet::new();
    let mut opened = Vec::new();
    for item in items {
        while set.len() >= CONNECTS_AT_ONCE {
            if let Some(result) = set.join_next().await {
                opened.push(result.context("a connect was lost")??);
            }
        }
        set.spawn(open(item));
    }
    while let Some(result) = set.join_next().await {
        opened.push(result.context("a connect was lost")??);
    }
    Ok(opened)
}
