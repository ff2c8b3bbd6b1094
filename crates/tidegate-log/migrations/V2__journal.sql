-- What group commits wrote, one row each, in the order of the commits: the records of all of their streams.
-- Rows are moved to `chunks` and `producers` soon afterwards.
CREATE TABLE journal (
    seq  INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

-- The last row that was moved. One row.
CREATE TABLE journal_state (
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    merged INTEGER NOT NULL
) STRICT;

INSERT INTO journal_state (only, merged) VALUES (1, 0);
