//! `[database]`: where the truth is kept.

use std::path::{Path, PathBuf};

use super::Refusal;
use super::spec::section;

section! {
    /// Where the truth is kept.
    DatabaseConfig in "database" {
        /// sqlite:FILE; also DATABASE_URL. A relative file lies in the data folder. Default: tidegate.db there.
        url: Option<String> = None, Text;
    }
}

const FILE: &str = "tidegate.db";

impl DatabaseConfig {
    /// The file that the URL names.
    pub(super) fn file(&self, data: &Path) -> Result<PathBuf, Refusal> {
        let Some(url) = self.url.as_deref() else { return Ok(data.join(FILE)) };
        let refuse = |why: &str, cure: &str| Err(Refusal::new("database.url", why, cure));
        let scheme = url.split(':').next().unwrap_or_default().to_ascii_lowercase();
        match scheme.as_str() {
            "sqlite" | "file" => {}
            "postgres" | "postgresql" => {
                return refuse(
                    "names a Postgres server, which this build can't use: it stores in SQLite",
                    "unset it (or DATABASE_URL), or use sqlite:FILE",
                );
            }
            _ => {
                return refuse(
                    &format!("has the scheme `{scheme}`, which this build can't use: it stores in SQLite"),
                    "use sqlite:FILE, or leave it out",
                );
            }
        }
        let path = url.split_once(':').map_or("", |(_, rest)| rest);
        let path = path.split('?').next().unwrap_or_default();
        let path = match path.strip_prefix("//") {
            Some(rest) => rest.strip_prefix("localhost/").map_or(rest.to_owned(), |p| format!("/{p}")),
            None => path.to_owned(),
        };
        if path.is_empty() || path.starts_with(":memory:") {
            return refuse(
                "names no file, and what is only in memory would be lost at a restart",
                "use sqlite:FILE, or leave it out",
            );
        }
        Ok(data.join(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(url: &str) -> Result<PathBuf, Refusal> {
        DatabaseConfig { url: Some(url.to_owned()) }.file(Path::new("/data"))
    }

    #[test]
    fn sqlite_urls_name_a_file_in_or_outside_the_data_folder() {
        for (url, path) in [
            ("sqlite:a.db", "/data/a.db"),
            ("sqlite://a.db", "/data/a.db"),
            ("sqlite:///srv/a.db", "/srv/a.db"),
            ("sqlite:/srv/a.db?mode=rwc", "/srv/a.db"),
        ] {
            assert_eq!(file(url), Ok(PathBuf::from(path)), "{url}");
        }
    }

    #[test]
    fn other_stores_are_refused_in_words_and_the_url_is_not_repeated() {
        for url in ["postgres://u:hunter2@h/db", "postgresql://u:hunter2@h/db", "mysql://u:hunter2@h/db"] {
            let text = file(url).unwrap_err().to_string();
            assert!(text.contains("this build") && text.contains("SQLite"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
        assert!(file("sqlite::memory:").is_err());
    }
}
