-- Tickets, what they leave behind (leases and their tags), and revocations.
-- Only digests of secrets are kept.

CREATE TABLE tickets (
    digest      BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the secret
    id          BLOB    NOT NULL,             -- also the id of its lease
    principal   TEXT    NOT NULL,             -- JSON: who minted it
    stream_path TEXT    NOT NULL,
    stream_id   INTEGER NOT NULL,             -- a path made again is another stream
    kind        TEXT    NOT NULL CHECK (kind IN ('feed', 'stream')),
    start       INTEGER,                      -- the feed's position at the mint
    origin      TEXT,                         -- of the mint, if it had one
    origin_own  INTEGER NOT NULL,             -- whether that origin was the server's own
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    spent_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX tickets_unspent ON tickets (expires_at) WHERE spent_at IS NULL;

CREATE TABLE leases (
    id            BLOB    NOT NULL PRIMARY KEY,
    ticket_digest BLOB    NOT NULL,
    handle_digest BLOB    NOT NULL UNIQUE,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    presented     INTEGER NOT NULL, -- number of the last tag that came back
    issued        INTEGER NOT NULL, -- number of the last tag that was given out
    connected_at  INTEGER NOT NULL, -- start of the last connection
    ended_at      INTEGER,          -- its end, once known
    takeovers     TEXT    NOT NULL, -- JSON: times of the last take-overs
    dead_at       INTEGER,
    sweep_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX leases_sweep ON leases (sweep_at);

-- Every tag of a living lease, so that a genuine old one is told apart from a guess.
CREATE TABLE lease_tags (
    lease_id BLOB    NOT NULL REFERENCES leases (id) ON DELETE CASCADE,
    digest   BLOB    NOT NULL,
    number   INTEGER NOT NULL,
    PRIMARY KEY (lease_id, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE revocations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    scope      TEXT    NOT NULL CHECK (scope IN ('session', 'user', 'key', 'lease')),
    subject    BLOB    NOT NULL,
    not_before INTEGER NOT NULL, -- what was issued earlier is void
    at         INTEGER NOT NULL
) STRICT;

CREATE INDEX revocations_at ON revocations (at);
