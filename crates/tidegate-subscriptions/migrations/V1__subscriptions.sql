-- `uid` is never used again, so that a token of a deleted subscription opens no later one.
CREATE TABLE subscriptions (
    uid INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('webhook', 'pull-wake')),
    target TEXT NOT NULL,
    pattern TEXT,
    lease_ms INTEGER NOT NULL,
    description TEXT,
    config_digest BLOB NOT NULL,
    origin TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 0,
    failure TEXT,
    generation INTEGER NOT NULL DEFAULT 0,
    phase TEXT NOT NULL DEFAULT 'idle' CHECK (phase IN ('idle', 'telling', 'told', 'held')),
    wake_id TEXT,
    cause TEXT,
    holder TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER
) STRICT;
CREATE INDEX subscriptions_by_owner ON subscriptions (owner);
CREATE INDEX subscriptions_due ON subscriptions (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX subscriptions_wake_streams ON subscriptions (target) WHERE kind = 'pull-wake';

-- `stream` is the log's own number: a path that was deleted and made again is another stream.
CREATE TABLE subscription_streams (
    uid INTEGER NOT NULL,
    path TEXT NOT NULL,
    named INTEGER NOT NULL,
    matched INTEGER NOT NULL,
    stream INTEGER,
    acked INTEGER NOT NULL,
    snapshot INTEGER,
    PRIMARY KEY (uid, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscription_streams_by_path ON subscription_streams (path);

-- The newest key signs; the others are still published for a while.
CREATE TABLE subscription_keys (
    kid TEXT PRIMARY KEY,
    public BLOB NOT NULL,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
