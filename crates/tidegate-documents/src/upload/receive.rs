//! An upload from its first byte to its record.

use sha2::{Digest as _, Sha256};
use tidegate_log::NewStream;
use tidegate_types::{DocumentId, UserId};
use tokio::io::AsyncWriteExt as _;

use super::{filename, sniff};
use crate::process::Entry;
use crate::record::Incoming;
use crate::store::Room;
use crate::{Document, Documents, DocumentsError, MediaType, Stage, Status, UploadError};

/// How much of a file's beginning is looked at to find out what it is.
const HEAD_BYTES: usize = 16_384;
const WRITE_BUFFER: usize = 65_536;

/// What the client says about a file.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// Whose it will be.
    pub owner: UserId,
    /// Its name, as the client wrote it: shown after cleaning, never used as a path.
    pub filename: String,
    /// The media type that the client believes it to be.
    pub media_type: Option<String>,
}

/// A file that is being received. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Upload {
    documents: Documents,
    new: NewUpload,
    incoming: Incoming,
    writer: tokio::fs::File,
    hash: Sha256,
    head: Vec<u8>,
    size: u64,
}

impl Documents {
    /// Begins to receive a file.
    ///
    /// # Errors
    /// The owner has no room for another document, or the disk is full.
    pub async fn begin_upload(&self, new: NewUpload) -> Result<Upload, UploadError> {
        if !self.parts().store.has_room(new.owner, 0, self.room()).await? {
            return Err(self.no_room());
        }
        let incoming = self.inner.files.receive().await?;
        let mut writer = incoming.writer()?;
        writer.set_max_buf_size(WRITE_BUFFER);
        let (hash, head) = (Sha256::new(), Vec::new());
        Ok(Upload { documents: self.clone(), new, incoming, writer, hash, head, size: 0 })
    }

    /// Takes a file whose bytes are in memory already.
    ///
    /// # Errors
    /// As for [`Documents::begin_upload`], [`Upload::write`] and [`Upload::finish`].
    pub async fn upload(&self, new: NewUpload, bytes: &[u8]) -> Result<Document, UploadError> {
        let mut upload = self.begin_upload(new).await?;
        upload.write(bytes).await?;
        upload.finish().await
    }

    pub(crate) fn room(&self) -> Room {
        let limits = &self.parts().limits;
        Room { documents: limits.documents_per_user, bytes: limits.document_bytes_per_user }
    }

    fn no_room(&self) -> UploadError {
        let room = self.room();
        UploadError::TooMany(format!(
            "one user may have {} documents of {} bytes together",
            room.documents, room.bytes
        ))
    }
}

impl Upload {
    /// Takes the next bytes; they go to disk, not into memory.
    ///
    /// # Errors
    /// The file is larger than it may be, or the disk is full.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), UploadError> {
        let limit = self.documents.parts().limits.upload_bytes;
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > limit {
            return Err(UploadError::TooLarge(limit));
        }
        let wanted = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend(bytes.iter().take(wanted));
        self.hash.update(bytes);
        self.writer.write_all(bytes).await?;
        Ok(())
    }

    /// SHA-256 of what came so far.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// All bytes have come: finds out what the file is, stores file, record and stream, and begins
    /// its processing. Waits a moment for its first text, so that a file without any is refused
    /// here and now and leaves nothing behind.
    ///
    /// # Errors
    /// The file is not taken; or the disk or the database is full.
    pub async fn finish(mut self) -> Result<Document, UploadError> {
        self.writer.flush().await?;
        let kind = self.kind().await?;
        let Self { documents, new, incoming, hash, size, .. } = self;
        let now = documents.now();
        let id = DocumentId::generate(now, &*documents.parts().entropy);
        let document = Document {
            id,
            owner_id: new.owner,
            filename: filename::shown(&new.filename, kind),
            media_type: kind,
            size,
            sha256: hash.finalize().into(),
            status: Status::Processing,
            stage: Stage::Received,
            progress: 0.0,
            message: Some("Waiting to be processed".to_owned()),
            error: None,
            attempt: 0,
            pages: None,
            passages: 0,
            text_bytes: 0,
            created_at: now,
            updated_at: now,
            finished_at: None,
        };
        // All of it or nothing, also when the client hangs up meanwhile.
        let whole = tokio::spawn(async move { documents.store_upload(document, incoming).await });
        whole.await.map_err(|error| DocumentsError::internal(&error))?
    }

    async fn kind(&self) -> Result<MediaType, UploadError> {
        let declared = self.new.media_type.as_deref();
        let kind = sniff::kind(&self.head, &self.new.filename, declared)?;
        if kind == MediaType::Docx {
            let path = self.incoming.path().to_owned();
            let unpacked = self.documents.parts().limits.document_unpacked_bytes;
            let checked = tokio::task::spawn_blocking(move || super::zip::check(&path, unpacked)).await;
            checked.map_err(|error| DocumentsError::internal(&error))??;
        }
        Ok(kind)
    }
}

impl Documents {
    async fn store_upload(&self, document: Document, incoming: Incoming) -> Result<Document, UploadError> {
        let id = document.id;
        self.inner.files.keep(incoming, id).await?;
        let verdict = self.expect_verdict(id);
        let stored = self.store_record(document.clone()).await;
        if let Err(error) = stored {
            self.forget_verdict(id);
            self.inner.files.remove(id).await?;
            return Err(error);
        }
        self.inner.work.notify_one();
        match verdict.wait().await {
            Some(failure) => Err(UploadError::Unprocessable(failure.message)),
            None => Ok(document),
        }
    }

    async fn store_record(&self, document: Document) -> Result<(), UploadError> {
        let first = Entry::of(&document, self.now()).encode().map_err(UploadError::Documents)?;
        let (id, room) = (document.id, self.room());
        let new = NewStream { records: vec![first], ..NewStream::json() };
        // The stream first: whoever sees the record finds its stream.
        let made = self.parts().log.create(&Self::stream_path(id), new).await;
        made.map_err(DocumentsError::from)?;
        match self.parts().store.insert(document, room).await {
            Ok(true) => Ok(()),
            refused => {
                self.parts().log.delete(&Self::stream_path(id)).await.map_err(DocumentsError::from)?;
                refused?;
                Err(self.no_room())
            }
        }
    }
}
