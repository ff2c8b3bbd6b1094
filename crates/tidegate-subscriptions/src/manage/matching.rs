//! Finding the streams that a pattern takes.

use tidegate_log::{LogError, StreamInfo};
use tidegate_types::StreamPattern;

use crate::Subscriptions;
use crate::model::takes;

const PAGE: usize = 500;

impl Subscriptions {
    /// The streams that a pattern takes; `None` when there are more than `limit`.
    pub(crate) async fn list_matching(
        &self,
        pattern: &StreamPattern,
        limit: u64,
    ) -> Result<Option<Vec<StreamInfo>>, LogError> {
        let log = &self.parts().log;
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = log.list(pattern.literal_prefix(), after.as_ref(), PAGE).await?;
            let last = page.len() < PAGE;
            after = page.last().map(|info| info.path.clone());
            found.extend(page.into_iter().filter(|info| takes(pattern, &info.path)));
            if found.len() as u64 > limit {
                return Ok(None);
            }
            if last {
                return Ok(Some(found));
            }
        }
    }
}
