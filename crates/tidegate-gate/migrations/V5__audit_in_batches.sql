-- The audit in batches: what one write holds is one row, without an index beside its key.

CREATE TABLE audit_batches (
    first_seq INTEGER PRIMARY KEY,
    last_seq  INTEGER NOT NULL,
    first_at  INTEGER NOT NULL, -- the earliest time in it
    last_at   INTEGER NOT NULL, -- the latest time in it or in any before: these never fall
    terms     BLOB,             -- a Bloom filter of kinds, actors, subjects and streams; NULL: look inside
    hashes    BLOB    NOT NULL, -- the chain, 32 bytes for each event
    body      TEXT    NOT NULL  -- JSON: [[at, kind, actor, subject, address, request_id, stream, detail], …]
) STRICT;

-- A batch holds 256 events at most, none a day or more after its first, and no hole: where a row is missing the next begins.
-- Each is found by its own look along the key, so that a long audit needs no more memory than a short one.
WITH RECURSIVE batch (first_seq, next_seq) AS (
    SELECT NULL, (SELECT min(seq) FROM audit)
    UNION ALL
    SELECT next_seq,
           coalesce(
               (SELECT min(a.seq) FROM audit a
                WHERE a.seq > next_seq AND a.seq < next_seq + 256
                  AND (a.at >= (SELECT f.at FROM audit f WHERE f.seq = next_seq) + 86400000
                       OR NOT EXISTS (SELECT 1 FROM audit b WHERE b.seq = a.seq - 1))),
               (SELECT min(a.seq) FROM audit a WHERE a.seq >= next_seq + 256))
    FROM batch WHERE next_seq IS NOT NULL
), bounds (first_seq, last_seq) AS (
    SELECT first_seq, (SELECT max(a.seq) FROM audit a
                       WHERE a.seq >= first_seq AND a.seq < first_seq + 256
                         AND a.seq < coalesce(next_seq, 9223372036854775807))
    FROM batch WHERE first_seq IS NOT NULL
)
INSERT INTO audit_batches
SELECT first_seq, last_seq,
       (SELECT min(a.at) FROM audit a WHERE a.seq BETWEEN first_seq AND last_seq),
       (SELECT max(a.at) FROM audit a WHERE a.seq BETWEEN first_seq AND last_seq),
       NULL,
       (SELECT unhex(group_concat(hex(a.hash), '' ORDER BY a.seq)) FROM audit a
        WHERE a.seq BETWEEN first_seq AND last_seq),
       (SELECT json_group_array(
                   json_array(a.at, a.kind, a.actor, a.subject, a.address, a.request_id, a.stream, a.detail)
                   ORDER BY a.seq) FROM audit a
        WHERE a.seq BETWEEN first_seq AND last_seq)
FROM bounds;

UPDATE audit_batches SET last_at = so_far.at
FROM (SELECT first_seq AS seq, max(last_at) OVER (ORDER BY first_seq) AS at FROM audit_batches) AS so_far
WHERE so_far.seq = first_seq AND so_far.at <> last_at;

DROP TABLE audit;

ALTER TABLE audit_chain ADD COLUMN head_at INTEGER NOT NULL DEFAULT 0; -- the latest time of any event so far
UPDATE audit_chain SET head_at = coalesce((SELECT max(last_at) FROM audit_batches), 0);

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit_batches
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;

CREATE TRIGGER audit_is_only_trimmed BEFORE DELETE ON audit_batches
WHEN OLD.last_seq > (SELECT base_seq FROM audit_chain)
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
