//! Giving the file back, piece by piece.

use std::io;

use bytes::Bytes;
use tokio::io::AsyncReadExt as _;

use super::files::open_stored;
use crate::{Document, Documents, DocumentsError};

const PIECE_BYTES: usize = 65_536;

/// A file that is being read.
#[derive(Debug)]
pub struct Content {
    file: tokio::fs::File,
    size: u64,
}

impl Content {
    /// Its bytes in all.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let mut piece = vec![0; PIECE_BYTES];
        let read = self.file.read(&mut piece).await?;
        piece.truncate(read);
        Ok((read > 0).then(|| piece.into()))
    }
}

impl Documents {
    /// The file of a document, as it came.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn content(&self, document: &Document) -> Result<Content, DocumentsError> {
        let path = self.inner.files.path(document.id);
        let opened = tokio::task::spawn_blocking(move || open_stored(&path)).await;
        let file = opened.map_err(|error| DocumentsError::internal(&error))??;
        Ok(Content { file: tokio::fs::File::from_std(file), size: document.size })
    }
}
