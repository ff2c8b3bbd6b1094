//! One group as one job of the writer.

use tidegate_db::rusqlite::Transaction;
use tidegate_db::{DbError, WriteJob};

use super::journal::{Draft, Drafted, Journal};
use super::{load, write};
use crate::store::{Group, Loaded, Needs, Write};

pub(super) struct GroupJob {
    group: Box<dyn Group>,
    journal: Journal,
    drafted: Drafted,
    bytes: usize,
}

impl GroupJob {
    pub(super) fn new(group: Box<dyn Group>, journal: Journal) -> Self {
        Self { group, journal, drafted: Drafted::default(), bytes: 0 }
    }

    fn apply(&mut self, tx: &Transaction<'_>) -> Result<(), DbError> {
        let needs = self.group.begin();
        self.journal.check_room()?;
        let loaded = load_needs(tx, &self.journal, &needs)?;
        let mut draft = Draft::default();
        for planned in self.group.plan(loaded)? {
            if let Write::Chunk { chunk, .. } = &planned {
                self.bytes += chunk.body.len();
            }
            if let Some(planned) = self.journal.take(tx, &mut draft, planned)? {
                write::apply(tx, planned)?;
            }
        }
        self.drafted = self.journal.store(tx, draft)?;
        Ok(())
    }
}

impl WriteJob for GroupJob {
    fn run(&mut self, tx: &Transaction<'_>) -> Result<(), DbError> {
        let result = self.apply(tx);
        if result.is_err() {
            self.group.rolled_back();
        }
        result
    }

    fn done(self: Box<Self>, outcome: Result<(), DbError>) {
        // First the journal: whoever is told of the commit may read at once.
        self.journal.settle(&self.drafted, outcome.is_ok());
        self.group.done(outcome);
    }

    fn written(&self) -> usize {
        self.bytes
    }
}

fn load_needs(tx: &Transaction<'_>, journal: &Journal, needs: &Needs) -> Result<Loaded, DbError> {
    let heads = needs.heads.iter().map(|need| load::head(tx, journal, need)).collect::<Result<_, _>>()?;
    let first_new_id = if needs.new_streams > 0 { load::next_id(tx)? } else { 0 };
    Ok(Loaded { heads, first_new_id })
}
