//! Listing an owner's documents.

use tidegate_types::UserId;

use crate::store::ListQuery;
use crate::{DocumentPage, Documents, DocumentsError};

impl Documents {
    /// An owner's documents, newest first, after the place where an earlier page ended.
    ///
    /// # Errors
    /// The cursor is none, or the database cannot be read.
    pub async fn list(
        &self,
        owner: UserId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<DocumentPage, DocumentsError> {
        let before = cursor.map(str::parse::<i64>).transpose().map_err(|_| DocumentsError::Cursor)?;
        let query = ListQuery { owner, before, limit: limit.saturating_add(1) };
        let mut found = self.parts().store.list(query).await?;
        let is_cut = found.len() > limit;
        found.truncate(limit);
        let next_cursor = found.last().filter(|_| is_cut).map(|(place, _)| place.to_string());
        Ok(DocumentPage { items: found.into_iter().map(|(_, document)| document).collect(), next_cursor })
    }
}
