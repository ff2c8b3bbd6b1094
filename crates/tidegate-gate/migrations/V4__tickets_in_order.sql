-- Spending a ticket writes only where rows of one time lie together: a ticket's own row, which lies where
-- its digest falls, is not touched, and its lease has no second key. A ticket is spent when it has a lease.

-- The key of a ticket is now the digest of its lease's handle, which follows from the ticket's secret:
-- both find it by the one key. What was not spent yet can't be told that way; it had a minute to live.
DELETE FROM tickets WHERE id NOT IN (SELECT id FROM leases);
UPDATE tickets SET digest = (SELECT l.handle_digest FROM leases l WHERE l.id = tickets.id);
DROP INDEX tickets_unspent;
ALTER TABLE tickets DROP COLUMN spent_at;
CREATE INDEX tickets_expiry ON tickets (expires_at);

CREATE TABLE leases_in_order (
    id            BLOB    NOT NULL PRIMARY KEY,
    ticket_digest BLOB    NOT NULL,
    first_tag     BLOB,             -- digest of the tag that was given out first
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

INSERT INTO leases_in_order
SELECT id, handle_digest, NULL, created_at, expires_at, presented, issued, connected_at, ended_at, takeovers,
       dead_at, sweep_at
FROM leases;

CREATE TABLE tags_kept (lease_id BLOB NOT NULL, digest BLOB NOT NULL, number INTEGER NOT NULL) STRICT;
INSERT INTO tags_kept SELECT lease_id, digest, number FROM lease_tags;
DROP TABLE lease_tags;
DROP TABLE leases;
ALTER TABLE leases_in_order RENAME TO leases;
CREATE INDEX leases_sweep ON leases (sweep_at);

-- The other tags of a living lease, so that a genuine old one is told apart from a guess.
CREATE TABLE lease_tags (
    lease_id BLOB    NOT NULL REFERENCES leases (id) ON DELETE CASCADE,
    digest   BLOB    NOT NULL,
    number   INTEGER NOT NULL,
    PRIMARY KEY (lease_id, digest)
) STRICT, WITHOUT ROWID;

INSERT INTO lease_tags SELECT lease_id, digest, number FROM tags_kept;
DROP TABLE tags_kept;
