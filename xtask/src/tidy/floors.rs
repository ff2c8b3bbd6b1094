//! Versions below which a dependency is known to be unsafe, checked against the lock file.

use std::collections::HashSet;
use std::process::Command;

use anyhow::{Context as _, bail};

use super::{Finding, Tree};

/// Crate, oldest safe version, why.
const FLOORS: [(&str, [u64; 3], &str); 7] = [
    ("rustls", [0, 23, 45], "RUSTSEC-2026-0285"),
    ("rustls-webpki", [0, 103, 13], "RUSTSEC-2026-0049, -0098, -0099, -0104"),
    ("aws-lc-sys", [0, 39, 0], "RUSTSEC-2026-0044, -0048"),
    ("h2", [0, 4, 20], "RUSTSEC-2026-0258"),
    ("jsonwebtoken", [10, 3, 0], "CVE-2026-25537"),
    ("tracing-subscriber", [0, 3, 20], "RUSTSEC-2025-0055"),
    ("rusqlite", [0, 40, 0], "bundles an SQLite with the WAL-reset fix"),
];

/// Crates that must not be in the tree at all.
const BANNED: [&str; 4] = ["ring", "openssl-sys", "native-tls", "rustls-pemfile"];

pub(super) fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    let path = tree.root().join("Cargo.lock");
    let text = std::fs::read_to_string(&path).context("Cargo.lock belongs into the project")?;
    let lock: toml::Table = text.parse().context("Cargo.lock is not TOML")?;
    let packages = lock.get("package").and_then(|p| p.as_array()).cloned().unwrap_or_default();
    let mut findings = Vec::new();
    for package in &packages {
        let field = |key: &str| package.get(key).and_then(|v| v.as_str()).unwrap_or_default();
        let (name, version) = (field("name"), field("version"));
        for (_, floor, why) in FLOORS.iter().filter(|(krate, ..)| *krate == name) {
            if numbers(version) < *floor {
                findings.push(Finding::new("Cargo.lock", format!("`{name}` {version} is unsafe: {why}")));
            }
        }
    }
    findings.extend(banned(tree)?);
    Ok(findings)
}

/// The lock names optional crates that no build ever sees, so the built tree is asked instead.
fn banned(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    let built = Command::new("cargo")
        .args(["tree", "--workspace", "--locked", "--prefix", "none", "--edges", "normal,build"])
        .current_dir(tree.root())
        .output()
        .context("cargo is needed to list what is built")?;
    if !built.status.success() {
        bail!("cargo tree failed: {}", String::from_utf8_lossy(&built.stderr).trim());
    }
    let text = String::from_utf8_lossy(&built.stdout);
    let names: HashSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    let found = BANNED.iter().filter(|name| names.contains(**name));
    Ok(found.map(|name| Finding::new("Cargo.lock", format!("`{name}` is banned"))).collect())
}

fn numbers(version: &str) -> [u64; 3] {
    let mut parts = version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0));
    [parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_compare_by_number_not_by_letter() {
        assert!(numbers("0.4.9") < numbers("0.4.20"));
        assert_eq!(numbers("1.2.3-rc.1"), [1, 2, 3]);
    }
}
