-- Only leases without a connection are looked for by when they may go: one that is connected has no place in
-- that index, so that making it writes one row in one place. Those that never ended go when they are the oldest.
DROP INDEX leases_sweep;
CREATE INDEX leases_ended ON leases (sweep_at) WHERE ended_at IS NOT NULL OR dead_at IS NOT NULL;
