//! All refusals of a configuration, section by section.

use std::path::{Path, PathBuf};

use super::{Config, Mode, Refusal, access, command, issuer, retain};

impl Config {
    /// Everything that can't stand, the most telling first. Empty: good to go.
    #[must_use]
    pub fn refusals(&self, mode: Mode, data: &Path) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        self.auth.check(mode, &mut refusals);
        self.cors.check(&mut refusals);
        if mode != Mode::Tool {
            self.server.check(&mut refusals);
        }
        if mode == Mode::Dev && !self.server.addr.is_loopback() {
            refusals.push(Refusal::new(
                "server.addr",
                format!("= {} is reachable from outside, and dev listens on loopback only", self.server.addr),
                "use `tidegate serve`",
            ));
        }
        refusals.extend(self.database.file(data).err());
        issuer::check(&self.issuer, &self.auth.issuer, &mut refusals);
        access::check(&self.access, &mut refusals);
        self.generations.check(&mut refusals);
        self.llm.check(&mut refusals);
        command::check(&self.command, &mut refusals);
        if let Err(error) = self.limits.validate() {
            refusals.push(Refusal::new(
                format!("limits.{}", error.name),
                format!("= {} is out of range", error.value),
                format!("use {} to {}", error.min, error.max),
            ));
        }
        self.retention.check(&mut refusals);
        retain::check(&self.retain, &mut refusals);
        self.log.check(&mut refusals);
        refusals
    }
}

/// The database file of a configuration that was not refused.
///
/// # Errors
/// The setting names something else than a file.
pub fn database_file(config: &Config, data: &Path) -> Result<PathBuf, Refusal> {
    config.database.file(data)
}
