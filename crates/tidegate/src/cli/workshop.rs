//! Working on a data folder directly, also while a server runs on it: for `user` and `key`.
//!
//! A running server sees what is written here within a second.

use tidegate_gate::{ClientFacts, Gate, User};
use tidegate_types::{Entropy, OsEntropy, UserId};

use super::Context;
use super::exit::{CliError, Exit};
use crate::config::{self, Mode};
use crate::server::{self, Setup};

/// The gate of a data folder.
pub(super) struct Workshop {
    pub(super) gate: Gate,
    pub(super) facts: ClientFacts,
}

/// What the work needs of the server's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing: what is written is hashed.
    Nothing,
    /// Something is sealed that the server must open.
    Secret,
}

impl Workshop {
    /// Opens the data folder that the flags and the environment name.
    pub(super) async fn open(context: &Context, needs: Needs) -> Result<Self, CliError> {
        let mut loaded = config::load(&context.overrides(), &context.env, Mode::Tool)?;
        if let Some(refusal) = loaded.config.refusals(Mode::Tool, &loaded.data).into_iter().next() {
            return Err(refusal.into());
        }
        let auth = &mut loaded.config.auth;
        if auth.jwt_secret.is_none() && auth.jwt_key_file.is_none() {
            auth.jwt_secret = config::lookup_dev_secret(&loaded.data)?.map(|found| found.secret);
        }
        if auth.jwt_secret.is_none() && auth.jwt_key_file.is_none() {
            if needs == Needs::Secret {
                return Err(CliError::new(
                    Exit::Config,
                    "auth.jwt_secret is missing, and a signing secret has to be sealed with it; set JWT_SECRET to the server's",
                ));
            }
            // Nothing that is written now depends on it.
            let random: [u8; 32] = (&OsEntropy as &dyn Entropy).array();
            let text: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
            auth.jwt_secret = Some(text.into());
        }
        server::keep_files_private();
        server::make_folder(&loaded.data)?;
        context.output.note(format!("data folder {}", loaded.data.display()));
        let gate = server::open_gate(&Setup::of(&loaded)?).await?;
        Ok(Self { gate, facts: ClientFacts::local() })
    }

    /// A user by email or id.
    pub(super) async fn user(&self, who: &str) -> Result<User, CliError> {
        let found = match who.parse::<UserId>() {
            Ok(id) => self.gate.lookup_user(id).await,
            Err(_) => self.gate.find_user_by_email(who).await,
        };
        found
            .map_err(|error| CliError::io("cannot read the users", error))?
            .ok_or_else(|| CliError::new(Exit::NotFound, format!("there is no user {who}")))
    }
}
