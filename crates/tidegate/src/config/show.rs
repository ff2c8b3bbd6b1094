//! `config show`: each value with its source, secrets masked.

use serde::Serialize;
use toml::{Table, Value};

use super::spec::LISTS;
use super::{Config, Loaded, Source, specs};

/// One line of `config show`.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// `section.key`.
    pub name: String,
    /// The value as the file would have it; null when nothing is set.
    pub value: serde_json::Value,
    /// Where it came from.
    pub source: String,
    /// What it is for.
    pub doc: String,
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = if self.value.is_null() { "(not set)".to_owned() } else { self.value.to_string() };
        write!(f, "{} = {value}  ({})", self.name, self.source)
    }
}

/// Every setting with its value and source.
#[must_use]
pub fn show(loaded: &Loaded) -> Vec<Shown> {
    let table = loaded.config.as_table();
    let mut shown: Vec<Shown> = specs()
        .into_iter()
        .map(|spec| {
            let name = spec.name();
            let value = table.get(spec.section).and_then(|section| section.get(spec.key));
            let source = loaded.sources.get(&name).unwrap_or(&Source::Default);
            Shown { value: to_json(value), source: source.to_string(), doc: spec.doc.trim().to_owned(), name }
        })
        .collect();
    for name in LISTS {
        let source = loaded.sources.get(name).unwrap_or(&Source::Default).to_string();
        shown.push(Shown {
            name: name.to_owned(),
            value: to_json(table.get(name)),
            source,
            doc: String::new(),
        });
    }
    shown
}

fn to_json(value: Option<&Value>) -> serde_json::Value {
    value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or_default()
}

impl Config {
    /// The configuration as the file would have it; secrets are stars.
    #[must_use]
    pub fn as_table(&self) -> Table {
        let mut table = Table::new();
        let mut put = |name: &str, value: Result<Value, toml::ser::Error>| {
            if let Ok(value) = value {
                table.insert(name.to_owned(), value);
            }
        };
        put("server", Value::try_from(&self.server));
        put("database", Value::try_from(&self.database));
        put("auth", Value::try_from(&self.auth));
        put("issuer", Value::try_from(&self.issuer));
        put("cors", Value::try_from(&self.cors));
        put("access", Value::try_from(&self.access));
        put("generations", Value::try_from(&self.generations));
        put("command", Value::try_from(&self.command));
        put("webhooks", Value::try_from(&self.webhooks));
        put("limits", Value::try_from(&self.limits));
        put("documents", Value::try_from(&self.documents));
        put("llm", Value::try_from(&self.llm));
        put("retention", Value::try_from(&self.retention));
        put("retain", Value::try_from(&self.retain));
        put("log", Value::try_from(&self.log));
        table
    }
}
