// The loads that servers are compared with, and what is to be reached.
//
// A shape is a load of `tidegate bench` with its words, and who takes part. A target is a figure
// of one server of a shape, or its ratio to another's in the same run, of the same shape or the one it names in `to`.

const ALL = ["tidegate", "tickets", "nchan", "peer", "limit"];

// The figures of a report: the field, its name in tables, and digits behind the point.
export const FIGURES = {
  cpu: { field: "cpu_us_per_operation", name: "server CPU, µs each" },
  rate: { field: "per_second", name: "a second" },
  p50: { field: "p50_us", name: "p50, µs" },
  p99: { field: "p99_us", name: "p99, µs" },
  kib: { field: "resident_kib_per_connection", name: "KiB each" },
  without: { field: "p99_without_us", name: "p99 with none stalled, µs" },
  held: { field: "held_kib_per_stalled", name: "KiB held for each stalled" },
};

export const SHAPES = {
  "publish-one": { words: ["publish-one"], title: "64 writers, one stream", who: ["tidegate", "peer"], figures: ["rate", "cpu", "p99"] },
  publish: { words: ["publish"], title: "64 writers, a stream each", who: ["tidegate", "peer"], figures: ["rate", "cpu", "p99"] },
  "publish-16": { words: ["publish", "--writers", "16"], title: "16 writers, a stream each", who: ["tidegate", "nchan", "redis", "peer", "limit"], figures: ["rate", "cpu", "p99"] },
  fanout: { words: ["fanout"], title: "1,000 readers of one stream, window 4", who: ALL, figures: ["rate", "cpu"] },
  "fanout-10k": { words: ["fanout", "--subscribers", "10000"], title: "10,000 readers of one stream, window 4", who: ALL, figures: ["rate", "cpu"] },
  pace: { words: ["pace"], title: "1,000 readers, 20 a second", who: ALL, figures: ["p50", "p99", "cpu"] },
  "pace-2kb": { words: ["pace", "--subscribers", "100", "--rate", "300", "--size", "2000"], title: "100 readers, 300 a second of 2,000 B", who: ALL, figures: ["p50", "p99"] },
  backlog: { words: ["backlog"], title: "1,000 readers, 8 publishers, window 32", who: ALL, figures: ["rate", "cpu"] },
  many: { words: ["many"], title: "1,000 streams with a reader each, 8 publishers", who: ALL, figures: ["rate", "cpu", "p99", "kib"] },
  replay: { words: ["replay"], title: "200 readers replay 1,000 records", who: ALL, figures: ["rate", "cpu"] },
  churn: { words: ["churn"], title: "connect, first record, hang up; 64 at once", who: ALL, figures: ["rate", "cpu"] },
  "churn-key": { words: ["churn", "--auth", "key"], title: "connect with a key, first record, hang up; 64 at once", who: ["tidegate"], figures: ["rate", "cpu"] },
  storm: { words: ["storm"], title: "2,000 readers come back at once, 100 records missed", who: ALL, figures: ["p99", "cpu"] },
  slow: { words: ["slow", "--size", "2000"], title: "200 readers, 20 stalled, 300 a second of 2,000 B", who: ALL, figures: ["p99", "without", "cpu", "held"] },
  idle: { words: ["idle", "--connections", "10000"], title: "10,000 idle tails", who: ALL, figures: ["kib", "cpu"] },
  "idle-19k": { words: ["idle", "--connections", "19000"], title: "19,000 idle tails", who: ALL, figures: ["kib"] },
};

const ratio = (title, shape, figure, ours, theirs, must, stretch, more = false) =>
  ({ title, shape, figure, ours, theirs, must, stretch, more });
const plain = (title, shape, figure, ours, must, stretch) => ({ title, shape, figure, ours, must, stretch });

// `must` and `stretch` are the most that is allowed, or, with `more`, the least.
export const TARGETS = [
  ratio("fan-out to 1,000, CPU a delivery", "fanout", "cpu", "tidegate", "nchan", 0.7, 0.6),
  ratio("the same with tickets", "fanout", "cpu", "tickets", "nchan", 0.7, 0.6),
  ratio("fan-out to 10,000, CPU a delivery", "fanout-10k", "cpu", "tidegate", "nchan", 0.7, 0.6),
  ratio("the same with tickets", "fanout-10k", "cpu", "tickets", "nchan", 0.7, 0.6),
  ratio("fan-out to 1,000, CPU a delivery", "fanout", "cpu", "tidegate", "peer", 1, undefined),
  ratio("fan-out to 1,000, CPU a delivery", "fanout", "cpu", "tidegate", "limit", undefined, undefined),
  ratio("backlog, CPU an event", "backlog", "cpu", "tidegate", "nchan", 0.25, 0.12),
  ratio("the same with tickets", "backlog", "cpu", "tickets", "nchan", 0.25, 0.12),
  plain("idle tail (10,000), KiB", "idle", "kib", "tidegate", 2.5, 1),
  plain("idle tail with a ticket (10,000), KiB", "idle", "kib", "tickets", 2.5, 1.5),
  plain("idle tail (19,000), KiB", "idle-19k", "kib", "tidegate", 2.5, 1),
  plain("idle tail with a ticket (19,000), KiB", "idle-19k", "kib", "tickets", 2.5, 1.5),
  plain("reader and stream of its own, KiB", "many", "kib", "tidegate", 4, 2),
  ratio("many streams, CPU a message with its append (durable here, not there)", "many", "cpu", "tidegate", "nchan", 0.85, 0.65),
  ratio("16 writers, CPU an append (durable here, not there)", "publish-16", "cpu", "tidegate", "nchan", 1, 0.8),
  ratio("16 writers, durable appends a second", "publish-16", "rate", "tidegate", "redis", 2, 5, true),
  ratio("64 writers, one stream, durable appends a second", "publish-one", "rate", "tidegate", "peer", 1, undefined, true),
  ratio("64 writers, a stream each, durable appends a second", "publish", "rate", "tidegate", "peer", 1, undefined, true),
  ratio("replay, CPU an event", "replay", "cpu", "tidegate", "nchan", 0.15, 0.05),
  ratio("the same with tickets", "replay", "cpu", "tickets", "nchan", 0.15, 0.05),
  ratio("p99 at 20 a second to 1,000", "pace", "p99", "tidegate", "nchan", 0.85, 0.75),
  ratio("the same with tickets", "pace", "p99", "tickets", "nchan", 0.85, 0.75),
  plain("p99 of 2,000 B, 300 a second to 100, µs", "pace-2kb", "p99", "tidegate", 3_000, 1_500),
  ratio("connect, ticket, first record, hang up: CPU (no access rule there)", "churn", "cpu", "tickets", "nchan", 1.2, 1),
  { ...ratio("connect, key in the header, first record, hang up: CPU (no access rule there)", "churn-key", "cpu", "tidegate", "nchan", 1.2, 1), to: "churn" },
  { title: "a tenth stalled: p99 of the others, to none stalled", shape: "slow", figure: "p99", ours: "tidegate", over: "without", must: 1.5, stretch: 1.2 },
  { title: "the same with tickets", shape: "slow", figure: "p99", ours: "tickets", over: "without", must: 1.5, stretch: 1.2 },
  plain("held for each stalled reader, KiB", "slow", "held", "tidegate", 64, 16),
  plain("held for each stalled reader with a ticket, KiB", "slow", "held", "tickets", 64, 16),
];
