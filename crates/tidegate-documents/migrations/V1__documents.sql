-- One row for each uploaded file. `told` says whether the stream and the owner's feed know the end.
CREATE TABLE documents (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner_id TEXT NOT NULL,
    filename TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    status TEXT NOT NULL,
    stage TEXT NOT NULL,
    progress REAL NOT NULL,
    message TEXT,
    error_code TEXT,
    error_message TEXT,
    attempt INTEGER NOT NULL,
    pages INTEGER,
    passages INTEGER NOT NULL,
    text_bytes INTEGER NOT NULL,
    told INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE INDEX documents_by_owner ON documents (owner_id, seq);
CREATE INDEX documents_unfinished ON documents (seq) WHERE status = 'processing';
CREATE INDEX documents_untold ON documents (seq) WHERE told = 0;

-- Documents that were deleted and whose passages, file and stream are still to go.
CREATE TABLE document_removals (
    document INTEGER PRIMARY KEY,
    id TEXT NOT NULL
) STRICT;

-- The text of a document is the sequence of `lead` and `text` of its passages: each byte is kept
-- once. `scope` holds one word for the owner and one for the document, so that a search meets
-- only what it may show. Ids are never used again.
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    page INTEGER,
    heading TEXT,
    lead TEXT NOT NULL,
    text TEXT NOT NULL,
    start_byte INTEGER NOT NULL,
    end_byte INTEGER NOT NULL,
    scope TEXT NOT NULL,
    UNIQUE (document, ordinal)
) STRICT;

CREATE VIRTUAL TABLE passages_fts USING fts5 (
    text,
    heading,
    scope,
    content = 'passages',
    content_rowid = 'id',
    tokenize = 'porter unicode61 remove_diacritics 2',
    prefix = '2 3'
);
CREATE TRIGGER passages_inserted AFTER INSERT ON passages BEGIN
    INSERT INTO passages_fts (rowid, text, heading, scope) VALUES (new.id, new.text, new.heading, new.scope);
END;
CREATE TRIGGER passages_deleted AFTER DELETE ON passages BEGIN
    INSERT INTO passages_fts (passages_fts, rowid, text, heading, scope)
    VALUES ('delete', old.id, old.text, old.heading, old.scope);
END;
