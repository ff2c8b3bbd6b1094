//! `tidegate key`: API keys, by who has the data folder.

use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tidegate_gate::{Actor, Key, NewKey, Scope};
use tidegate_types::{Clock as _, KeyId, SystemClock};

use super::Context;
use super::exit::{CliError, Exit};
use super::workshop::{Needs, Workshop};
use crate::config::Lifetime;

/// Makes and revokes API keys on the data folder, also while a server runs (it sees them within a second).
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  tidegate key create --name importer --scope generations:work --scope 'streams:write:import/**'\n  tidegate key create --name ci --owner ada@example.org --scope generations:work --expires 90d\n  tidegate key list"
)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    verb: KeyVerb,
}

#[derive(Debug, Subcommand)]
enum KeyVerb {
    /// Makes a key and prints its secret, once.
    Create(CreateArgs),
    /// Lists all keys; secrets are kept as hashes only.
    List,
    /// Revokes a key: its streams end within a second.
    Revoke {
        /// The key's id.
        id: KeyId,
    },
}

#[derive(Args, Debug)]
struct CreateArgs {
    /// What it is for.
    #[arg(long, default_value = "command line")]
    name: String,
    /// `generations:work`, `events:publish`, `streams:read:PATTERN` or `streams:write:PATTERN`; may be repeated.
    #[arg(long = "scope", required = true, value_name = "SCOPE")]
    scopes: Vec<Scope>,
    /// Whose it is: generations that it creates belong to this user (email or id).
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// How long it lives, like 90d; without it, until it is revoked.
    #[arg(long, value_name = "TIME")]
    expires: Option<Lifetime>,
}

pub(super) async fn run(args: KeyArgs, context: &Context) -> Result<Exit, CliError> {
    match args.verb {
        KeyVerb::Create(create) => make(create, context).await,
        KeyVerb::List => list(context).await,
        KeyVerb::Revoke { id } => {
            let workshop = Workshop::open(context, Needs::Nothing).await?;
            let revoked =
                workshop.gate.revoke_key(id, Actor::Operator, &workshop.facts).await.map_err(failed)?;
            if !revoked {
                return Err(CliError::new(Exit::NotFound, format!("there is no living key {id}")));
            }
            context.output.result(&json!({ "id": id, "revoked": true }), || format!("revoked {id}"));
            Ok(Exit::Ok)
        }
    }
}

async fn make(args: CreateArgs, context: &Context) -> Result<Exit, CliError> {
    // A worker's key comes with a signing secret that the server has to read again.
    let needs = if args.scopes.contains(&Scope::GenerationsWork) { Needs::Secret } else { Needs::Nothing };
    let workshop = Workshop::open(context, needs).await?;
    let owner = match &args.owner {
        Some(owner) => Some(workshop.user(owner).await?.id),
        None => None,
    };
    let expires_at = args.expires.map(|life| SystemClock.now().plus(life.as_duration()));
    let new = NewKey { name: args.name, scopes: args.scopes, expires_at, owner };
    let created = workshop.gate.create_key(new, &workshop.facts).await.map_err(failed)?;
    let signing = created.signing_secret.as_ref().map(|secret| secret.expose_secret().to_owned());
    let secret = created.secret.reveal();
    let mut value = as_json(&created.key);
    if let Some(object) = value.as_object_mut() {
        object.insert("secret".to_owned(), json!(secret));
        object.insert("signing_secret".to_owned(), json!(signing));
    }
    context.output.result(&value, || match &signing {
        Some(signing) => format!("{secret}\nsigning secret {signing}"),
        None => secret.to_owned(),
    });
    context.output.note("kept as a hash: this is the only time the secret is shown");
    Ok(Exit::Ok)
}

async fn list(context: &Context) -> Result<Exit, CliError> {
    let workshop = Workshop::open(context, Needs::Nothing).await?;
    for key in workshop.gate.list_keys(None).await.map_err(failed)? {
        context.output.result(&as_json(&key), || {
            let scopes: Vec<String> = key.scopes.iter().map(ToString::to_string).collect();
            let state = if key.revoked_at.is_some() { "  revoked" } else { "" };
            format!("{}  {}  {}{state}", key.id, key.name, scopes.join(" "))
        });
    }
    Ok(Exit::Ok)
}

fn as_json(key: &Key) -> Value {
    let scopes: Vec<String> = key.scopes.iter().map(ToString::to_string).collect();
    json!({
        "id": key.id, "name": key.name, "scopes": scopes, "owner_id": key.owner, "created_at": key.created_at,
        "expires_at": key.expires_at, "last_used_at": key.last_used_at, "revoked_at": key.revoked_at
    })
}

fn failed(error: impl std::fmt::Display) -> CliError {
    CliError::new(Exit::Failed, error.to_string())
}
