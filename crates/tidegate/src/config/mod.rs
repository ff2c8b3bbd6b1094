//! Configuration: one file per section, each with its defaults, its documentation and its checks.
//!
//! Owns: where a value may come from (flag, environment, file, default), what is refused, and the
//! words of each refusal. Must not: open the database, change the environment, or keep anything global.
//!
//! Rule: what a setting is depends on flags, environment and files that are named, never on the
//! working folder (but for `.env`, which is named at start).

mod access;
mod auth;
mod check;
mod command;
mod cors;
mod database;
mod dev;
mod documents;
mod env;
mod generations;
mod issuer;
mod llm;
mod load;
mod log;
mod refusal;
mod retain;
mod retention;
mod sample;
mod secret;
mod server;
mod show;
mod spec;
mod value;
mod webhooks;

pub use access::{AccessRule, Who};
pub use auth::{AuthConfig, StreamAuth};
pub use check::database_file;
pub use command::AllowedCommand;
pub use cors::CorsConfig;
pub use database::DatabaseConfig;
pub use dev::{DEV_FOLDER, DevSecret, dev_secret, lookup_dev_secret};
pub use documents::DocumentsConfig;
pub use env::Env;
pub use generations::{GenerationsConfig, Signatures};
pub use issuer::IssuerConfig;
pub use llm::LlmConfig;
pub use load::{Loaded, Overrides, load};
pub use log::{LogConfig, LogFormat};
pub use refusal::Refusal;
pub use retain::RetainRule;
pub use retention::RetentionConfig;
pub use sample::sample;
pub use server::ServerConfig;
pub use show::{Shown, show};
pub use spec::{Kind, SettingSpec, Source, did_you_mean, specs};
pub use value::{Hidden, Lifetime, ListenAddr};
pub use webhooks::WebhooksConfig;

use tidegate_types::Limits;

/// Who asks for the configuration: the rules differ a little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `tidegate serve`: everything has to be safe.
    Serve,
    /// `tidegate dev` and `demo`: loopback only, with a secret of its own.
    Dev,
    /// `user`, `key`: works on the data folder, opens no port.
    Tool,
}

/// Every setting, read and typed.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// `[server]`
    pub server: ServerConfig,
    /// `[auth]`
    pub auth: AuthConfig,
    /// `[[issuer]]`
    pub issuer: Vec<IssuerConfig>,
    /// `[cors]`
    pub cors: CorsConfig,
    /// `[[access]]`
    pub access: Vec<AccessRule>,
    /// `[generations]`
    pub generations: GenerationsConfig,
    /// `[[command]]`
    pub command: Vec<AllowedCommand>,
    /// `[webhooks]`
    pub webhooks: WebhooksConfig,
    /// `[limits]`
    pub limits: Limits,
    /// `[documents]`
    pub documents: DocumentsConfig,
    /// `[llm]`
    pub llm: LlmConfig,
    /// `[retention]`
    pub retention: RetentionConfig,
    /// `[[retain]]`
    pub retain: Vec<RetainRule>,
    /// `[log]`
    pub log: LogConfig,
    /// `[database]`
    pub database: DatabaseConfig,
}
