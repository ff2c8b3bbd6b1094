CREATE TABLE event_types (
    name TEXT PRIMARY KEY,
    description TEXT,
    schema TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Ids that publishers gave: `at_offset` is null between the note and the append.
CREATE TABLE event_ids (
    user_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    after_offset INTEGER NOT NULL,
    at_offset INTEGER,
    noted_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_ids_by_age ON event_ids (noted_at);

CREATE TABLE event_operations (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    event_type TEXT NOT NULL,
    data TEXT NOT NULL,
    event_id TEXT UNIQUE,
    cursor TEXT,
    sent INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE INDEX event_operations_running ON event_operations (seq) WHERE finished_at IS NULL;
CREATE INDEX event_operations_by_age ON event_operations (finished_at) WHERE finished_at IS NOT NULL;
