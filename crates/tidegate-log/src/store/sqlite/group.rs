//! One group as one job of the writer.

use tidegate_db::rusqlite::Transaction;
use tidegate_db::{DbError, WriteJob};

use super::{load, write};
use crate::store::{Group, Loaded, Needs};

pub(super) struct GroupJob {
    group: Box<dyn Group>,
}

impl GroupJob {
    pub(super) fn new(group: Box<dyn Group>) -> Self {
        Self { group }
    }

    fn apply(&mut self, tx: &Transaction<'_>) -> Result<(), DbError> {
        let needs = self.group.begin();
        let loaded = load_needs(tx, &needs)?;
        for planned in self.group.plan(loaded)? {
            write::apply(tx, planned)?;
        }
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
        self.group.done(outcome);
    }
}

fn load_needs(tx: &Transaction<'_>, needs: &Needs) -> Result<Loaded, DbError> {
    let heads = needs.heads.iter().map(|need| load::head(tx, need)).collect::<Result<_, _>>()?;
    let first_new_id = if needs.new_streams > 0 { load::next_id(tx)? } else { 0 };
    Ok(Loaded { heads, first_new_id })
}
