//! Files of documents: where they are, how they get there and go.
//!
//! Owns: the folder and the names in it, all made here from ids; no name of a client's is ever part
//! of a path. Files are the owner's alone (mode 0600 in folders of 0700).

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use tidegate_types::DocumentId;

use crate::DocumentsError;

/// The folder of all files.
#[derive(Debug)]
pub(crate) struct Files {
    stored: PathBuf,
    incoming: PathBuf,
}

/// A file that is being received; gone when dropped.
#[derive(Debug)]
pub(crate) struct Incoming(NamedTempFile);

impl Files {
    /// Makes the folder and empties it of uploads that were cut off.
    pub(crate) async fn open(folder: PathBuf) -> Result<Self, DocumentsError> {
        let files = Self { stored: folder.join("files"), incoming: folder.join("incoming") };
        let (stored, incoming) = (files.stored.clone(), files.incoming.clone());
        blocking(move || {
            let mut folders = std::fs::DirBuilder::new();
            folders.recursive(true).mode(0o700);
            folders.create(&stored)?;
            folders.create(&incoming)?;
            for left in std::fs::read_dir(&incoming)? {
                std::fs::remove_file(left?.path())?;
            }
            Ok(())
        })
        .await?;
        Ok(files)
    }

    /// A new file to receive bytes.
    pub(crate) async fn receive(&self) -> Result<Incoming, DocumentsError> {
        let folder = self.incoming.clone();
        let file =
            blocking(move || tempfile::Builder::new().prefix("upload-").rand_bytes(16).tempfile_in(folder));
        Ok(Incoming(file.await?))
    }

    /// Gives a received file its place; it is on stable storage before this answers.
    pub(crate) async fn keep(&self, incoming: Incoming, id: DocumentId) -> Result<(), DocumentsError> {
        let (target, folder) = (self.path(id), self.stored.clone());
        blocking(move || {
            incoming.0.as_file().sync_all()?;
            incoming.0.persist(&target).map_err(|error| error.error)?;
            std::fs::File::open(folder)?.sync_all()
        })
        .await
    }

    /// Removes a file; that it is gone already is fine.
    pub(crate) async fn remove(&self, id: DocumentId) -> Result<(), DocumentsError> {
        match tokio::fs::remove_file(self.path(id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    pub(crate) fn path(&self, id: DocumentId) -> PathBuf {
        self.stored.join(id.to_string())
    }

    /// The ids of all files that are here.
    pub(crate) async fn list(&self) -> Result<Vec<DocumentId>, DocumentsError> {
        let stored = self.stored.clone();
        blocking(move || {
            let names = std::fs::read_dir(stored)?.map(|entry| entry.map(|entry| entry.file_name()));
            let names = names.collect::<io::Result<Vec<_>>>()?;
            Ok(names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect())
        })
        .await
    }
}

impl Incoming {
    /// A handle to write with.
    pub(crate) fn writer(&self) -> io::Result<tokio::fs::File> {
        self.0.as_file().try_clone().map(tokio::fs::File::from_std)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Opens a stored file for reading; never through a link.
pub(crate) fn open_stored(path: &Path) -> io::Result<std::fs::File> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits();
    let flags = i32::try_from(no_follow).unwrap_or(0);
    std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)
}

async fn blocking<T, F>(work: F) -> Result<T, DocumentsError>
where
    T: Send + 'static,
    F: FnOnce() -> io::Result<T> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| DocumentsError::internal(&error))??)
}
