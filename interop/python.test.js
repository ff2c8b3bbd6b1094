import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { afterAll, beforeAll, expect, test } from "vitest"
import { python } from "./python.js"
import { Server } from "./server.js"

let server
beforeAll(async () => {
  server = await Server.start()
}, 120_000)
afterAll(() => server?.stop())

test("the Python client appends through two kills of the server, reads live, and sees the end", async () => {
  const script = join(import.meta.dirname, "python/through_a_kill.py")
  const env = { ...process.env, STREAM: server.stream("py/through-a-kill"), KEY: server.key }
  const child = spawn(python(), [script], { env, stdio: ["pipe", "pipe", "inherit"] })
  let last = ""
  for await (const line of createInterface({ input: child.stdout })) {
    last = line
    if (line !== "kill") continue
    await server.kill()
    await server.start()
    child.stdin.write("up\n")
  }
  const { seen, whole } = JSON.parse(last)
  const numbers = Array.from({ length: 300 }, (_, n) => n)
  expect(whole).toEqual(numbers)
  expect(seen).toEqual(numbers)
})
