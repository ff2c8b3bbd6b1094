-- A row of the journal is written over one that was moved on: a commit then changes the pages that its bytes lie on, and
-- none that only say which pages are free.
CREATE TABLE journal_slots (
    slot INTEGER PRIMARY KEY,
    seq  INTEGER NOT NULL,
    body BLOB    NOT NULL
) STRICT;

INSERT INTO journal_slots SELECT seq, seq, body FROM journal ORDER BY seq;
DROP TABLE journal;
ALTER TABLE journal_slots RENAME TO journal;
