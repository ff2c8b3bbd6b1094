//! `[[command]]`: what the built-in framework `command` may run. Nothing, unless it stands here.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Lifetime, Refusal};

/// One command, as an allow-list names it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowedCommand {
    /// What a generation's `options.command` says.
    pub name: String,
    /// The program, by its whole path, and its arguments. `{word}` is filled from
    /// `options.arguments.word`, as text within that one argument.
    pub run: Vec<String>,
    /// Where it runs; without one, in an empty folder that is removed afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// How long it may take.
    #[serde(default = "usual_timeout")]
    pub timeout: Lifetime,
    /// The server's variables that it sees; it sees no other.
    #[serde(default)]
    pub variables: Vec<String>,
}

const TIMEOUT_SECONDS_MAX: u64 = 7 * 86_400;
const NAME_BYTES_MAX: usize = 64;

fn usual_timeout() -> Lifetime {
    Lifetime::from_secs(600)
}

pub(super) fn check(commands: &[AllowedCommand], refusals: &mut Vec<Refusal>) {
    for (index, command) in commands.iter().enumerate() {
        let twice = commands.iter().take(index).any(|earlier| earlier.name == command.name);
        if twice {
            refusals.push(refusal("name", format!("= {} stands there twice", command.name), "rename one"));
        }
        check_one(command, refusals);
    }
}

fn check_one(command: &AllowedCommand, refusals: &mut Vec<Refusal>) {
    let name = &command.name;
    let well_formed = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    if !well_formed {
        refusals.push(refusal("name", format!("= {name} is no name"), "use 1 to 64 of A-Z a-z 0-9 _ . -"));
    }
    match command.run.first() {
        Some(program) if program.starts_with('/') && !program.contains(['{', '\0']) => {}
        Some(program) => refusals.push(refusal(
            "run",
            format!("of {name} begins with {program}, which is not the whole path of a program"),
            "write the whole path, as `command -v` prints it",
        )),
        None => {
            refusals.push(refusal("run", format!("of {name} is empty"), "name the program and its arguments"))
        }
    }
    if command.folder.as_ref().is_some_and(|folder| !folder.is_absolute()) {
        let folder = command.folder.clone().unwrap_or_default();
        refusals.push(refusal(
            "folder",
            format!("= {} is relative", folder.display()),
            "write the whole path",
        ));
    }
    if !(1..=TIMEOUT_SECONDS_MAX).contains(&command.timeout.as_secs()) {
        refusals.push(refusal("timeout", format!("= {} is out of range", command.timeout), "use 1s to 7d"));
    }
    let secret = |name: &&String| {
        name.starts_with("TIDEGATE_") || ["JWT_SECRET", "DATABASE_URL", "REDIS_URL"].contains(&name.as_str())
    };
    if let Some(secret) = command.variables.iter().find(secret) {
        refusals.push(refusal(
            "variables",
            format!("of {name} would hand the server's own {secret} to a command"),
            "leave it out",
        ));
    }
}

fn refusal(key: &str, why: String, cure: &str) -> Refusal {
    Refusal::new(format!("[[command]] {key}"), why, cure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Vec<String> {
        let command: AllowedCommand = toml::from_str(text).unwrap();
        let mut refusals = Vec::new();
        check(&[command], &mut refusals);
        refusals.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_command_is_a_whole_path_and_sees_no_secret() {
        assert!(refused("name = \"ok\"\nrun = [\"/bin/true\", \"{word}\"]").is_empty());
        for bad in [
            "name = \"\"\nrun = [\"/bin/true\"]",
            "name = \"x\"\nrun = []",
            "name = \"x\"\nrun = [\"true\"]",
            "name = \"x\"\nrun = [\"/bin/{which}\"]",
            "name = \"x\"\nrun = [\"/bin/true\"]\nfolder = \"here\"",
            "name = \"x\"\nrun = [\"/bin/true\"]\ntimeout = 0",
            "name = \"x\"\nrun = [\"/bin/true\"]\nvariables = [\"JWT_SECRET\"]",
        ] {
            assert_eq!(refused(bad).len(), 1, "{bad}");
        }
    }
}
