//! Listing, newest first.

use tidegate_types::UserId;

use crate::store::ListQuery;
use crate::{Filter, GenerationPage, Generations, GenerationsError};

impl Generations {
    /// The generations of an owner, newest first. `limit` is cut to the server's own.
    ///
    /// # Errors
    /// The cursor is not one of ours, or the database cannot be read.
    pub async fn list(
        &self,
        owner: UserId,
        filter: &Filter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<GenerationPage, GenerationsError> {
        let most = usize::try_from(self.parts().limits.page_items).unwrap_or(usize::MAX);
        let limit = limit.clamp(1, most);
        let before = cursor.map(read_cursor).transpose()?;
        let query = ListQuery { owner, filter: filter.clone(), before, limit: limit + 1 };
        let mut rows = self.parts().store.list(query).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|(seq, _)| seq.to_string());
        let mut items = Vec::with_capacity(rows.len());
        for (_, row) in rows {
            items.push(self.placed(row.state.record).await?);
        }
        Ok(GenerationPage { items, next_cursor })
    }
}

fn read_cursor(text: &str) -> Result<i64, GenerationsError> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|seq| digits && *seq > 0).ok_or(GenerationsError::Cursor)
}
