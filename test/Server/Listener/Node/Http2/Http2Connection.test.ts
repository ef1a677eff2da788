import { once } from "node:events"
import { connect } from "node:tls"
import { queryObjects } from "node:v8"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Http2Connection } from "../../../../../src/Server/Listener/Node/Http2/Http2Connection.ts"
import { boot } from "../Tls/rig.ts"

/** Agrees on HTTP/2, sends something else, and is gone. */
const breakOff = (url: string) =>
  Effect.promise(async () => {
    const { hostname, port } = new URL(url)
    const options = { host: hostname, port: Number(port), rejectUnauthorized: false }
    const socket = connect({ ...options, ALPNProtocols: ["h2"] })
    socket.on("error", () => {})
    await once(socket, "secureConnect")
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    socket.destroy()
  })

// It collects the heap, and counts what is left.
const connections = () => queryObjects(Http2Connection, { format: "count" })

describe("a connection of HTTP/2", () => {
  it.live("leaves nothing in memory if its client sends no HTTP/2 and disconnects", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* boot({ selfSigned: ["localhost"] })
        for (let i = 0; i < 20; i++) yield* breakOff(url)
        // The prototype counts too, and the last connection may not have ended.
        while (connections() > 5) yield* Effect.sleep(50)
        assert.isAtMost(connections(), 5)
      })
    )
  )
})
