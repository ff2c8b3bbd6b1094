//! `config init`: a commented file with every setting and its default, made from the types.

use std::fmt::Write as _;

use super::{Config, specs};

/// The sample file.
#[must_use]
pub fn sample() -> String {
    let defaults = Config::default().as_table();
    let mut text = String::from(HEAD);
    let mut section = "";
    for spec in specs() {
        if spec.section != section {
            section = spec.section;
            // Writing to a string cannot fail.
            let _ = writeln!(text, "\n[{section}]");
        }
        let default = defaults.get(section).and_then(|table| table.get(spec.key));
        let value = default.map_or_else(|| example(&spec.name()).to_owned(), ToString::to_string);
        let _ = writeln!(text, "# {}\n# {} = {value}", spec.doc.trim(), spec.key);
    }
    text.push_str(LISTS);
    text
}

const HEAD: &str = "\
# Tidegate's configuration. Every line that is commented out shows the default.
# Stronger than this file: TIDEGATE_SECTION_KEY variables, then flags.
# `tidegate config check` says what is wrong, `tidegate config show` where each value comes from.
";

const LISTS: &str = "
# Who may read and write streams under /v1/stream; the first match wins.
# anyone | user | service | nobody
# [[access]]
# path = \"public/**\"
# read = \"anyone\"
# write = \"service\"
# subscribe = \"nobody\"

# How much of a stream under /v1/stream is kept; the first match wins, and what no rule names is kept.
# Looked at about once a minute. A reader of what was dropped is told the exact range.
# [[retain]]
# path = \"public/**\"
# max_age = \"7d\"
# max_records = 100000
# max_bytes = 104857600

# Outside identity providers whose tokens are accepted.
# [[issuer]]
# iss = \"https://id.example.org/\"
# jwks_url = \"https://id.example.org/.well-known/jwks.json\"
# audience = \"tidegate\"

# Commands that the built-in framework `command` may run. No shell: each item of `run` is one
# argument, `{year}` is filled from the generation's options, the prompt is standard input.
# [[command]]
# name = \"report\"
# run = [\"/usr/local/bin/report\", \"--year\", \"{year}\"]
# folder = \"/srv/reports\"
# timeout = \"10m\"
# variables = [\"PATH\"]
";

/// An example for settings without a default.
fn example(name: &str) -> &'static str {
    match name {
        "server.data" => "\"/var/lib/tidegate\"",
        "server.public_url" => "\"https://live.example.org\"",
        "server.tls_cert" => "\"/etc/tidegate/cert.pem\"",
        "server.tls_key" => "\"/etc/tidegate/key.pem\"",
        "server.metrics_addr" => "\"127.0.0.1:9000\"",
        "auth.jwt_secret" => "\"\"  # better in the environment: JWT_SECRET",
        "auth.jwt_key_file" => "\"/etc/tidegate/jwt.pem\"",
        "auth.jwt_expires_in" => "\"10m\"",
        "generations.max_attempts" => "1",
        "llm.base_url" => "\"http://127.0.0.1:11434/v1\"",
        "llm.api_key" => "\"\"  # better in the environment: TIDEGATE_LLM_API_KEY",
        "llm.model" => "\"llama3.2\"",
        "database.url" => "\"sqlite:tidegate.db\"",
        _ => "\"\"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Env, Mode, Overrides, load};

    #[test]
    fn the_sample_with_its_comments_taken_off_is_the_default_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let bare: String = sample()
            .lines()
            .filter(|line| !line.starts_with("# ") || line.contains(" = "))
            .map(|line| line.strip_prefix("# ").unwrap_or(line))
            .take_while(|line| !line.starts_with("path ="))
            .filter(|line| !line.contains("jwt_") && !line.contains("tls_"))
            .map(|line| format!("{line}\n"))
            .collect();
        let path = folder.path().join("tidegate.toml");
        std::fs::write(&path, &bare).unwrap();
        let overrides = Overrides { config: Some(path), ..Overrides::default() };
        let loaded = load(&overrides, &Env::default(), Mode::Serve).unwrap_or_else(|e| panic!("{e}\n{bare}"));
        assert_eq!(loaded.config.limits, tidegate_types::Limits::default());
        assert_eq!(loaded.config.server.addr.to_string(), "127.0.0.1:8000");
    }
}
