//! Chores of the house: `cargo xtask <verb>`.
//!
//! Owns: the house rules (`tidy`) and the order in which everything is checked (`test`).
//! Must not: be needed at run time.

#![expect(clippy::print_stdout, reason = "a chore talks to the person who runs it")]

mod size;
mod steps;
mod tidy;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

/// Chores of the house.
#[derive(Parser)]
#[command(name = "cargo xtask", disable_version_flag = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Checks the house rules: sizes, docs, crate edges, version floors, stray paths.
    Tidy,
    /// Everything that must pass before a change lands, in one go (installs what it needs).
    Test,
    /// Formatting, lints, documentation and house rules only: the quick part of `test`.
    Lint,
    /// The public conformance suite against the real binary.
    Conformance,
    /// Clients that others wrote, and the programs of docs/clients.md, against the real binary.
    Interop,
    /// `kill -9` under load, over and over: no acknowledged append may be lost or doubled.
    Kill {
        /// How many times to kill.
        #[arg(long, default_value_t = 50)]
        rounds: u32,
    },
    /// The release binary against its limit of 40 MB; builds nothing.
    Size {
        /// The binary; the one that `cargo build --release` makes if none is named.
        binary: Option<PathBuf>,
    },
}

fn main() -> anyhow::Result<()> {
    let root = root()?;
    match Cli::parse().verb {
        Verb::Tidy => tidy::run(&root),
        Verb::Test => steps::test(&root),
        Verb::Lint => steps::lint(&root),
        Verb::Conformance => steps::conformance(&root),
        Verb::Interop => steps::interop(&root),
        Verb::Kill { rounds } => steps::kill(&root, rounds),
        Verb::Size { binary } => size::check(&binary.unwrap_or_else(|| root.join("target/release/tidegate"))),
    }
}

fn root() -> anyhow::Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = manifest.parent().ok_or_else(|| anyhow::anyhow!("xtask stands outside the workspace"))?;
    Ok(root.to_owned())
}
