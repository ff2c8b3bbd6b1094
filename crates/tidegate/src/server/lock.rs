//! One server per database: a lock file beside it, held while the server runs.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::config::Refusal;

/// The held lock; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the lock beside a database file.
    ///
    /// # Errors
    /// Another server holds it, or the file can't be made.
    pub fn take(database: &Path) -> Result<Self, Refusal> {
        let mut name = database.file_name().unwrap_or_default().to_os_string();
        name.push(".lock");
        let path = database.with_file_name(name);
        let unusable = |error: std::io::Error| {
            Refusal::new(
                "database.url",
                format!("= {} is unreachable: {error}", database.display()),
                "name a folder that exists and that this user may write",
            )
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only for the words; the lock has said no already.
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                let by = if holder.is_empty() { String::new() } else { format!(" (process {holder})") };
                return Err(Refusal::new(
                    "server.data",
                    format!("= {} is in use by another server{by}", database.display()),
                    "stop that one, or choose another folder with --data",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_on_the_same_database_is_refused_until_the_first_ends() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("tidegate.db");
        let first = DataLock::take(&database).unwrap();
        let refusal = DataLock::take(&database).unwrap_err().to_string();
        assert!(refusal.contains("in use") && refusal.contains(&std::process::id().to_string()), "{refusal}");
        drop(first);
        assert!(DataLock::take(&database).is_ok());
    }
}
