// The commands of pages about documents, run to the letter beside `tidegate dev`, as their readers run them.
import { execFileSync, spawn } from "node:child_process"
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { freePort, gone } from "./server.js"

const root = resolve(import.meta.dirname, "..")
const program = resolve(process.env.TIDEGATE_BIN ?? join(root, "target/debug/tidegate"))

let folder
let port
let dev
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-pages-"))
  port = await freePort()
  cpSync(join(root, "README.md"), join(folder, "README.md"))
  cpSync(join(root, "docs"), join(folder, "docs"), { recursive: true })
  for (const name of ["bin", ".tidegate"]) mkdirSync(join(folder, name))
  symlinkSync(program, join(folder, "bin/tidegate"))
})
afterEach(async () => {
  dev?.kill("SIGTERM")
  if (dev) await gone(dev)
  dev = undefined
  rmSync(folder, { recursive: true, force: true })
})

/** An environment that holds nothing of the developer's. */
const env = () => ({ PATH: `${folder}/bin:${process.env.PATH}`, HOME: folder })

async function start(configuration = "") {
  writeFileSync(join(folder, ".tidegate/tidegate.toml"), configuration)
  dev = spawn("tidegate", ["dev", "--port", port], { cwd: folder, env: env(), stdio: "ignore" })
  for (let tries = 0; tries < 600; tries += 1) {
    if (dev.exitCode !== null) throw new Error(`the server stopped with ${dev.exitCode}`)
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    if (ready?.ok) return
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error("the server was not ready within 30 s")
}

/** The shell blocks of a page, or of one of its sections. */
function blocks(page, section) {
  let text = readFileSync(join(root, page), "utf8")
  if (section) text = text.slice(text.indexOf(`\n${section}`) + 1).split(/\n(?=## )/)[0]
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block)
}

/**
 * Runs blocks in one shell, each line as it stands but for the port. A call that is answered with an
 * error ends it, which a reader would see for themselves.
 */
function shell(...lines) {
  const careful = 'set -euo pipefail\ncurl() { command curl --fail-with-body "$@"; }\n'
  const script = careful + lines.join("\n").replaceAll("127.0.0.1:8000", `127.0.0.1:${port}`)
  const options = { cwd: folder, env: env(), encoding: "utf8", timeout: 60_000, stdio: ["ignore", "pipe", "pipe"] }
  try {
    return execFileSync("bash", ["-c", script], options)
  } catch (error) {
    throw new Error(`${error.message}\n${error.stdout}\n${error.stderr}`)
  }
}

/** The events of a stream as curl prints it. */
function events(text) {
  return text.split("\n\n").flatMap((frame) => {
    const data = /^data: (.*)$/m.exec(frame)
    return data ? [{ id: /^id: (.*)$/m.exec(frame)?.[1], ...JSON.parse(data[1]) }] : []
  })
}

test("README: upload, brief, ask; a brief that is left goes on and is watched again", async () => {
  await start()
  const [block] = blocks("README.md", "## Ask a document")
  const said = shell(block)
  expect(said).toContain("operations.md")
  expect(said).toMatch(/^# How is a server run in production\?/m)
  expect(said).toMatch(/Back up the folder with SQLite's own backup[^]*\[1\]/)
  const about = block.split("\n").find((line) => line.startsWith("tidegate brief"))
  const brief = spawn("bash", ["-c", `exec ${about}`], { cwd: folder, env: env(), stdio: ["ignore", "ignore", "pipe"] })
  let notes = ""
  for await (const piece of brief.stderr) {
    notes += piece
    if (/watch: tidegate tail \S+\)/.test(notes)) break
  }
  brief.kill("SIGINT")
  await gone(brief)
  const [, watch] = /watch: (tidegate tail \S+)\)/.exec(notes)
  expect(shell(watch)).toContain("100%")
})

test("docs/documents.md", async () => {
  await start()
  const said = shell(...blocks("docs/documents.md"))
  expect(said).toMatch(/README\.md\s+ready/)
  expect(said).toContain('"stage":"ready"')
  expect(said).toContain('"match": true')
  execFileSync("cmp", [join(folder, "copies/README.md"), join(root, "README.md")])
})

test("docs/conversations.md: a cited answer, read again, and on from the middle", async () => {
  await start()
  const all = blocks("docs/conversations.md")
  const settings = all.find((block) => block.startsWith("export TIDEGATE_LLM"))
  const said = shell(...all.filter((block) => block !== settings))
  expect(said).toContain("A reconnect needs no new ticket")
  const own = all[0]
  const place = shell(own, 'curl -s -H "$AUTH" $BASE/api/v1/conversations').match(/"id":"([^"]+)"/)
  // The page deletes its last one; the question in the terminal has left another.
  const [whole, after] = [1, 2].map((line) => {
    const read = all.find((block) => block.includes("Last-Event-ID")).split("\n")[line - 1]
    return events(shell(own, `CONVERSATION=${place[1]}`, read))
  })
  expect(whole.map((event) => event.type ?? event.reason)).toContain("done")
  const seen = whole.filter((event) => event.type)
  const rest = after.filter((event) => event.type)
  expect(rest.length).toBeGreaterThan(0)
  expect(seen.slice(-rest.length)).toMatchObject(rest.map(({ type, text }) => (text ? { type, text } : { type })))
  expect(seen.length - rest.length).toBe(2)
})

test("docs/frameworks.md: a brief and a command", async () => {
  const page = readFileSync(join(root, "docs/frameworks.md"), "utf8")
  const report = join(folder, "bin/report")
  writeFileSync(report, '#!/bin/sh\necho "10% begun"\necho "100% the year $2"\n')
  chmodSync(report, 0o755)
  const command = /^```toml\n(\[\[command\]\][\s\S]*?)^```$/m.exec(page)[1]
  await start(command.replace("/usr/local/bin/report", report).replace("/srv/reports", folder))
  const said = shell(...blocks("docs/frameworks.md"))
  expect(said).toContain("operations.md")
  const ended = 'sleep 1; curl -s "$API/generations?limit=3" -H "Authorization: Bearer $TOKEN" | jq -c ".items[] | [.framework, .status]"'
  let states
  for (let tries = 0; tries < 20 && !states?.every((state) => state.includes("completed")); tries += 1) {
    const all = shell('API=http://127.0.0.1:8000/api/v1; TOKEN=$(jq -r .key .tidegate/local.json)', ended)
    states = all.trim().split("\n")
  }
  expect(states.toSorted()).toEqual(['["brief","completed"]', '["brief","completed"]', '["command","completed"]'])
})
