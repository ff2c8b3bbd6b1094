-- A chunk's body lies beside its key no more: a look-up in a tree of whole chunks reads the bodies of all that it
-- compares with on its way.
CREATE TABLE chunks_by_row (
    stream_id    INTEGER NOT NULL,
    first_offset INTEGER NOT NULL,
    records      INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    body         BLOB    NOT NULL
) STRICT;

INSERT INTO chunks_by_row SELECT stream_id, first_offset, records, at, body FROM chunks ORDER BY stream_id, first_offset;
DROP TABLE chunks;
ALTER TABLE chunks_by_row RENAME TO chunks;
CREATE UNIQUE INDEX chunks_position ON chunks (stream_id, first_offset);
