import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Problem from "../../../../src/Server/Exchange/Problem.ts"
import * as UpgradableRequest from "../../../../src/Server/Listener/Fetch/UpgradableRequest.ts"

it.effect("a handshake that the runtime refuses is answered with what cannot be upgraded", () =>
  Effect.gen(function* () {
    const request = UpgradableRequest.make(new Request("http://a/"), {
      remoteAddress: undefined,
      target: "/",
      upgrade: () => {
        throw new TypeError("Invalid Header: 'sec-websocket-version' must be 13")
      }
    })
    const cause = yield* Effect.flip(Effect.sandbox(request.upgrade))
    const about = { bodyLimit: 0, requestId: "id", target: "/" }
    const reply = HttpServerResponse.toWeb(yield* Problem.fromCause(cause, about))
    assert.strictEqual(reply.status, 400)
    assert.strictEqual(reply.headers.get("sec-websocket-version"), "13")
    assert.include(yield* Effect.promise(() => reply.text()), "The connection cannot be upgraded")
  })
)
