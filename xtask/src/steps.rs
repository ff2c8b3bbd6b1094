//! What `cargo xtask test` runs, in order: the quick things first.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail};

use crate::tidy;

/// Everything that must pass before a change lands.
pub(crate) fn test(root: &Path) -> anyhow::Result<()> {
    lint(root)?;
    provide_python()?;
    // The proof of it: that it may look at a program and answer for the system.
    provide("strace", &["-qq", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"], &["strace"])?;
    cargo(root, "unit and integration tests", ["test", "--workspace", "--locked"])?;
    kept_by_hyper(root)?;
    conformance(root)?;
    interop(root)?;
    kill(root, 50)
}

/// Formatting, lints, documentation and house rules.
pub(crate) fn lint(root: &Path) -> anyhow::Result<()> {
    tidy::run(root)?;
    cargo(root, "formatting", ["fmt", "--all", "--check"])?;
    cargo(root, "lints", ["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"])?;
    step(
        "documentation",
        Command::new("cargo")
            .args(["doc", "--workspace", "--no-deps", "--locked"])
            .env("RUSTDOCFLAGS", "--deny warnings")
            .current_dir(root),
    )
}

/// The edge's suite once more, with live streams that stay with hyper instead of leaving with their
/// sockets.
fn kept_by_hyper(root: &Path) -> anyhow::Result<()> {
    step(
        "the edge without detached streams",
        Command::new("cargo")
            .args(["test", "--locked", "--package", "tidegate-http", "--test", "it"])
            .env("TIDEGATE_SERVER_DETACH", "false")
            .current_dir(root),
    )
}

/// The public conformance suite against the real binary.
pub(crate) fn conformance(root: &Path) -> anyhow::Result<()> {
    need("node", "install Node.js 20 or newer")?;
    cargo(root, "the binary", ["build", "--locked", "--package", "tidegate"])?;
    npm_test(&root.join("conformance"), "conformance suite")
}

/// Clients that others wrote, and the programs of the documentation, against the real binary.
pub(crate) fn interop(root: &Path) -> anyhow::Result<()> {
    need("node", "install Node.js 20 or newer")?;
    provide_python()?;
    provide("go", &["version"], &["golang-go"])?;
    provide("curl", &["--version"], &["curl"])?;
    provide("jq", &["--version"], &["jq"])?;
    cargo(
        root,
        "the binary",
        ["build", "--locked", "--package", "tidegate", "--package", "example-clients"],
    )?;
    npm_test(&root.join("interop"), "clients of others")
}

fn npm_test(folder: &Path, name: &str) -> anyhow::Result<()> {
    let packages = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    step(&format!("packages: {name}"), Command::new("npm").args(packages).current_dir(folder))?;
    step(name, Command::new("npm").arg("test").current_dir(folder))
}

/// `kill -9` under load, each round checked as far as it is new and all at the end; the journal of
/// acknowledgements lives outside of the killed process.
pub(crate) fn kill(root: &Path, rounds: u32) -> anyhow::Result<()> {
    let mut command = Command::new("cargo");
    command
        .args([
            "test",
            "--locked",
            "--package",
            "tidegate",
            "--test",
            "system",
            "kill::",
            "--",
            "--nocapture",
        ])
        .env("KILL_ROUNDS", rounds.to_string())
        .current_dir(root);
    step("kill -9 under load", &mut command)
}

fn cargo<const N: usize>(root: &Path, name: &str, arguments: [&str; N]) -> anyhow::Result<()> {
    step(name, Command::new("cargo").args(arguments).current_dir(root))
}

fn need(program: impl AsRef<OsStr>, cure: &str) -> anyhow::Result<()> {
    let program = program.as_ref();
    let found = Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success());
    if !found {
        bail!("`{}` is missing: {cure}", program.display());
    }
    Ok(())
}

/// Debian's Python makes no virtual environment without a package of its own, and says so only then.
fn provide_python() -> anyhow::Result<()> {
    provide("python3", &["-c", "import ensurepip, venv"], &["python3", "python3-venv"])
}

/// A program that Debian has: installed when it is missing and this is root, else asked for.
fn provide(program: &str, proof: &[&str], packages: &[&str]) -> anyhow::Result<()> {
    let works = || Command::new(program).args(proof).output().is_ok_and(|o| o.status.success());
    if works() {
        return Ok(());
    }
    let named = packages.join(" ");
    let apt = |arguments: &[&str]| {
        Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status()
    };
    println!("── installing {named}");
    let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    let installed = apt(&["update", "--quiet"]).is_ok_and(|s| s.success())
        && apt(&install).is_ok_and(|s| s.success())
        && works();
    if !installed {
        bail!("`{program}` is missing: as root, run `apt-get install {named}`");
    }
    Ok(())
}

fn step(name: &str, command: &mut Command) -> anyhow::Result<()> {
    println!("── {name}");
    let started = Instant::now();
    let status = command.status().with_context(|| format!("could not start: {name}"))?;
    if !status.success() {
        bail!("failed: {name} ({status})");
    }
    println!("── {name}: passed in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}
