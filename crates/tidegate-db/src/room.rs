//! Room for the log file (WAL), made before SQLite opens it.
//!
//! Why: a commit that makes a file longer waits for a worker of the kernel as well, which notes where the new
//! blocks are. A log file is reused from its front once it has the length that a checkpoint calls for, so this is the
//! cost of every commit after a start until then.
//! Must not: touch a log file that is there. SQLite takes one whose header is all zeros as empty.

use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

const AT_ONCE: usize = 256 * 1024;

/// Whether the database has a log file: somebody uses it, or a crash left it.
pub(crate) fn has_log_file(database: &Path) -> bool {
    log_file(database).exists()
}

/// Makes an empty log file of so many bytes, unless there is one by now. Without it the database does its work all
/// the same, so a failure is only noted.
pub(crate) fn make(database: &Path, bytes: u64) {
    match try_make(database, bytes) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => {
            tracing::info!(%error, bytes, "no room was made for the database's log file; it grows by itself");
        }
    }
}

fn try_make(database: &Path, bytes: u64) -> io::Result<()> {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    // Made under another name and moved only if the place is free: a process that opened the database meanwhile
    // may have begun to write there.
    let file = tempfile::Builder::new().prefix(".tidegate-").suffix("-wal").tempfile_in(folder)?;
    file.as_file().set_permissions(std::fs::metadata(database)?.permissions())?;
    let mut zeros = BufWriter::with_capacity(AT_ONCE, file.as_file());
    io::copy(&mut io::repeat(0).take(bytes), &mut zeros)?;
    zeros.flush()?;
    drop(zeros);
    file.as_file().sync_all()?;
    file.persist_noclobber(log_file(database)).map_err(|refused| refused.error)?;
    std::fs::File::open(folder)?.sync_all()
}

fn log_file(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}
