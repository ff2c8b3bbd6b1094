#!/usr/bin/env node
// Runs the same loads against Tidegate, nchan, `durable-streams` and a bare loop over sockets,
// interleaved, in one go, and prints figures, ratios with their spread, and what is to be reached.
// Each server is pinned to one core and the load to another.
//
//   node benches/peers/run.mjs [--runs 5] [--seconds 3] [--shapes fanout,…] [--peers nchan,…]
//                              [--json] [--no-build]
//
// Needs cargo, taskset, Linux and two cores. What else is missing is installed: the crate with
// cargo into target/peers, nginx, nchan and Redis with apt (as root; else a sentence says how).

import { execFileSync } from "node:child_process";

import { markdown, Results } from "./report.mjs";
import { cleanUp, root, run, SERVERS, tidegate, withServer } from "./servers.mjs";
import { SHAPES } from "./shapes.mjs";

const LOAD_CORE = "1";
const USAGE = `node benches/peers/run.mjs [--runs N] [--seconds N] [--shapes A,B] [--peers A,B] [--json] [--no-build]
shapes: ${Object.keys(SHAPES).join(", ")}
peers: ${Object.keys(SERVERS).join(", ")}`;

const options = parse(process.argv.slice(2));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, async () => {
    await cleanUp();
    process.exit(130);
  });
}

prepare();
const results = new Results();
const began = Date.now();
for (let round = 1; round <= options.runs; round += 1) {
  for (const shape of options.shapes) {
    // Every other round goes the other way around, so that no server always comes first.
    const who = SHAPES[shape].who.filter((peer) => options.peers.includes(peer));
    for (const peer of round % 2 === 1 ? who : who.toReversed()) {
      results.add(shape, peer, await measure(round, shape, peer));
    }
  }
}
process.stdout.write(options.json ? `${JSON.stringify({ ...about(), results }, undefined, 2)}\n` : `${head()}\n\n${markdown(results, options)}`);

function parse(words) {
  const found = { runs: 5, seconds: 3, shapes: Object.keys(SHAPES), peers: Object.keys(SERVERS), json: false, build: true };
  while (words.length > 0) {
    const name = words.shift();
    if (name === "--json") found.json = true;
    else if (name === "--markdown") found.json = false;
    else if (name === "--no-build") found.build = false;
    else if (name === "--runs") found.runs = positive(name, words.shift());
    else if (name === "--seconds") found.seconds = positive(name, words.shift());
    else if (name === "--shapes") found.shapes = known(name, words.shift(), SHAPES);
    else if (name === "--peers") found.peers = known(name, words.shift(), SERVERS);
    else fail(name === "--help" ? USAGE : `unknown option ${name}\n${USAGE}`);
  }
  return found;
}

function positive(name, value) {
  const number = Number(value);
  return Number.isInteger(number) && number > 0 ? number : fail(`${name} wants a whole number`);
}

/** The named ones, in the order of the tables. */
function known(name, value, all) {
  const words = (value ?? "").split(",");
  const strange = words.find((word) => !(word in all));
  if (strange !== undefined) fail(`${name} knows no "${strange}"\n${USAGE}`);
  return Object.keys(all).filter((word) => words.includes(word));
}

function prepare() {
  try {
    if (options.build) execFileSync("cargo", ["build", "--release", "--locked", "--package", "tidegate"], { cwd: root, stdio: "inherit" });
    for (const peer of options.peers) {
      if (options.shapes.some((shape) => SHAPES[shape].who.includes(peer))) SERVERS[peer].install?.();
    }
  } catch (error) {
    fail(error.message);
  }
}

/** One load; a load that fails is said, and leaves a gap in the table. */
async function measure(round, shape, peer) {
  process.stderr.write(`run ${round}/${options.runs} ${shape} ${peer}\n`);
  const words = ["taskset", "-c", LOAD_CORE, tidegate, "--json", "bench", ...SHAPES[shape].words, "--seconds", String(options.seconds)];
  try {
    const text = await withServer(peer, (server) => run([...words, ...server.words], { seconds: options.seconds * 3 + 60 }));
    const reports = text.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
    const report = reports.find(({ name }) => name === SHAPES[shape].words[0]);
    if (!report) throw new Error("the load gave no figures; its words are above");
    return report;
  } catch (error) {
    process.stderr.write(`  failed: ${error.message}\n`);
    return undefined;
  }
}

function about() {
  const git = (words) => execFileSync("git", words, { cwd: root, encoding: "utf8" }).trim();
  const commit = git(["rev-parse", "--short", "HEAD"]) + (git(["status", "--porcelain", "--untracked-files=no"]) ? " with changes" : "");
  const { runs, seconds } = options;
  return { date: new Date().toISOString().slice(0, 10), commit, runs, seconds, took_seconds: Math.round((Date.now() - began) / 1_000) };
}

function head() {
  const { date, commit, runs, seconds, took_seconds: took } = about();
  return `${date}, commit \`${commit}\`, medians of ${runs} interleaved runs of ${seconds} s a load, ${took} s in all.`;
}

function fail(words) {
  process.stderr.write(`${words}\n`);
  process.exit(2);
}
