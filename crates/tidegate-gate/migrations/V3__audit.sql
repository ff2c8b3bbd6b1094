-- The audit: append-only, each row chained to the one before by its hash.

CREATE TABLE audit (
    seq        INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    subject    TEXT,
    address    TEXT,
    request_id TEXT,
    stream     TEXT,
    detail     TEXT    NOT NULL,
    hash       BLOB    NOT NULL
) STRICT;

CREATE INDEX audit_kind ON audit (kind, seq);
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_subject ON audit (subject, seq) WHERE subject IS NOT NULL;
CREATE INDEX audit_stream ON audit (stream, seq) WHERE stream IS NOT NULL;
CREATE INDEX audit_at ON audit (at);

-- Where the chain begins (moved forward by retention) and where it ends.
CREATE TABLE audit_chain (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    base_seq  INTEGER NOT NULL,
    base_hash BLOB    NOT NULL,
    head_seq  INTEGER NOT NULL,
    head_hash BLOB    NOT NULL
) STRICT;

INSERT INTO audit_chain VALUES (1, 0, zeroblob(32), 0, zeroblob(32));

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;

CREATE TRIGGER audit_is_only_trimmed BEFORE DELETE ON audit
WHEN OLD.seq > (SELECT base_seq FROM audit_chain)
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
