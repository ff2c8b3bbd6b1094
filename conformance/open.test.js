// The suite writes without a credential and below names of its own, so every stream is open here.
import { afterAll, beforeAll } from "vitest"
import { runConformanceTests } from "@durable-streams/server-conformance-tests"
import { Server, WEBHOOKS } from "./server.js"

const SETTINGS = `
[[access]]
path = "**"
read = "anyone"
write = "anyone"
subscribe = "anyone"
${WEBHOOKS}`

const target = { baseUrl: process.env.TIDEGATE_URL ?? "", longPollTimeoutMs: 20_000, subscriptions: true }
const server = new Server()

beforeAll(async () => {
  if (target.baseUrl) return
  await server.start(SETTINGS)
  target.baseUrl = server.url
}, 30_000)

afterAll(() => server.stop(), 30_000)

runConformanceTests(target)
