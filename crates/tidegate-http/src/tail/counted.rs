//! One live read in the metrics.

use tidegate_gate::EndReason;
use tokio::time::Instant;

use crate::Metrics;

/// Counts an open read; dropping it counts the end.
#[derive(Debug)]
pub(crate) struct Counted {
    metrics: Metrics,
    opened: Instant,
    reason: &'static str,
}

impl Counted {
    pub(crate) fn open(metrics: &Metrics) -> Self {
        metrics.connection_opened();
        // Whatever ends without a reason of ours was the client leaving.
        Self { metrics: metrics.clone(), opened: Instant::now(), reason: "gone" }
    }

    pub(crate) fn ends(&mut self, reason: EndReason) {
        self.reason = reason.as_str();
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.metrics.connection_ended(self.reason, self.opened.elapsed());
    }
}
