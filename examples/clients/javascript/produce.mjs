// npm install @durable-streams/client
import { DurableStream, IdempotentProducer } from "@durable-streams/client"

const headers = { Authorization: `Bearer ${process.env.KEY}` }
const stream = await DurableStream.create({ url: process.env.STREAM, contentType: "application/json", headers })
const producer = new IdempotentProducer(stream, "notes-1", {
  autoClaim: true, // a second run goes on with a new epoch
  fetch: async (...request) => {
    for (;;) {
      try {
        return await fetch(...request)
      } catch {
        await new Promise((done) => setTimeout(done, 200)) // sent again, and counts once
      }
    }
  },
  onError: console.error,
})

for (let n = 1; n <= 3; n += 1) producer.append(JSON.stringify({ n }))
await producer.close() // sends what waits and ends the stream
