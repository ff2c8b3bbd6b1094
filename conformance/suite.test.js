import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { randomBytes } from "node:crypto"
import { afterAll, beforeAll } from "vitest"
import { runConformanceTests } from "@durable-streams/server-conformance-tests"

// The suite writes without a credential and below names of its own, so every stream is open here.
const CONFIG = `
[auth]
jwt_secret = "${randomBytes(32).toString("base64url")}"

[[access]]
path = "**"
read = "anyone"
write = "anyone"
subscribe = "anyone"

# The suite's receivers listen on this machine.
[webhooks]
enabled = true
allow_loopback = true

[limits]
streams_per_address = 10000
connections_per_address = 10000

[log]
level = "warn"
`

const target = { baseUrl: process.env.TIDEGATE_URL ?? "", longPollTimeoutMs: 20_000, subscriptions: true }
let server
let folder

async function freePort() {
  const probe = createServer()
  await new Promise((done) => probe.listen(0, "127.0.0.1", done))
  const { port } = probe.address()
  await new Promise((done) => probe.close(done))
  return port
}

async function untilReady(url) {
  for (let tries = 0; tries < 200; tries += 1) {
    if (server.exitCode !== null) throw new Error(`the server stopped with ${server.exitCode}`)
    const ready = await fetch(`${url}/readyz`).catch(() => undefined)
    if (ready?.ok) return
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error("the server was not ready within 10 s")
}

beforeAll(async () => {
  if (target.baseUrl) return
  folder = mkdtempSync(join(tmpdir(), "tidegate-conformance-"))
  const config = join(folder, "tidegate.toml")
  writeFileSync(config, CONFIG)
  const address = `127.0.0.1:${await freePort()}`
  const program = process.env.TIDEGATE_BIN ?? resolve(import.meta.dirname, "../target/debug/tidegate")
  const options = ["serve", "--addr", address, "--data", join(folder, "data"), "--config", config]
  server = spawn(program, options, { stdio: ["ignore", "inherit", "inherit"] })
  target.baseUrl = `http://${address}`
  await untilReady(target.baseUrl)
}, 30_000)

afterAll(async () => {
  if (server && server.exitCode === null) {
    const gone = new Promise((done) => server.once("exit", done))
    server.kill("SIGTERM")
    await gone
  }
  if (folder) rmSync(folder, { recursive: true, force: true })
}, 30_000)

runConformanceTests(target)
