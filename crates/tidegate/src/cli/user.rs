//! `tidegate user`: accounts, by who has the data folder.

use std::io::{BufRead as _, IsTerminal as _};

use clap::{Args, Subcommand};
use secrecy::SecretString;
use serde_json::{Value, json};
use tidegate_gate::{Actor, NewUser, Role, User};

use super::Context;
use super::exit::{CliError, Exit};
use super::workshop::{Needs, Workshop};

/// Makes and manages accounts on the data folder, also while a server runs (it sees them within a second).
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  echo \"$PASSWORD\" | tidegate user add --email ada@example.org --role admin --password-stdin\n  tidegate user list\n  tidegate user disable ada@example.org       her streams end within a second"
)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    verb: UserVerb,
}

#[derive(Debug, Subcommand)]
enum UserVerb {
    /// Makes an account.
    Add(AddArgs),
    /// Lists all accounts.
    List,
    /// Changes the role; open sessions are checked against the new one.
    Role {
        /// Email or id.
        user: String,
        /// `user` or `admin`.
        role: Role,
    },
    /// Sets a new password and ends all sessions.
    Passwd {
        /// Email or id.
        user: String,
        /// Read the password from standard input.
        #[arg(long, visible_alias = "stdin-password")]
        password_stdin: bool,
    },
    /// Disables an account: sessions and streams end.
    Disable {
        /// Email or id.
        user: String,
    },
    /// Enables a disabled account.
    Enable {
        /// Email or id.
        user: String,
    },
    /// Ends all sessions and streams of a user; signing in again stays possible.
    Revoke {
        /// Email or id.
        user: String,
    },
}

#[derive(Args, Debug)]
struct AddArgs {
    /// The email to sign in with.
    #[arg(long)]
    email: String,
    /// `user` or `admin`.
    #[arg(long, default_value = "user")]
    role: Role,
    /// The name that people see.
    #[arg(long)]
    name: Option<String>,
    /// Read the password from standard input.
    #[arg(long, visible_alias = "stdin-password")]
    password_stdin: bool,
}

const PAGE: usize = 500;

pub(super) async fn run(args: UserArgs, context: &Context) -> Result<Exit, CliError> {
    // Asked before the folder is opened, so that nothing waits for a person with a database open.
    let password = match &args.verb {
        UserVerb::Add(AddArgs { password_stdin, .. }) | UserVerb::Passwd { password_stdin, .. } => {
            Some(read_password(*password_stdin)?)
        }
        _ => None,
    };
    let workshop = Workshop::open(context, Needs::Nothing).await?;
    let gate = &workshop.gate;
    let done = |user: &User, words: &str| {
        context.output.result(&as_json(user), || format!("{words} {} ({})", user.email, user.id));
    };
    match args.verb {
        UserVerb::Add(add) => {
            let password = password.unwrap_or_default();
            let new = NewUser { email: add.email, password, role: add.role, name: add.name };
            let user = gate.add_user(new, Actor::Operator).await.map_err(failed)?;
            done(&user, "added");
        }
        UserVerb::List => list(&workshop, context).await?,
        UserVerb::Role { user, role } => {
            let user = workshop.user(&user).await?;
            let user = gate.set_role(user.id, role, Actor::Operator).await.map_err(failed)?;
            done(&user, "changed the role of");
        }
        UserVerb::Passwd { user, .. } => {
            let user = workshop.user(&user).await?;
            let password = password.unwrap_or_default();
            gate.set_password(user.id, password, Actor::Operator).await.map_err(failed)?;
            done(&user, "set the password of");
        }
        UserVerb::Disable { user } => {
            let user = workshop.user(&user).await?;
            let user = gate.set_disabled(user.id, true, Actor::Operator).await.map_err(failed)?;
            done(&user, "disabled");
        }
        UserVerb::Enable { user } => {
            let user = workshop.user(&user).await?;
            let user = gate.set_disabled(user.id, false, Actor::Operator).await.map_err(failed)?;
            done(&user, "enabled");
        }
        UserVerb::Revoke { user } => {
            let user = workshop.user(&user).await?;
            let ended = gate.end_all_sessions(user.id, Actor::Operator).await.map_err(failed)?;
            let value = json!({ "id": user.id, "sessions_ended": ended });
            context.output.result(&value, || format!("ended {ended} sessions of {}", user.email));
        }
    }
    Ok(Exit::Ok)
}

async fn list(workshop: &Workshop, context: &Context) -> Result<(), CliError> {
    let mut after = None;
    loop {
        let page = workshop.gate.list_users(after, PAGE).await.map_err(failed)?;
        for user in &page {
            context.output.result(&as_json(user), || {
                let disabled = if user.disabled_at.is_some() { "  disabled" } else { "" };
                format!("{}  {:5}  {}{disabled}", user.id, role(user), user.email)
            });
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.id),
            _ => return Ok(()),
        }
    }
}

fn role(user: &User) -> String {
    user.role.to_string()
}

fn as_json(user: &User) -> Value {
    json!({
        "id": user.id, "email": user.email, "name": user.name, "role": role(user),
        "created_at": user.created_at, "disabled_at": user.disabled_at
    })
}

fn failed(error: impl std::fmt::Display) -> CliError {
    CliError::new(Exit::Failed, error.to_string())
}

/// The password: a line of standard input, or typed at a terminal without an echo.
fn read_password(from_stdin: bool) -> Result<SecretString, CliError> {
    if !from_stdin && std::io::stdin().is_terminal() {
        let term = console::Term::stderr();
        let _ = term.write_str("Password: ");
        let typed =
            term.read_secure_line().map_err(|error| CliError::io("cannot read the password", error))?;
        return Ok(typed.into());
    }
    if !from_stdin {
        return Err(CliError::new(Exit::Usage, "no password").hint("pipe it in with --password-stdin"));
    }
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| CliError::io("cannot read the password", error))?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned().into())
}
