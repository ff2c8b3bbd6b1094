//! The house rules, as a program: prose alone does not hold.
//!
//! Owns: file and function sizes, module docs, crate edges, version floors, stray paths and
//! left-over marks. Each rule is a function from the tree to a list of findings.

mod edges;
mod floors;
mod source;
mod text;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// One broken rule and where.
pub(crate) struct Finding {
    place: String,
    rule: String,
}

impl Finding {
    pub(crate) fn new(place: impl fmt::Display, rule: impl Into<String>) -> Self {
        Self { place: place.to_string(), rule: rule.into() }
    }
}

/// The files that git knows or would take, with their text where it is UTF-8.
pub(crate) struct Tree {
    root: PathBuf,
    files: Vec<(String, String)>,
}

impl Tree {
    fn read(root: &Path) -> anyhow::Result<Self> {
        let listed = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("git is needed to list the project's files")?;
        if !listed.status.success() {
            bail!("git ls-files failed: {}", String::from_utf8_lossy(&listed.stderr).trim());
        }
        let files = String::from_utf8_lossy(&listed.stdout)
            .lines()
            .filter_map(|name| Some((name.to_owned(), std::fs::read_to_string(root.join(name)).ok()?)))
            .collect();
        Ok(Self { root: root.to_owned(), files })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    pub(crate) fn with_extension(&self, extension: &str) -> impl Iterator<Item = (&str, &str)> {
        let suffix = format!(".{extension}");
        self.files().filter(move |(name, _)| name.ends_with(&suffix))
    }
}

/// Checks everything and fails with the list of findings.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let tree = Tree::read(root)?;
    let mut findings = source::check(&tree);
    findings.extend(text::check(&tree));
    findings.extend(edges::check(&tree)?);
    findings.extend(floors::check(&tree)?);
    if findings.is_empty() {
        println!("tidy: {} files, no findings", tree.files.len());
        return Ok(());
    }
    for finding in &findings {
        println!("{}: {}", finding.place, finding.rule);
    }
    bail!("{} house rules are broken", findings.len())
}
