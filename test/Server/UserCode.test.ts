/** Whatever the app's own code does while a request is served: it is answered and logged, and the app goes on. */
import { afterAll, beforeAll, describe, it } from "vitest"
import { Handlers, handlers } from "./userCode/handlers.ts"
import { Authenticated, middleware, Slots } from "./userCode/middleware.ts"
import { calls, misbehave } from "./userCode/misbehave.ts"
import { Schemas, schemas } from "./userCode/schemas.ts"
import {
  arrives,
  guardProcess,
  type Listener,
  listeners,
  serve,
  type Server,
  until
} from "./userCode/server.ts"
import { ask, isLogged, isProblem, isWell, nextId } from "./userCode/table.ts"

const subjects = [...handlers, ...schemas, ...middleware]

const boot = (listener: Listener) => serve(listener, [Handlers, Schemas, Slots, ...Authenticated])

guardProcess()

for (const listener of listeners) {
  describe(`on ${listener} the request is answered and the app goes on`, () => {
    let server: Server
    beforeAll(async () => {
      server = await boot(listener)
    })
    afterAll(() => server.stop())

    for (const subject of subjects) {
      const { name, result, ways } = subject
      for (const way of ways.filter((way) => way !== "never ends")) {
        it(`${name} that ${way}, on ${listener}`, async () => {
          misbehave({ subject: name, way })
          try {
            const [reply, id] = await ask(server, subject)
            await until(`The call of ${name}`, () => calls() > 0)
            if (result === "told" || way === "waits") isWell(subject, reply)
            else isProblem(reply, 500, "INTERNAL_ERROR", id)
            if (way !== "waits") await isLogged(server, id, way)
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
    for (const subject of subjects.filter(({ ways }) => ways.includes("never ends"))) {
      const { init, name, path, stopped } = subject
      it(`${name} that never ends, on ${listener}`, async () => {
        const server = await boot(listener)
        misbehave({ subject: name, way: "never ends" })
        try {
          if (stopped === "answered") {
            const [reply] = await ask(server, subject)
            isWell(subject, reply)
            await until(`The call of ${name}`, () => calls() > 0)
            return
          }
          if (stopped === "unavailable") {
            const client = new AbortController()
            const id = nextId()
            const left = server.send(id, path, { ...init, signal: client.signal })
            await Promise.race([left, until(`The call of ${name}`, () => calls() > 0)])
            client.abort()
            await arrives("The end of the request", Promise.allSettled([left]))
            await until("The status of a client that went away", () =>
              server.told(id).every(([status]) => status === 499)
            )
          }
          const before = calls()
          const id = nextId()
          const cut = server.send(id, path, init)
          await Promise.race([cut, until(`The next call of ${name}`, () => calls() > before)])
          const [reply] = await Promise.all([cut, server.stop()])
          if (stopped === "unavailable") isProblem(reply, 503, "SERVICE_UNAVAILABLE", id)
        } finally {
          await server.stop().finally(() => misbehave())
        }
      })
    }
  })
}
