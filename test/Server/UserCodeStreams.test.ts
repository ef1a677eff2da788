/** A stream of the app that misbehaves: its reply does not look whole, it is logged, and the app goes on. */
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { calls, misbehave } from "./userCode/misbehave.ts"
import { guardProcess, listeners, serve, type Server, until } from "./userCode/server.ts"
import { Streams, streams } from "./userCode/streams.ts"
import { ask, isLogged, isProblem, isWell, nextId } from "./userCode/table.ts"

guardProcess()

for (const listener of listeners) {
  describe(`on ${listener} the reply is cut and the app goes on`, () => {
    let server: Server
    beforeAll(async () => {
      server = await serve(listener, [Streams])
    })
    afterAll(() => server.stop())

    for (const subject of streams) {
      const { name, path, ways } = subject
      for (const way of ways.filter((way) => way !== "never ends")) {
        it(`${name} that ${way}, at ${path}, on ${listener}`, async () => {
          misbehave({ subject: name, way })
          try {
            const [reply, id] = await ask(server, subject)
            await until(`The call of ${name}`, () => calls() > 0)
            if (way === "waits") isWell(subject, reply)
            else {
              // A status that has been sent stays.
              if (!reply.cut) isProblem(reply, 500, "INTERNAL_ERROR", id)
              await isLogged(server, id, way)
            }
          } finally {
            misbehave()
          }
          const [next] = await ask(server, subject)
          isWell(subject, next)
        })
      }
    }
  })

  describe(`on ${listener} the client may leave and the app stops`, () => {
    for (const subject of streams) {
      const { name, path } = subject
      it(`${name} that never ends, at ${path}, on ${listener}`, async () => {
        const server = await serve(listener, [Streams])
        misbehave({ subject: name, way: "never ends" })
        try {
          const client = new AbortController()
          const left = server.send(nextId(), path, { signal: client.signal }).catch(() => {})
          await until(`The call of ${name}`, () => calls() > 0)
          client.abort()
          await left
          const before = calls()
          const cut = server.send(nextId(), path)
          await until(`The next call of ${name}`, () => calls() > before)
          const [reply] = await Promise.all([cut, server.stop()])
          assert.isTrue(reply.cut || reply.status === 503, "the reply is cut, or 503")
        } finally {
          await server.stop().finally(() => misbehave())
        }
      })
    }
  })
}
