import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { python } from "./python.js"
import { Server } from "./server.js"

const root = resolve(import.meta.dirname, "..")
const examples = join(root, "examples/clients")
const page = readFileSync(join(root, "docs/clients.md"), "utf8")
const built = mkdtempSync(join(tmpdir(), "tidegate-snippets-"))

let server
beforeAll(async () => {
  server = await Server.start()
}, 120_000)
afterAll(async () => {
  await server?.stop()
  rmSync(built, { recursive: true, force: true })
})

async function run(program, args, stream) {
  const env = { ...process.env, KEY: server.key, STREAM: stream, GOCACHE: join(built, "go") }
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] })
  let out = ""
  let err = ""
  child.stdout.on("data", (piece) => (out += piece))
  child.stderr.on("data", (piece) => (err += piece))
  const code = await new Promise((done, failed) => {
    child.once("error", failed)
    child.once("close", done)
  })
  return { code, out, err }
}

const rust = process.env.EXAMPLES_BIN ?? join(root, "target/debug")
const languages = {
  curl: (which) => ["sh", [join(examples, `curl/${which}.sh`)]],
  // From a folder where the client is installed, as a reader of the page would have it.
  javascript: (which) => ["node", ["--input-type=module", "--eval", readFileSync(join(examples, `javascript/${which}.mjs`), "utf8")]],
  python: (which) => [python(), [join(examples, `python/${which}.py`)]],
  go: (which) => ["go", ["run", join(examples, `go/${which}.go`)]],
  rust: (which) => [join(rust, which), []],
}

test.each(Object.keys(languages))("%s: the page's producer and consumer do what it says", async (language) => {
  const stream = server.stream(`docs/${language}`)
  const command = (which) => run(...languages[language](which), stream)
  const made = await fetch(stream, { method: "PUT", headers: { ...server.headers, "Content-Type": "application/json" } })
  expect(made.status).toBe(201)
  const [consumed, produced] = await Promise.all([command("consume"), command("produce")])
  expect(produced, produced.err).toMatchObject({ code: 0 })
  expect(consumed, consumed.err).toMatchObject({ code: 0, out: "1\n2\n3\n" })
})

test("the page shows the files that were run, to the letter", () => {
  const shown = [...page.matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gm)]
  const files = Object.keys(languages).flatMap((language) => {
    const folder = language === "rust" ? "rust/src/bin" : language
    return readdirSync(join(examples, folder)).map((name) => `examples/clients/${folder}/${name}`)
  })
  expect(shown.map(([, name]) => name).sort()).toEqual(files.sort())
  for (const [, name, text] of shown) expect(text, name).toBe(readFileSync(join(root, name), "utf8"))
})
