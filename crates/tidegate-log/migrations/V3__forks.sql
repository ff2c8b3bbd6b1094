-- How long the chain of forks is that ends in a stream; 0: it is no fork.
ALTER TABLE streams ADD COLUMN fork_depth INTEGER NOT NULL DEFAULT 0;

-- A deleted stream whose records forks still read keeps its path.
DROP INDEX streams_live_path;
CREATE UNIQUE INDEX streams_path ON streams (path) WHERE deleted_at IS NULL OR ref_count > 0;

-- What forks still read is purged with the last of them.
DROP INDEX streams_to_purge;
CREATE INDEX streams_to_purge ON streams (id) WHERE purged < start OR (deleted_at IS NOT NULL AND ref_count = 0);

CREATE INDEX streams_forks ON streams (fork_of, fork_offset) WHERE fork_of IS NOT NULL;
