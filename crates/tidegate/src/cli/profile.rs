//! The local profile: what `tidegate dev` leaves in its data folder, so that the other verbs work
//! in a second terminal without set-up. Only the owner may read it, and only the owner's is used.

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::config::Hidden;

const FILE: &str = "local.json";

/// How to reach the server that owns a data folder, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    /// Its URL.
    pub url: String,
    /// A key of the local user.
    pub key: SecretString,
}

#[derive(Serialize, Deserialize)]
struct Written {
    url: String,
    key: String,
}

impl Profile {
    /// Reads the profile of a data folder; `None` when there is none that this user may trust.
    #[must_use]
    pub(crate) fn lookup(data: &Path) -> Option<Self> {
        let path = data.join(FILE);
        let metadata = std::fs::metadata(&path).ok()?;
        let ours = metadata.uid() == rustix::process::getuid().as_raw() && metadata.mode() & 0o077 == 0;
        if !ours {
            return None;
        }
        let written: Written = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
        Some(Self { url: written.url, key: written.key.into() })
    }

    /// Writes the profile, readable by its owner only, in one step.
    ///
    /// # Errors
    /// The file can't be written.
    pub(crate) fn write(&self, data: &Path) -> std::io::Result<PathBuf> {
        let path = data.join(FILE);
        let fresh = data.join(format!("{FILE}.new"));
        let written = Written { url: self.url.clone(), key: self.key.expose_secret().to_owned() };
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(&serde_json::to_vec_pretty(&written)?)?;
        std::fs::rename(&fresh, &path)?;
        Ok(path)
    }

    /// The key as the client wants it.
    #[must_use]
    pub(crate) fn key(&self) -> Hidden {
        Hidden::from(self.key.expose_secret().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_profile_that_others_may_read_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile { url: "http://127.0.0.1:1".to_owned(), key: "k".to_owned().into() };
        let path = profile.write(folder.path()).unwrap();
        assert_eq!(Profile::lookup(folder.path()).unwrap().url, "http://127.0.0.1:1");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Profile::lookup(folder.path()).is_none());
    }
}
