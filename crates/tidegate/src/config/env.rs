//! The environment: the process's variables and one `.env` file, looked for in the working folder
//! and upwards. Variables are read, never set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Source;

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub struct Env {
    process: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    file_path: Option<PathBuf>,
    warnings: Vec<String>,
}

impl Env {
    /// The environment of this process, with the nearest `.env`.
    #[must_use]
    pub fn read() -> Self {
        let process = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let folder = std::env::current_dir().ok();
        Self::from_parts(process, folder.as_deref())
    }

    /// An environment from given variables, with the nearest `.env` of a folder.
    pub fn from_parts(process: impl IntoIterator<Item = (String, String)>, folder: Option<&Path>) -> Self {
        let mut env = Self { process: process.into_iter().collect(), ..Self::default() };
        let found = folder
            .into_iter()
            .flat_map(Path::ancestors)
            .map(|folder| folder.join(".env"))
            .find(|path| path.is_file());
        if let Some(path) = found {
            env.read_file(path);
        }
        env
    }

    /// The `.env` that was read.
    #[must_use]
    pub fn file_path(&self) -> Option<&Path> {
        self.file_path.as_deref()
    }

    /// Lines of the `.env` that could not be read.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// A variable and where it stands; the process wins over the file, and an empty one is none.
    #[must_use]
    pub fn lookup(&self, name: &str) -> Option<(&str, Source)> {
        if let Some(value) = self.process.get(name).filter(|value| !value.is_empty()) {
            return Some((value, Source::Env(name.to_owned())));
        }
        let path = self.file_path.as_ref()?;
        let value = self.file.get(name).filter(|value| !value.is_empty())?;
        Some((value, Source::EnvFile(path.clone(), name.to_owned())))
    }

    /// The names of all variables that begin like this.
    pub fn names(&self, prefix: &str) -> Vec<&str> {
        let mut names: Vec<&str> = self.process.keys().chain(self.file.keys()).map(String::as_str).collect();
        names.retain(|name| name.starts_with(prefix));
        names.sort_unstable();
        names.dedup();
        names
    }

    fn read_file(&mut self, path: PathBuf) {
        match dotenvy::from_path_iter(&path) {
            Err(error) => self.warnings.push(format!("{} cannot be read: {error}", path.display())),
            Ok(lines) => {
                for line in lines {
                    match line {
                        Ok((name, value)) => {
                            // The first one counts, as when the variables were exported.
                            self.file.entry(name).or_insert(value);
                        }
                        // The line may hold a secret: it is counted, not shown.
                        Err(dotenvy::Error::LineParse(..)) => {
                            self.warnings.push(format!("a line of {} is not NAME=VALUE", path.display()));
                        }
                        Err(error) => {
                            self.warnings.push(format!("{} cannot be read: {error}", path.display()));
                            break;
                        }
                    }
                }
                self.file_path = Some(path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_env_file_upwards_is_read_and_the_process_wins() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(
            root.path().join(".env"),
            "# a comment\nJWT_SECRET='with # and spaces'\nPORT=1 # why\nexport OTHER=\"quoted\"\nthis is no line\nLAST=yes\n",
        )
        .unwrap();
        let env = Env::from_parts([("PORT".to_owned(), "2".to_owned())], Some(&deep));
        assert_eq!(env.lookup("JWT_SECRET").unwrap().0, "with # and spaces");
        assert_eq!(env.lookup("OTHER").unwrap().0, "quoted");
        assert_eq!(env.lookup("LAST").unwrap().0, "yes");
        assert_eq!(env.lookup("PORT"), Some(("2", Source::Env("PORT".to_owned()))));
        assert_eq!(env.file_path(), Some(root.path().join(".env").as_path()));
        assert_eq!(env.warnings().len(), 1);
    }
}
