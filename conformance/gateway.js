// A proxy that adds a credential where the client has none, as a gateway before a server would.
import { createServer, request } from "node:http"

// Between two hops only (RFC 9110 section 7.6.1).
const HOP = ["connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"]

export class Gateway {
  #server
  url

  /** Before the server at `target`; `secret` is an API key. */
  async start(target, secret) {
    const authorization = `Bearer ${secret}`
    this.#server = createServer((incoming, answer) => {
      const headers = { authorization, ...incoming.headers }
      for (const name of HOP) delete headers[name]
      // A connection each: one that is kept may be closed by the server the moment it is used again.
      const outgoing = request(target + incoming.url, { method: incoming.method, headers, agent: false })
      outgoing.on("response", (response) => {
        const kept = Object.entries(response.headers).filter(([name]) => !HOP.includes(name))
        answer.writeHead(response.statusCode, Object.fromEntries(kept))
        answer.flushHeaders()
        response.on("error", () => {}).pipe(answer)
        response.on("close", () => response.complete || answer.destroy())
      })
      // An answer that is there already counts more than a body that could not be sent to its end.
      outgoing.on("error", () => answer.headersSent || answer.writeHead(502).end())
      answer.on("close", () => outgoing.destroy())
      // A refusal may come before all of the body went out: the rest is read, so that the client sees its answer.
      outgoing.on("close", () => incoming.unpipe(outgoing).resume())
      incoming.pipe(outgoing)
    })
    await new Promise((done) => this.#server.listen(0, "127.0.0.1", done))
    this.url = `http://127.0.0.1:${this.#server.address().port}`
  }

  async stop() {
    this.#server?.closeAllConnections()
    await new Promise((done) => (this.#server ? this.#server.close(done) : done()))
  }
}
