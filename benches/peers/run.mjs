#!/usr/bin/env node
// Runs the same loads against Tidegate and against `durable-streams` 0.1.5, interleaved, in one
// go, and prints ratios. Both servers are pinned to one core, the load to another.
//
//   node benches/peers/run.mjs [--runs 5] [--seconds 3] [--shapes publish,fanout,…]
//
// Needs cargo, taskset and two cores. The peer is installed once into target/peers.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PEER = { crate: "durable-streams", version: "0.1.5", binary: "durable-streams-server" };
const SHAPES = ["publish", "publish-one", "fanout", "many", "replay", "churn", "idle", "slow"];
// What is compared for each load: the name of the figure, and whether more is better.
const FIGURES = [
  ["per_second", "operations/s", true],
  ["cpu_us_per_operation", "server CPU each", false],
  ["p99_us", "p99", false],
  ["resident_kib_per_connection", "KiB per connection", false],
];

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const options = parse(process.argv.slice(2));
const tidegate = join(root, "target", "release", "tidegate");
const peer = join(root, "target", "peers", "bin", PEER.binary);

build();
const results = {};
for (let run = 1; run <= options.runs; run += 1) {
  for (const shape of options.shapes) {
    process.stderr.write(`run ${run}/${options.runs} ${shape}\n`);
    add(shape, "tidegate", bench([shape]));
    add(shape, "peer", await withPeer((port, pid) =>
      bench([shape, "--target", `http://127.0.0.1:${port}/bench`, "--server-pid", String(pid)])));
  }
}
print();

function parse(words) {
  const found = { runs: 5, seconds: 3, shapes: SHAPES };
  for (let at = 0; at < words.length; at += 2) {
    const [name, value] = [words[at], words[at + 1]];
    if (value === undefined) fail(`${name} wants a value`);
    if (name === "--runs") found.runs = Number(value);
    else if (name === "--seconds") found.seconds = Number(value);
    else if (name === "--shapes") found.shapes = value.split(",");
    else fail(`unknown option ${name}`);
  }
  return found;
}

function build() {
  execFileSync("cargo", ["build", "--release", "--locked", "--package", "tidegate"], { cwd: root, stdio: "inherit" });
  if (existsSync(peer)) return;
  const words = ["install", PEER.crate, "--version", PEER.version, "--locked", "--root", join(root, "target", "peers")];
  execFileSync("cargo", words, { cwd: root, stdio: "inherit" });
}

/** One load; the answer is the last JSON line (the first may be the start of a server). */
function bench(words) {
  const all = ["-c", "1", tidegate, "--json", "bench", ...words, "--seconds", String(options.seconds)];
  const text = execFileSync("taskset", all, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  return JSON.parse(text.trim().split("\n").at(-1));
}

async function withPeer(load) {
  const [port, folder] = [await freePort(), mkdtempSync(join(tmpdir(), "peer-"))];
  const words = ["-c", "0", peer, "--port", String(port), "--data-dir", folder];
  const child = spawn("taskset", words, { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    await reachable(port);
    return load(port, child.pid);
  } finally {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function reachable(port) {
  for (let tries = 0; tries < 500; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/nothing-here`).catch(() => undefined);
    if (answer) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  fail("the peer did not start");
}

function add(shape, who, report) {
  results[shape] ??= { tidegate: [], peer: [] };
  results[shape][who].push(report);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function print() {
  console.log(`| load | figure | Tidegate | ${PEER.crate} ${PEER.version} | ratio, median (min–max of ${options.runs} runs) |`);
  console.log("|---|---|---|---|---|");
  for (const [shape, { tidegate: ours, peer: theirs }] of Object.entries(results)) {
    for (const [field, name, moreIsBetter] of FIGURES) {
      const pairs = ours.map((one, at) => [one[field], theirs[at][field]]).filter(([a, b]) => a > 0 && b > 0);
      if (pairs.length === 0) continue;
      const ratios = pairs.map(([a, b]) => a / b);
      const figure = (side) => median(pairs.map((pair) => pair[side])).toPrecision(4);
      const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
      const better = moreIsBetter ? "more is better" : "less is better";
      console.log(`| ${shape} | ${name} | ${figure(0)} | ${figure(1)} | ${median(ratios).toFixed(2)} (${spread}), ${better} |`);
    }
    const missed = (side) => side.reduce((sum, one) => sum + one.lost + one.repeated, 0);
    console.log(`| ${shape} | lost or repeated | ${missed(ours)} | ${missed(theirs)} | |`);
  }
}

function fail(words) {
  process.stderr.write(`${words}\n`);
  process.exit(2);
}
