-- Accounts, sessions, API keys, outside issuers' users, and what is remembered of requests.
-- Times are milliseconds since 1970. No secret stands here in the clear.

CREATE TABLE users (
    id            BLOB    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL,
    email_key     TEXT,             -- folded; only accounts with a password of ours have one
    name          TEXT,
    role          TEXT    NOT NULL CHECK (role IN ('user', 'admin')),
    password_hash TEXT,             -- PHC string
    issuer        TEXT,             -- outside identity: issuer and its name for the user
    subject       TEXT,
    created_at    INTEGER NOT NULL,
    disabled_at   INTEGER,
    CHECK ((email_key IS NULL) = (password_hash IS NULL)),
    CHECK ((issuer IS NULL) = (subject IS NULL)),
    CHECK ((email_key IS NULL) <> (issuer IS NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX users_email ON users (email_key) WHERE email_key IS NOT NULL;
CREATE UNIQUE INDEX users_outside ON users (issuer, subject) WHERE issuer IS NOT NULL;

CREATE TABLE sessions (
    id            BLOB    NOT NULL PRIMARY KEY,
    user_id       BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind          TEXT    NOT NULL CHECK (kind IN ('token', 'cookie')),
    cookie_digest BLOB,             -- SHA-256 of a cookie's value
    counter       INTEGER NOT NULL, -- of the newest refresh token
    rotated_at    INTEGER NOT NULL, -- when that one was issued
    access_ms     INTEGER NOT NULL, -- life of this session's access tokens
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    end_reason    TEXT,
    user_agent    TEXT,
    address       TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_user ON sessions (user_id, created_at);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE api_keys (
    id           BLOB    NOT NULL PRIMARY KEY,
    digest       BLOB    NOT NULL UNIQUE, -- SHA-256 of the secret
    name         TEXT    NOT NULL,
    scopes       TEXT    NOT NULL,        -- JSON array
    owner        BLOB    REFERENCES users (id) ON DELETE CASCADE,
    signing      BLOB,                    -- the signing secret, sealed by the server's key
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_owner ON api_keys (owner) WHERE owner IS NOT NULL;

-- Messages that were signed and taken, for as long as their signature stays fresh.
CREATE TABLE signed_messages (
    key_id     BLOB    NOT NULL,
    digest     BLOB    NOT NULL, -- SHA-256 of the message's id
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (key_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX signed_messages_expiry ON signed_messages (expires_at);

CREATE TABLE idempotent_requests (
    digest     BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of principal, route and key
    token      BLOB    NOT NULL UNIQUE,      -- who may finish it
    body       BLOB    NOT NULL,             -- SHA-256 of the request's body
    begun_at   INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    status     INTEGER,                      -- of the answer, once there is one
    headers    TEXT,                         -- JSON
    answer     BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotent_requests_expiry ON idempotent_requests (expires_at);
