//! Which crate may know which: the picture of ARCHITECTURE.md, enforced.

use anyhow::Context as _;

use super::{Finding, Tree};

/// Each crate with the crates of the house that it may depend on.
const EDGES: [(&str, &[&str]); 14] = [
    ("tidegate-types", &[]),
    ("tidegate-db", &["types"]),
    ("tidegate-log", &["types", "db"]),
    ("tidegate-gate", &["types", "db"]),
    ("tidegate-events", &["types", "db", "log"]),
    ("tidegate-generations", &["types", "db", "log"]),
    ("tidegate-subscriptions", &["types", "db", "log"]),
    ("tidegate-documents", &["types", "db", "log", "events", "generations"]),
    ("tidegate-http", &["types", "log", "gate", "events", "generations", "documents", "subscriptions"]),
    (
        "tidegate",
        &["types", "db", "log", "gate", "events", "generations", "documents", "subscriptions", "http"],
    ),
    ("tidegate-testkit", &["types", "db", "log", "gate", "events", "generations", "documents", "http", ""]),
    ("example-clients", &[]),
    ("example-worker", &[]),
    ("xtask", &[]),
];

/// Server frameworks and SQL, and the crates that may know them.
const FOREIGN: [(&str, &[&str]); 5] = [
    ("axum", &["tidegate-http"]),
    ("hyper", &["tidegate-http", "tidegate", "tidegate-testkit"]),
    ("clap", &["tidegate", "xtask"]),
    ("reqwest", &["tidegate", "tidegate-testkit", "example-clients", "example-worker"]),
    (
        "rusqlite",
        &[
            "tidegate-db",
            "tidegate-log",
            "tidegate-gate",
            "tidegate-events",
            "tidegate-generations",
            "tidegate-documents",
            "tidegate-subscriptions",
        ],
    ),
];

pub(super) fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let manifests = tree.with_extension("toml").filter(|(name, _)| {
        name.ends_with("/Cargo.toml")
            && ["crates/", "examples/", "xtask/"].iter().any(|part| name.starts_with(part))
    });
    for (path, text) in manifests {
        let manifest: toml::Table = text.parse().with_context(|| format!("{path} is not TOML"))?;
        let name =
            manifest.get("package").and_then(|p| p.get("name")).and_then(|n| n.as_str()).unwrap_or_default();
        let Some((_, allowed)) = EDGES.iter().find(|(krate, _)| *krate == name) else {
            findings.push(Finding::new(path, format!("`{name}` has no place in the architecture's picture")));
            continue;
        };
        let dependencies = manifest.get("dependencies").and_then(|d| d.as_table());
        for dependency in dependencies.into_iter().flat_map(|table| table.keys()) {
            findings.extend(forbidden(name, allowed, dependency).map(|rule| Finding::new(path, rule)));
        }
    }
    Ok(findings)
}

fn forbidden(name: &str, allowed: &[&str], dependency: &str) -> Option<String> {
    let own = dependency.strip_prefix("tidegate").map(|rest| rest.trim_start_matches('-'));
    if let Some(own) = own
        && !allowed.contains(&own)
    {
        return Some(format!("`{name}` must not know `{dependency}`"));
    }
    let (_, knowing) = FOREIGN.iter().find(|(foreign, _)| *foreign == dependency)?;
    (!knowing.contains(&name)).then(|| format!("`{name}` must not know `{dependency}`"))
}

#[cfg(test)]
mod tests {
    use super::forbidden;

    #[test]
    fn the_log_and_the_gate_do_not_know_each_other() {
        assert!(forbidden("tidegate-log", &["types", "db"], "tidegate-gate").is_some());
        assert!(forbidden("tidegate-log", &["types", "db"], "tidegate-db").is_none());
        assert!(forbidden("tidegate-log", &["types", "db"], "axum").is_some());
    }
}
