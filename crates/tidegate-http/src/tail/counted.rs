//! One live read in the metrics.

use tidegate_gate::EndReason;
use tokio::time::Instant;

use crate::Metrics;

/// Counts an open read; dropping it counts the end.
#[derive(Debug)]
pub(crate) struct Counted {
    metrics: Metrics,
    opened: Instant,
    reason: Option<EndReason>,
}

impl Counted {
    pub(crate) fn open(metrics: &Metrics) -> Self {
        metrics.connection_opened();
        Self { metrics: metrics.clone(), opened: Instant::now(), reason: None }
    }

    pub(crate) fn ends(&mut self, reason: EndReason) {
        self.reason = Some(reason);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Whatever ends without a reason of ours was the client leaving.
        let reason = self.reason.map_or("gone", EndReason::as_str);
        self.metrics.connection_ended(reason, self.opened.elapsed());
    }
}
