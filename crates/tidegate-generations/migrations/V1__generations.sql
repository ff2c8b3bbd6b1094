-- One row for each generation: what the records of its stream add up to. `lease_*` is operational
-- and not in the stream.
CREATE TABLE generations (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner_id TEXT NOT NULL,
    framework TEXT NOT NULL,
    status TEXT NOT NULL,
    stage TEXT NOT NULL,
    progress REAL NOT NULL,
    message TEXT,
    result TEXT,
    error TEXT,
    attempt INTEGER NOT NULL,
    worker TEXT,
    epoch INTEGER NOT NULL,
    at_offset INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    finished_at INTEGER,
    lease_digest BLOB,
    lease_key TEXT,
    lease_ms INTEGER,
    lease_expires_at INTEGER
) STRICT;
CREATE INDEX generations_by_owner ON generations (owner_id, seq);
CREATE INDEX generations_pending ON generations (framework, seq) WHERE status = 'pending';
CREATE INDEX generations_leased ON generations (lease_expires_at) WHERE lease_expires_at IS NOT NULL;
CREATE INDEX generations_finished ON generations (finished_at) WHERE finished_at IS NOT NULL;

-- What never changes lives apart, so that a progress report does not rewrite a long prompt.
CREATE TABLE generation_origins (
    seq INTEGER PRIMARY KEY REFERENCES generations (seq) ON DELETE CASCADE,
    title TEXT,
    prompt TEXT NOT NULL,
    options TEXT NOT NULL,
    document_ids TEXT NOT NULL,
    max_attempts INTEGER NOT NULL,
    retry_of TEXT
) STRICT;

-- What is still to be told to owners, oldest first.
CREATE TABLE generation_announcements (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id TEXT NOT NULL,
    generation_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    event_id TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;
