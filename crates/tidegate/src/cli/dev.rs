//! `tidegate dev`: a server for development, in the working folder, without set-up.

use std::net::SocketAddr;
use std::path::Path;

use clap::Args;
use secrecy::SecretString;
use tidegate_gate::{Actor, ClientFacts, Gate, NewKey, NewUser, Role, Scope};
use tidegate_types::{Entropy, OsEntropy, UserId};
use tokio::net::TcpListener;

use super::Context;
use super::exit::{CliError, Exit};
use super::profile::Profile;
use super::serve;
use crate::config::{self, Loaded, Mode, Overrides};
use crate::server::{self, Banner, Server, Setup};

/// A server for development: loopback only, its own secret and data in .tidegate, a user and a key for you.
///
/// The other verbs find it by themselves when they run in the same folder.
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  tidegate dev\n  tidegate run --title Import -- ./import.sh      in a second terminal"
)]
pub(crate) struct DevArgs {
    /// The port on loopback.
    #[arg(long)]
    port: Option<u16>,
}

pub(super) async fn run(args: DevArgs, context: &Context) -> Result<Exit, CliError> {
    let shutdown =
        server::shutdown_token().map_err(|error| CliError::io("cannot listen for signals", error))?;
    let overrides = Overrides { port: args.port, ..context.overrides() };
    let dev = Dev::open(&overrides, context, false).await?;
    context.output.note(&dev.banner);
    dev.server
        .serve(dev.listener, shutdown)
        .await
        .map_err(|error| CliError::io("the server stopped", error))?;
    Ok(Exit::Ok)
}

/// A development server that is about to listen.
pub(super) struct Dev {
    pub(super) server: Server,
    pub(super) listener: TcpListener,
    pub(super) profile: Profile,
    pub(super) banner: Banner,
}

impl Dev {
    /// Opens the folder, makes what is missing in it and binds the port.
    pub(super) async fn open(
        overrides: &Overrides,
        context: &Context,
        any_port: bool,
    ) -> Result<Self, CliError> {
        let started = tokio::time::Instant::now();
        let mut loaded = config::load(overrides, &context.env, Mode::Dev)?;
        if let Some(refusal) = loaded.config.refusals(Mode::Dev, &loaded.data).into_iter().next() {
            return Err(refusal.into());
        }
        server::start_logs(&loaded.config.log);
        server::hook_panics();
        server::raise_file_limit();
        server::keep_files_private();
        serve::tell_sources(&loaded);
        server::make_folder(&loaded.data)?;
        keep_out_of_git(&loaded.data);
        let mut remarks = vec!["for development: loopback only".to_owned()];
        remarks.push(settle_secret(&mut loaded)?);
        let server = Server::open(Setup::of(&loaded)?).await?;
        let listener = match serve::listen(&loaded).await {
            Err(_) if any_port => TcpListener::bind(("127.0.0.1", 0))
                .await
                .map_err(|error| CliError::io("cannot listen", error))?,
            other => other?,
        };
        let addr = listener.local_addr().map_err(|error| CliError::io("cannot listen", error))?;
        let profile = settle_profile(server.gate(), &loaded, addr).await?;
        let banner = Banner {
            url: profile.url.clone(),
            data: loaded.data.clone(),
            ready_in: started.elapsed(),
            remarks,
        };
        Ok(Self { server, listener, profile, banner })
    }
}

/// The folder holds a secret and often lies in somebody's repository.
fn keep_out_of_git(data: &Path) {
    let ignore = data.join(".gitignore");
    if !ignore.exists()
        && let Err(error) = std::fs::write(&ignore, "*\n")
    {
        tracing::warn!(%error, "no .gitignore could be written: keep the data folder out of git yourself");
    }
}

/// A secret of the folder's own, unless one is set; says which.
fn settle_secret(loaded: &mut Loaded) -> Result<String, CliError> {
    if loaded.config.auth.jwt_secret.is_some() || loaded.config.auth.jwt_key_file.is_some() {
        return Ok("secret from your settings".to_owned());
    }
    let found = config::dev_secret(&loaded.data, &OsEntropy)?;
    let verb = if found.made { "made" } else { "kept" };
    loaded.config.auth.jwt_secret = Some(found.secret);
    Ok(format!("secret {verb} in {} (dev only)", found.path.display()))
}

const EMAIL: &str = "dev@tidegate.local";

/// The local user and a key of theirs, kept in the folder's profile as long as they work.
async fn settle_profile(gate: &Gate, loaded: &Loaded, addr: SocketAddr) -> Result<Profile, CliError> {
    let url = serve::public_url(loaded, addr);
    if let Some(kept) = Profile::lookup(&loaded.data) {
        use secrecy::ExposeSecret as _;
        if gate.authenticate_bearer(kept.key.expose_secret(), &ClientFacts::local()).await.is_ok() {
            return write(Profile { url, key: kept.key }, loaded);
        }
    }
    let owner = settle_user(gate).await?;
    let created = gate
        .create_key(
            NewKey {
                name: "local command line".to_owned(),
                scopes: scopes(),
                expires_at: None,
                owner: Some(owner),
            },
            &ClientFacts::local(),
        )
        .await
        .map_err(|error| CliError::io("cannot make the local key", error))?;
    write(Profile { url, key: created.secret.reveal().to_owned().into() }, loaded)
}

fn write(profile: Profile, loaded: &Loaded) -> Result<Profile, CliError> {
    profile.write(&loaded.data).map_err(|error| CliError::io("cannot keep the local key", error))?;
    Ok(profile)
}

fn scopes() -> Vec<Scope> {
    let wanted = ["generations:work", "events:publish", "streams:read:**", "streams:write:**"];
    wanted.iter().filter_map(|scope| scope.parse().ok()).collect()
}

async fn settle_user(gate: &Gate) -> Result<UserId, CliError> {
    let failed = |error: &dyn std::fmt::Display| CliError::io("cannot make the local user", error);
    if let Some(user) = gate.find_user_by_email(EMAIL).await.map_err(|error| failed(&error))? {
        return Ok(user.id);
    }
    let random: [u8; 24] = (&OsEntropy as &dyn Entropy).array();
    let password: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let new = NewUser {
        email: EMAIL.to_owned(),
        password: SecretString::from(password),
        name: Some("Local developer".to_owned()),
        role: Role::Admin,
    };
    Ok(gate.add_user(new, Actor::Operator).await.map_err(|error| failed(&error))?.id)
}
