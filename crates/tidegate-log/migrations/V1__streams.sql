-- A stream's tail is not stored: it is the end of its last chunk, or the trim point when no chunk is
-- left. One fact in one place cannot disagree with itself after a crash.
CREATE TABLE streams (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    path            TEXT    NOT NULL,
    content_type    TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    ttl_ms          INTEGER,
    expires_at      INTEGER,
    -- When it ends unless it is renewed; NULL: never.
    deadline        INTEGER,
    -- The trim point, and how far chunks before it were removed already.
    start           INTEGER NOT NULL DEFAULT 0,
    purged          INTEGER NOT NULL DEFAULT 0,
    closed          INTEGER NOT NULL DEFAULT 0,
    last_seq        TEXT,
    deleted_at      INTEGER,
    -- Forks read the records before `fork_offset` from the stream that they point at.
    fork_of         INTEGER REFERENCES streams (id),
    fork_offset     INTEGER,
    fork_sub_offset INTEGER,
    ref_count       INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX streams_live_path ON streams (path) WHERE deleted_at IS NULL;
CREATE INDEX streams_deadline ON streams (deadline) WHERE deadline IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX streams_to_purge ON streams (id) WHERE deleted_at IS NOT NULL OR purged < start;

-- The records that one stream gained in one group commit (more than one chunk if they are large).
CREATE TABLE chunks (
    stream_id    INTEGER NOT NULL,
    first_offset INTEGER NOT NULL,
    records      INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    body         BLOB    NOT NULL,
    PRIMARY KEY (stream_id, first_offset)
) STRICT, WITHOUT ROWID;

CREATE TABLE producers (
    stream_id   INTEGER NOT NULL,
    producer_id TEXT    NOT NULL,
    epoch       INTEGER NOT NULL,
    last_seq    INTEGER NOT NULL,
    used_at     INTEGER NOT NULL,
    PRIMARY KEY (stream_id, producer_id)
) STRICT, WITHOUT ROWID;
