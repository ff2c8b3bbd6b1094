// From the reports of all runs to tables: medians, and ratios taken within a run, with the
// smallest and the largest of them.

import { SERVERS } from "./servers.mjs";
import { FIGURES, SHAPES, TARGETS } from "./shapes.mjs";

/** The reports: by shape and server, one a run, `undefined` where a load failed. */
export class Results {
  #runs = new Map();

  add(shape, server, report) {
    const key = `${shape} ${server}`;
    this.#runs.set(key, [...(this.#runs.get(key) ?? []), report]);
  }

  values(shape, server, figure) {
    return (this.#runs.get(`${shape} ${server}`) ?? []).map((report) => report?.[FIGURES[figure].field]);
  }

  missed(server) {
    const sums = { lost: 0, repeated: 0, failed: 0 };
    for (const [key, reports] of this.#runs) {
      if (!key.endsWith(` ${server}`)) continue;
      for (const report of reports) {
        sums.lost += report?.lost ?? 0;
        sums.repeated += report?.repeated ?? 0;
        sums.failed += report ? 0 : 1;
      }
    }
    return sums;
  }

  toJSON() {
    return Object.fromEntries(this.#runs);
  }
}

/** Both tables, ready for docs/performance.md. */
export function markdown(results, { shapes, peers }) {
  return [...figures(results, shapes, peers), "", ...targets(results), ""].join("\n");
}

function figures(results, shapes, peers) {
  const lines = [
    `| load | figure | ${peers.map((peer) => SERVERS[peer].title).join(" | ")} |`,
    `|---|---|${peers.map(() => "---").join("|")}|`,
  ];
  for (const shape of shapes) {
    for (const figure of SHAPES[shape].figures) {
      const cells = peers.map((peer) => cell(results.values(shape, peer, figure)));
      if (cells.some((text) => text !== "")) lines.push(`| ${SHAPES[shape].title} | ${FIGURES[figure].name} | ${cells.join(" | ")} |`);
    }
  }
  const missed = peers.map((peer) => results.missed(peer));
  lines.push(`| all | lost, repeated records | ${missed.map((sum) => `${sum.lost}, ${sum.repeated}`).join(" | ")} |`);
  if (missed.some((sum) => sum.failed > 0)) lines.push(`| all | loads that failed | ${missed.map((sum) => sum.failed).join(" | ")} |`);
  return lines;
}

function targets(results) {
  const lines = ["| to reach | against | median (min–max) | must | stretch | reached |", "|---|---|---|---|---|---|"];
  for (const target of TARGETS) {
    const values = pairs(results, target);
    if (values.length === 0) continue;
    const middle = median(values);
    const spread = `${short(middle)} (${short(Math.min(...values))}–${short(Math.max(...values))})`;
    const against = target.theirs ? SERVERS[target.theirs].title : target.over ? "itself" : "";
    lines.push(`| ${target.title} | ${against} | ${spread} | ${bound(target, "must")} | ${bound(target, "stretch")} | ${verdict(target, middle)} |`);
  }
  return lines;
}

/** The figure, or its ratio, of each run where both sides have one. */
function pairs(results, { shape, figure, ours, theirs, over, to = shape }) {
  const mine = results.values(shape, ours, figure);
  if (!theirs && !over) return mine.filter(Number.isFinite);
  const other = theirs ? results.values(to, theirs, figure) : results.values(shape, ours, over);
  return mine.map((value, run) => value / other[run]).filter(Number.isFinite);
}

function bound(target, which) {
  if (target[which] === undefined) return "";
  return `${target.more ? "≥" : "≤"} ${target[which].toLocaleString("en")}`;
}

function verdict(target, value) {
  const holds = (limit) => limit !== undefined && (target.more ? value >= limit : value <= limit);
  if (target.must === undefined) return "";
  if (holds(target.stretch)) return "stretch";
  return holds(target.must) ? "yes" : "**no**";
}

function cell(values) {
  const known = values.filter(Number.isFinite);
  return known.length === 0 ? "" : short(median(known));
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Three digits that matter. */
function short(value) {
  if (Math.abs(value) >= 1_000) return Number(value.toPrecision(3)).toLocaleString("en");
  return String(Number(value.toPrecision(Math.abs(value) >= 100 ? 3 : 2 + (Math.abs(value) >= 1 ? 1 : 0))));
}
