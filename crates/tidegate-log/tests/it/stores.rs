//! The suite, for every store.

use std::sync::Arc;

use tidegate_db::{Db, DbOptions};
use tidegate_log::store::FaultyStore;
use tidegate_log::suite::Subject;
use tidegate_log::{LogStore, SqliteLogStore, log_store_suite};

pub(crate) async fn sqlite() -> Subject {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&dir.path().join("t.db"), &DbOptions::default()).await.unwrap();
    let store: Arc<dyn LogStore> = Arc::new(SqliteLogStore::open(db).await.unwrap());
    Subject { store, keep: Box::new(dir) }
}

/// Every group is late, so that more waits for each and answers overtake each other.
async fn late() -> Subject {
    let Subject { store, keep } = sqlite().await;
    Subject { store: Arc::new(FaultyStore::late(store)), keep }
}

log_store_suite!(sqlite_store, sqlite);
log_store_suite!(late_sqlite_store, late);
