// The same suite where nobody may do anything without a key; a gateway adds one that was made by the
// command line, as an operator would make it.
import { afterAll, beforeAll, expect, test } from "vitest"
import { runConformanceTests } from "@durable-streams/server-conformance-tests"
import { Gateway } from "./gateway.js"
import { Server, WEBHOOKS } from "./server.js"

// The page whose preflight the suite sends. There is no access rule.
const SETTINGS = `
[cors]
origins = ["https://example.com"]
${WEBHOOKS}`

const target = { baseUrl: "", longPollTimeoutMs: 20_000, subscriptions: true }
const server = new Server()
const gateway = new Gateway()

beforeAll(async () => {
  await server.start(SETTINGS)
  await gateway.start(server.url, server.createKey("streams:read:**", "streams:write:**"))
  target.baseUrl = gateway.url
  for (let tries = 0; (await fetch(`${gateway.url}/v1/stream/any`)).status === 401; tries += 1) {
    if (tries === 100) throw new Error("the server did not see the key within 5 s")
    await new Promise((done) => setTimeout(done, 50))
  }
}, 60_000)

afterAll(async () => {
  await gateway.stop()
  await server.stop()
}, 30_000)

test("the server itself lets nobody in without a key", async () => {
  for (const method of ["PUT", "POST", "GET", "HEAD", "DELETE"]) {
    const body = method === "PUT" || method === "POST" ? "x" : undefined
    const headers = body ? { "Content-Type": "text/plain" } : {}
    const answer = await fetch(`${server.url}/v1/stream/any`, { method, headers, body })
    expect(answer.status, method).toBe(401)
  }
})

runConformanceTests(target)
