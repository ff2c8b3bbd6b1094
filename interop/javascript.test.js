import { afterAll, beforeAll, expect, test } from "vitest"
import { DurableStream, IdempotentProducer, stream } from "@durable-streams/client"
import { Server } from "./server.js"

let server
beforeAll(async () => {
  server = await Server.start()
})
afterAll(() => server?.stop())

const create = (name, contentType = "application/json") =>
  DurableStream.create({ url: server.stream(name), contentType, headers: server.headers })

const pause = (ms) => new Promise((done) => setTimeout(done, ms))

/** The client's producer gives up at a broken connection unless its `fetch` does not. */
async function patient(...request) {
  for (;;) {
    try {
      return await fetch(...request)
    } catch {
      await pause(50)
    }
  }
}

/** Reads to the end, going on at the last offset whenever the connection breaks. */
async function follow(url, live) {
  const seen = []
  let offset = "-1"
  for (;;) {
    try {
      const answer = await stream({ url, offset, live, json: true, headers: server.headers })
      answer.subscribeJson((batch) => {
        seen.push(...batch.items.map((item) => item.n))
        offset = batch.offset
      })
      await answer.closed
      if (!answer.streamClosed) continue
      // The session may be over before its last batch was handed out.
      while (offset !== answer.offset) await pause(5)
      return seen
    } catch {
      await pause(50)
    }
  }
}

test("an idempotent producer writes each record once through a kill of the server, and readers see the end", async () => {
  const url = server.stream("js/through-a-kill")
  const handle = await create("js/through-a-kill")
  const errors = []
  const options = { lingerMs: 1, fetch: patient, onError: (error) => errors.push(error) }
  const producer = new IdempotentProducer(handle, "writer", options)
  const readers = [follow(url, "sse"), follow(url, "long-poll")]
  const numbers = Array.from({ length: 400 }, (_, n) => n)
  for (const n of numbers) {
    producer.append(JSON.stringify({ n }))
    if (n % 20 === 0) await pause(1)
    if (n === 200) {
      await server.kill()
      await server.start()
    }
  }
  await producer.close()
  expect(errors).toEqual([])
  for (const reader of readers) expect(await reader).toEqual(numbers)
  const whole = await stream({ url, offset: "-1", live: false, headers: server.headers })
  expect((await whole.json()).map((item) => item.n)).toEqual(numbers)
})

test("a live reader goes on where it was told to", async () => {
  const handle = await create("js/resumed")
  for (let n = 0; n < 5; n += 1) await handle.append(JSON.stringify({ n }))
  const first = await stream({ url: handle.url, offset: "-1", live: false, headers: server.headers })
  expect((await first.json()).length).toBe(5)
  await handle.append(JSON.stringify({ n: 5 }))
  await handle.close()
  const rest = await stream({ url: handle.url, offset: first.offset, live: true, json: true, headers: server.headers })
  const seen = []
  for await (const item of rest.jsonStream()) seen.push(item.n)
  expect(seen).toEqual([5])
})

test("bytes and text come back as they were written", async () => {
  const bytes = await create("js/bytes", "application/octet-stream")
  await bytes.append(new Uint8Array([0, 255, 10, 13]))
  await bytes.append(new Uint8Array([1]))
  const read = await stream({ url: bytes.url, offset: "-1", live: false, headers: server.headers })
  expect([...(await read.body())]).toEqual([0, 255, 10, 13, 1])
  const text = await create("js/text", "text/plain; charset=utf-8")
  await text.append("ä\n\nevent: x\n")
  await text.close()
  const live = await stream({ url: text.url, offset: "-1", live: "sse", headers: server.headers })
  let all = ""
  for await (const piece of live.textStream()) all += piece
  expect(all).toBe("ä\n\nevent: x\n")
})

test("metadata, a deleted stream and a missing credential are told as the client expects", async () => {
  const handle = await create("js/meta")
  await handle.append(JSON.stringify({ n: 1 }))
  const head = await DurableStream.head({ url: handle.url, headers: server.headers })
  expect(head.exists).toBe(true)
  expect(head.contentType).toBe("application/json")
  await DurableStream.delete({ url: handle.url, headers: server.headers })
  expect((await DurableStream.head({ url: handle.url, headers: server.headers })).exists).toBe(false)
  await expect(DurableStream.create({ url: handle.url, contentType: "text/plain" })).rejects.toMatchObject({ status: 401 })
})
