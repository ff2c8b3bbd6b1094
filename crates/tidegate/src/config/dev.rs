//! What `tidegate dev` makes for itself: a data folder in the working folder and a secret in it.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use tidegate_types::Entropy;

use super::{Hidden, Refusal, secret};

/// The data folder of `dev` and `demo`, in the working folder.
pub const DEV_FOLDER: &str = ".tidegate";

const FILE: &str = "jwt_secret";

/// The secret of a development folder.
#[derive(Debug)]
pub struct DevSecret {
    /// The secret.
    pub secret: Hidden,
    /// Whether it was made now.
    pub made: bool,
    /// Where it is kept.
    pub path: PathBuf,
}

/// The secret that an earlier `dev` left in this data folder.
///
/// # Errors
/// The file is there, but can't be read or holds no good secret.
pub fn lookup_dev_secret(data: &Path) -> Result<Option<DevSecret>, Refusal> {
    let path = data.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(&path, &error)),
    };
    if let Some(refusal) = secret::weakness(&text) {
        let cure = format!("delete {} and start again", path.display());
        return Err(Refusal::new(path.display(), refusal.why, cure));
    }
    Ok(Some(DevSecret { secret: text.into(), made: false, path }))
}

/// The secret of this development folder; made, readable by its owner only, if there is none.
///
/// # Errors
/// The file can't be read or written.
pub fn dev_secret(data: &Path, entropy: &dyn Entropy) -> Result<DevSecret, Refusal> {
    if let Some(found) = lookup_dev_secret(data)? {
        return Ok(found);
    }
    let path = data.join(FILE);
    let bytes: [u8; 32] = entropy.array();
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| cannot(&path, &error))?;
    Ok(DevSecret { secret: text.into(), made: true, path })
}

fn cannot(path: &Path, error: &std::io::Error) -> Refusal {
    Refusal::new(
        path.display(),
        format!("cannot be used: {error}"),
        "make the data folder yours, or choose another with --data",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use tidegate_types::OsEntropy;

    #[test]
    fn a_dev_secret_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(lookup_dev_secret(folder.path()).unwrap().is_none());
        let first = dev_secret(folder.path(), &OsEntropy).unwrap();
        let second = dev_secret(folder.path(), &OsEntropy).unwrap();
        assert!(first.made && !second.made);
        assert_eq!(first.secret.reveal(), second.secret.reveal());
        assert_eq!(std::fs::metadata(&first.path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
