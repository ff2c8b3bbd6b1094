//! Putting the sources together: flag, environment, file, default.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::spec::{LISTS, SettingSpec, did_you_mean, specs};
use super::{Config, DEV_FOLDER, Env, Kind, ListenAddr, Mode, Refusal, Source};

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--data`
    pub data: Option<PathBuf>,
    /// `--addr`
    pub addr: Option<String>,
    /// `--port`
    pub port: Option<u16>,
    /// A level for when nobody says one.
    pub log_level: Option<&'static str>,
    /// Where this process stands, for `dev`.
    pub folder: Option<PathBuf>,
}

/// A configuration and where it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Where each setting that is not a default came from.
    pub sources: BTreeMap<String, Source>,
    /// The data folder.
    pub data: PathBuf,
    /// The configuration file that was read.
    pub file: Option<PathBuf>,
    /// The `.env` that was read.
    pub env_file: Option<PathBuf>,
    /// What to tell people at start.
    pub warnings: Vec<String>,
}

/// `TIDEGATE_*` variables that are no settings of the server.
const OTHER_VARIABLES: [&str; 8] = [
    "TIDEGATE_URL",
    "TIDEGATE_KEY",
    "TIDEGATE_CONFIG",
    "TIDEGATE_GENERATION",
    "TIDEGATE_LLM_BASE_URL",
    "TIDEGATE_LLM_API_KEY",
    "TIDEGATE_LLM_MODEL",
    "TIDEGATE_BIN",
];

const PLAIN_NAMES: [(&str, &str); 4] = [
    ("DATABASE_URL", "database.url"),
    ("JWT_SECRET", "auth.jwt_secret"),
    ("JWT_EXPIRES_IN", "auth.jwt_expires_in"),
    ("CORS_ORIGIN", "cors.origins"),
];

/// Reads and types every setting. What the values mean is checked by [`Config::refusals`].
///
/// # Errors
/// The first thing that can't be read: a file, an unknown name, a value of the wrong type.
pub fn load(overrides: &Overrides, env: &Env, mode: Mode) -> Result<Loaded, Refusal> {
    refuse_other_stores(env)?;
    let mut layers = Layers::default();
    let early_data = early_data(overrides, env, mode);
    let file = config_file(overrides, env, early_data.as_deref())?;
    if let Some(path) = &file {
        layers.read_file(path)?;
    }
    layers.read_env(env)?;
    layers.read_flags(overrides);
    let mut config = layers.config()?;
    if mode == Mode::Dev && !layers.values.contains_key("cors.origins") {
        config.cors.origins = ["http://localhost:3000", "http://localhost:5173"].map(str::to_owned).to_vec();
        layers.sources.insert("cors.origins".to_owned(), Source::Dev);
    }
    if mode == Mode::Dev && !layers.values.contains_key("limits.drain_notice_ms") {
        // Nobody probes a server at somebody's desk, and Ctrl-C should be quick.
        config.limits.drain_notice_ms = 0;
        layers.sources.insert("limits.drain_notice_ms".to_owned(), Source::Dev);
    }
    if let Some(level) = overrides.log_level
        && !layers.values.contains_key("log.level")
    {
        level.clone_into(&mut config.log.level);
    }
    config.cors.normalise();
    let data = config.server.data.clone().or(early_data).map(|path| absolute(&path)).ok_or_else(|| {
        Refusal::new(
            "server.data",
            "is not set and there is no home folder to default to",
            "name the data folder with --data or TIDEGATE_SERVER_DATA",
        )
    })?;
    config.server.data = Some(data.clone());
    Ok(Loaded {
        config,
        sources: layers.sources,
        data,
        file,
        env_file: env.file_path().map(Path::to_owned),
        warnings: warnings(env),
    })
}

fn warnings(env: &Env) -> Vec<String> {
    let mut warnings = env.warnings().to_vec();
    let unused = env.names("TIDEGATE_LLM_");
    warnings.extend(unused.iter().map(|name| format!("{name} is set, but this version calls no model")));
    warnings
}

fn refuse_other_stores(env: &Env) -> Result<(), Refusal> {
    for name in ["REDIS_URL", "REDIS_HOST", "REDIS_PORT"] {
        if env.lookup(name).is_some() {
            return Err(Refusal::new(
                name,
                "names a Redis server, which this build can't use: it stores in SQLite and needs no other",
                format!("unset {name}"),
            ));
        }
    }
    Ok(())
}

/// The data folder as far as it is known before the file in it is read.
fn early_data(overrides: &Overrides, env: &Env, mode: Mode) -> Option<PathBuf> {
    if let Some(data) = &overrides.data {
        return Some(data.clone());
    }
    if let Some((data, _)) = env.lookup("TIDEGATE_SERVER_DATA") {
        return Some(data.into());
    }
    let dev = overrides.folder.as_ref().map(|folder| folder.join(DEV_FOLDER));
    match mode {
        Mode::Dev => dev,
        Mode::Tool => dev.filter(|path| path.is_dir()).or_else(|| home_data(env)),
        Mode::Serve => home_data(env),
    }
}

fn home_data(env: &Env) -> Option<PathBuf> {
    let base = match env.lookup("XDG_DATA_HOME") {
        Some((base, _)) => PathBuf::from(base),
        None => Path::new(env.lookup("HOME")?.0).join(".local/share"),
    };
    Some(base.join("tidegate"))
}

fn config_file(overrides: &Overrides, env: &Env, data: Option<&Path>) -> Result<Option<PathBuf>, Refusal> {
    let named =
        overrides.config.clone().or_else(|| env.lookup("TIDEGATE_CONFIG").map(|(path, _)| path.into()));
    if let Some(path) = named {
        return Ok(Some(absolute(&path)));
    }
    Ok(data.map(|data| absolute(&data.join("tidegate.toml"))).filter(|path| path.exists()))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The values so far, the later the stronger.
#[derive(Default)]
struct Layers {
    values: BTreeMap<String, Value>,
    lists: Table,
    sources: BTreeMap<String, Source>,
}

impl Layers {
    fn set(&mut self, name: &str, value: Value, source: Source) {
        self.values.insert(name.to_owned(), value);
        self.sources.insert(name.to_owned(), source);
    }

    fn read_file(&mut self, path: &Path) -> Result<(), Refusal> {
        let named = format!("config file {}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| {
            Refusal::new(
                &named,
                format!("cannot be read: {error}"),
                "name a file with --config that this user may read",
            )
        })?;
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
            Refusal::new(
                &named,
                format!("is not valid TOML in line {line}: {}", error.message()),
                "fix that line",
            )
        })?;
        for (section, value) in table {
            self.read_section(path, &section, value)?;
        }
        Ok(())
    }

    fn read_section(&mut self, path: &Path, section: &str, value: Value) -> Result<(), Refusal> {
        if LISTS.contains(&section) {
            self.lists.insert(section.to_owned(), value);
            self.sources.insert(section.to_owned(), Source::File(path.to_owned()));
            return Ok(());
        }
        let specs = specs();
        let unknown = |name: &str, suggestion: Option<String>| {
            let cure = suggestion.map_or("`tidegate config init` lists every setting".to_owned(), |s| {
                format!("did you mean `{s}`?")
            });
            Refusal::new(name, format!("in {} is no setting", path.display()), cure)
        };
        let Value::Table(table) = value else {
            let meant = specs.iter().find(|spec| spec.key == section).map(SettingSpec::name);
            return Err(unknown(section, meant));
        };
        if !specs.iter().any(|spec| spec.section == section) {
            let sections = specs.iter().map(|spec| spec.section).chain(LISTS);
            return Err(unknown(
                &format!("[{section}]"),
                did_you_mean(section, sections).map(|s| format!("[{s}]")),
            ));
        }
        for (key, value) in table {
            let name = format!("{section}.{key}");
            let Some(spec) = specs.iter().find(|spec| spec.section == section && spec.key == key) else {
                let here = specs.iter().filter(|spec| spec.section == section).map(|spec| spec.key);
                let meant = did_you_mean(&key, here).map(|key| format!("{section}.{key}"));
                let elsewhere = || specs.iter().find(|spec| spec.key == key).map(SettingSpec::name);
                return Err(unknown(&name, meant.or_else(elsewhere)));
            };
            self.set(&name, relative_to_file(spec, value, path), Source::File(path.to_owned()));
        }
        Ok(())
    }

    fn read_env(&mut self, env: &Env) -> Result<(), Refusal> {
        let specs = specs();
        for (variable, name) in PLAIN_NAMES {
            if let (Some((text, source)), Some(spec)) =
                (env.lookup(variable), specs.iter().find(|spec| spec.name() == name))
            {
                self.set(name, typed(spec, text, variable)?, source);
            }
        }
        for variable in env.names("TIDEGATE_") {
            let Some((text, source)) = env.lookup(variable) else { continue };
            let Some(spec) = specs.iter().find(|spec| spec.env_name() == variable) else {
                if OTHER_VARIABLES.contains(&variable) {
                    continue;
                }
                return Err(unknown_variable(variable, &specs));
            };
            self.set(&spec.name(), typed(spec, text, variable)?, source);
        }
        if let Some((text, source)) = env.lookup("PORT") {
            let port: u16 = text.trim().parse().map_err(|_| {
                Refusal::new("PORT", format!("= {text} is not a port"), "use a number from 0 to 65535")
            })?;
            // The full address, being the more telling of the two, wins.
            if !matches!(self.sources.get("server.addr"), Some(Source::Env(_) | Source::EnvFile(..))) {
                self.set_port(port, source);
            }
        }
        Ok(())
    }

    fn read_flags(&mut self, overrides: &Overrides) {
        if let Some(addr) = &overrides.addr {
            self.set("server.addr", Value::String(addr.clone()), Source::Flag("--addr"));
        }
        if let Some(port) = overrides.port {
            self.set_port(port, Source::Flag("--port"));
        }
        if let Some(data) = &overrides.data {
            let text = data.display().to_string();
            self.set("server.data", Value::String(text), Source::Flag("--data"));
        }
    }

    /// Changes the port and leaves the host as an earlier layer had it.
    fn set_port(&mut self, port: u16, source: Source) {
        let before =
            self.values.get("server.addr").and_then(Value::as_str).and_then(|text| text.parse().ok());
        let addr = before.unwrap_or(ListenAddr::loopback(port)).with_port(port);
        self.set("server.addr", Value::String(addr.to_string()), source);
    }

    fn config(&self) -> Result<Config, Refusal> {
        Ok(Config {
            server: self.section("server")?,
            auth: self.section("auth")?,
            issuer: self.list("issuer")?,
            cors: self.section("cors")?,
            access: self.list("access")?,
            generations: self.section("generations")?,
            command: self.list("command")?,
            webhooks: self.section("webhooks")?,
            limits: self.section("limits")?,
            documents: self.section("documents")?,
            llm: self.section("llm")?,
            retention: self.section("retention")?,
            retain: self.list("retain")?,
            log: self.section("log")?,
            database: self.section("database")?,
        })
    }

    fn section<T: DeserializeOwned>(&self, section: &str) -> Result<T, Refusal> {
        let mut all = Table::new();
        for (name, value) in &self.values {
            let Some(key) = name.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')) else {
                continue;
            };
            let one = Table::from_iter([(key.to_owned(), value.clone())]);
            // One at a time, so that the words can name the setting.
            one.try_into::<T>().map_err(|error| self.wrong(name, &error))?;
            all.insert(key.to_owned(), value.clone());
        }
        all.try_into().map_err(|error| self.wrong(section, &error))
    }

    fn list<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>, Refusal> {
        let Some(value) = self.lists.get(name) else { return Ok(Vec::new()) };
        value.clone().try_into().map_err(|error| self.wrong(name, &error))
    }

    fn wrong(&self, name: &str, error: &toml::de::Error) -> Refusal {
        let source = self.sources.get(name).map_or_else(String::new, |source| format!(" ({source})"));
        let secret = specs().iter().any(|spec| spec.kind == Kind::Secret && spec.name() == name);
        let why = if secret { "is not a text" } else { error.message() };
        Refusal::new(
            format!("{name}{source}"),
            format!("has no good value: {why}"),
            "`tidegate config init` shows the shape",
        )
    }
}

fn relative_to_file(spec: &SettingSpec, value: Value, file: &Path) -> Value {
    match (spec.kind, value, file.parent()) {
        (Kind::Path, Value::String(text), Some(folder)) => {
            Value::String(folder.join(text).display().to_string())
        }
        (_, value, _) => value,
    }
}

fn typed(spec: &SettingSpec, text: &str, variable: &str) -> Result<Value, Refusal> {
    let wrong = |wanted: &str| {
        Refusal::new(
            variable,
            format!("= {text} is not {wanted}"),
            format!("it sets {}: {}", spec.name(), spec.doc.trim()),
        )
    };
    match spec.kind {
        Kind::Text | Kind::Secret => Ok(Value::String(text.to_owned())),
        Kind::Path => Ok(Value::String(absolute(Path::new(text)).display().to_string())),
        Kind::Number => {
            text.trim().replace('_', "").parse().map(Value::Integer).map_err(|_| wrong("a whole number"))
        }
        Kind::Flag => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Value::Boolean(true)),
            "false" | "0" | "no" | "off" => Ok(Value::Boolean(false)),
            _ => Err(wrong("true or false")),
        },
        Kind::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
    }
}

fn unknown_variable(variable: &str, specs: &[SettingSpec]) -> Refusal {
    let names: Vec<String> = specs.iter().map(SettingSpec::env_name).collect();
    let known = names.iter().map(String::as_str).chain(OTHER_VARIABLES);
    let cure = match did_you_mean(variable, known) {
        Some(name) => format!("did you mean {name}?"),
        None => "`tidegate config show` lists every setting; unset this one".to_owned(),
    };
    Refusal::new(variable, "is no setting", cure)
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
