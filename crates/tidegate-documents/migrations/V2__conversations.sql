-- Questions and answers over documents. `last_turn` numbers the turns; `chat_of` is the document
-- of a conversation that a document's own chat made. A row that is being deleted is not found.
CREATE TABLE conversations (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner_id TEXT NOT NULL,
    title TEXT,
    document_ids TEXT NOT NULL,
    chat_of TEXT,
    last_turn INTEGER NOT NULL,
    deleting INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX conversations_by_owner ON conversations (owner_id, seq) WHERE deleting = 0;
CREATE UNIQUE INDEX conversations_chat_of ON conversations (owner_id, chat_of)
    WHERE chat_of IS NOT NULL AND deleting = 0;
CREATE INDEX conversations_deleting ON conversations (seq) WHERE deleting = 1;

-- One row for each question. What the answer's stream adds up to is kept here once it has ended;
-- until then the stream is read.
CREATE TABLE turns (
    conversation INTEGER NOT NULL REFERENCES conversations (seq) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    parent INTEGER,
    sibling_of INTEGER,
    answerer TEXT NOT NULL,
    message TEXT NOT NULL,
    status TEXT NOT NULL,
    answer TEXT NOT NULL,
    citations TEXT NOT NULL,
    ending TEXT,
    at_offset INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    PRIMARY KEY (conversation, number)
) STRICT;
CREATE INDEX turns_open ON turns (conversation, number) WHERE status = 'open';
