// A real server for these tests, with a key for its streams; it can be killed and started again.
import { execFileSync, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const program = process.env.TIDEGATE_BIN ?? resolve(import.meta.dirname, "../target/debug/tidegate")

export async function freePort() {
  const probe = createServer()
  await new Promise((done) => probe.listen(0, "127.0.0.1", done))
  const { port } = probe.address()
  await new Promise((done) => probe.close(done))
  return port
}

export function gone(process) {
  if (process.exitCode !== null || process.signalCode !== null) return Promise.resolve()
  return new Promise((done) => process.once("exit", done))
}

export class Server {
  #process
  #folder = mkdtempSync(join(tmpdir(), "tidegate-interop-"))
  #options

  static async start() {
    const server = new Server()
    const address = `127.0.0.1:${await freePort()}`
    const secret = randomBytes(32).toString("base64url")
    writeFileSync(join(server.#folder, "tidegate.toml"), `[auth]\njwt_secret = "${secret}"\n[log]\nlevel = "warn"\n`)
    server.#options = ["--data", server.#folder]
    server.url = `http://${address}`
    server.address = address
    await server.start()
    const scopes = ["--scope", "streams:read:**", "--scope", "streams:write:**"]
    const made = execFileSync(program, ["key", "create", "--name", "interop", ...scopes, "--json", ...server.#options])
    server.key = JSON.parse(made).secret
    server.headers = { Authorization: `Bearer ${server.key}` }
    return server
  }

  async start() {
    const options = ["serve", "--addr", this.address, ...this.#options]
    this.#process = spawn(program, options, { stdio: ["ignore", "inherit", "inherit"] })
    for (let tries = 0; tries < 400; tries += 1) {
      if (this.#process.exitCode !== null) throw new Error(`the server stopped with ${this.#process.exitCode}`)
      const ready = await fetch(`${this.url}/readyz`).catch(() => undefined)
      if (ready?.ok) return
      await new Promise((done) => setTimeout(done, 50))
    }
    throw new Error("the server was not ready within 20 s")
  }

  /** As the power would: nothing is flushed, nobody is told. */
  async kill() {
    this.#process.kill("SIGKILL")
    await gone(this.#process)
  }

  async stop() {
    this.#process.kill("SIGTERM")
    await gone(this.#process)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  stream(name) {
    return `${this.url}/v1/stream/${name}`
  }
}
