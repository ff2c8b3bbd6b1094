import { stream } from "@durable-streams/client"

const headers = { Authorization: `Bearer ${process.env.KEY}` }
const answer = await stream({ url: process.env.STREAM, offset: "-1", live: true, json: true, headers })

for await (const item of answer.jsonStream()) console.log(item.n) // ends with the stream
