// The real binary with a data folder of its own, for the length of one test file.
import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { randomBytes } from "node:crypto"

const PROGRAM = process.env.TIDEGATE_BIN ?? resolve(import.meta.dirname, "../target/debug/tidegate")

/** The suite's receivers listen on this machine. */
export const WEBHOOKS = `
[webhooks]
enabled = true
allow_loopback = true
`

const config = (settings) => `
[auth]
jwt_secret = "${randomBytes(32).toString("base64url")}"
${settings}
[limits]
streams_per_address = 10000
connections_per_address = 10000

[log]
level = "warn"
`

async function freePort() {
  const probe = createServer()
  await new Promise((done) => probe.listen(0, "127.0.0.1", done))
  const { port } = probe.address()
  await new Promise((done) => probe.close(done))
  return port
}

export class Server {
  #folder = mkdtempSync(join(tmpdir(), "tidegate-conformance-"))
  #process
  url

  /** `settings`: further tables of the configuration file. */
  async start(settings) {
    const file = join(this.#folder, "tidegate.toml")
    writeFileSync(file, config(settings))
    const address = `127.0.0.1:${await freePort()}`
    const options = ["serve", "--addr", address, "--data", this.#data, "--config", file]
    this.#process = spawn(PROGRAM, options, { stdio: ["ignore", "inherit", "inherit"] })
    this.url = `http://${address}`
    await this.#untilReady()
  }

  /** A key that an operator makes; the running server sees it within a second. */
  createKey(...scopes) {
    const options = ["--json", "key", "create", ...scopes.flatMap((scope) => ["--scope", scope]), "--data", this.#data]
    return JSON.parse(execFileSync(PROGRAM, options, { stdio: ["ignore", "pipe", "inherit"] })).secret
  }

  async stop() {
    if (this.#process && this.#process.exitCode === null) {
      const gone = new Promise((done) => this.#process.once("exit", done))
      this.#process.kill("SIGTERM")
      await gone
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #data() {
    return join(this.#folder, "data")
  }

  async #untilReady() {
    for (let tries = 0; tries < 400; tries += 1) {
      if (this.#process.exitCode !== null) throw new Error(`the server stopped with ${this.#process.exitCode}`)
      const ready = await fetch(`${this.url}/readyz`).catch(() => undefined)
      if (ready?.ok) return
      await new Promise((done) => setTimeout(done, 50))
    }
    throw new Error("the server was not ready within 20 s")
  }
}
