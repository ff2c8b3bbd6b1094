//! Migrations: plain SQL files, embedded by the crate that owns the tables.

use refinery::Runner;

use crate::write::Command;
use crate::{Db, OpenError};

impl Db {
    /// Brings the tables of one crate up to date. Each owner has its own history table, so that
    /// crates number their migrations without knowing each other.
    ///
    /// # Errors
    /// A migration fails, or one that was applied has changed since.
    pub async fn migrate(&self, owner: &'static str, runner: Runner) -> Result<(), OpenError> {
        let failed = |reason: String| OpenError::Migrate { owner, reason };
        let (answer, done) = tokio::sync::oneshot::channel();
        let run = Box::new(move |conn: &mut rusqlite::Connection| {
            let mut runner = runner;
            runner.set_migration_table_name(format!("schema_history_{owner}"));
            let result = runner.run(conn).map(|_| ()).map_err(|e| e.to_string());
            // The caller may have given up waiting; the migration stands all the same.
            let _ = answer.send(result);
        });
        self.inner.writer.send(Command::Exclusive(run)).map_err(|e| failed(e.to_string()))?;
        done.await.map_err(|_| failed("the writer stopped".to_owned()))?.map_err(failed)
    }
}
