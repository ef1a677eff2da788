/**
 * What a request leaves in the old space of V8, which only a full collection empties. There is the closure of
 * each `object.name = () => ...` and of each field of a class that is a function. Such a closure, also an unused one, keeps
 * all that its function sees, and so does the table of a `Set` or `Map` that was replaced; see `Bag`.
 */
import { once } from "node:events"
import * as Net from "node:net"
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { Plugin, Route } from "flange"
import * as Timeout from "flange/Timeout"
import { assert, describe, it } from "vitest"
import { boot } from "../counted.ts"

setFlagsFromString("--expose-gc")
const collect: (options: { readonly type: "major" | "minor" }) => void = runInNewContext("gc")

const oldSpace = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === "old_space")!.space_used_size

class Api extends HttpApiGroup.make("api").add(
  HttpApiEndpoint.post("echo", "/echo", { payload: Schema.Json, success: Schema.Json }),
  HttpApiEndpoint.get("later", "/later", { success: Schema.String }),
  HttpApiEndpoint.get("now", "/now", { success: Schema.String }),
  HttpApiEndpoint.get("timed", "/timed", { success: Schema.String }).annotate(
    Timeout.Timeout,
    "1 minute"
  )
) {}

const later = Effect.as(Effect.yieldNow, "later")

const App = Plugin.make("test:api", {
  routes: [
    Route.public(Api, (handlers) =>
      handlers.handleAll({
        echo: ({ payload }) => Effect.as(Effect.yieldNow, payload),
        later: () => later,
        now: () => Effect.succeed("now"),
        timed: () => later
      })
    )
  ]
})

const requests = {
  echo: "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
  later: "GET /later HTTP/1.1\r\nHost: a\r\n\r\n",
  now: "GET /now HTTP/1.1\r\nHost: a\r\n\r\n",
  timed: "GET /timed HTTP/1.1\r\nHost: a\r\n\r\n"
}

/** Sends a request many times, each after the reply to the one before. */
const send = async (socket: Net.Socket, request: string, count: number): Promise<void> => {
  for (let i = 0; i < count; i++) {
    socket.write(request)
    await once(socket, "data")
  }
}

describe.each(["node", "proxied"] as const)("the old space, on the listener %s", (listener) => {
  it.each(Object.entries(requests))("keeps nothing of a request of %s", async (_, request) => {
    const app = await boot(listener, [Timeout.plugin, App])
    const socket = Net.connect(Number(new URL(app.url).port), "127.0.0.1")
    try {
      await once(socket, "connect")
      await send(socket, request, 2000)
      collect({ type: "major" })
      const before = oldSpace()
      await send(socket, request, 2000)
      collect({ type: "minor" })
      collect({ type: "minor" })
      // What belongs to one request is more than 3 000 bytes.
      assert.isBelow((oldSpace() - before) / 2000, 500)
    } finally {
      socket.destroy()
      await app.stop()
    }
  })
})
