import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Middleware } from "flange"
import { assert, describe, it } from "vitest"
import { CurrentExchange } from "../../src/Server/Exchange/Exchange.ts"
import * as PreparedReply from "../../src/Server/Exchange/PreparedReply.ts"
import { both } from "./codecs.ts"
import { appWith, before } from "./codecsApi.ts"

const made = () =>
  HttpServerResponse.text("kept", {
    headers: { link: "</own>", location: "/a b", vary: "accept", "x-own": "own" }
  })

const answering = (response: HttpServerResponse.HttpServerResponse) => {
  const exit = Effect.succeed(response)
  return before(() => exit)
}

const sets = (change: (request: Middleware.Incoming) => void) =>
  before((request) => {
    change(request)
    return Middleware.pass
  })

const constants = Middleware.headers("constant", {
  build: Effect.succeed(({ path }) => ({ vary: "origin", "x-own": "constant", "x-path": path }))
})

const middlewares = {
  "a constant header": [constants],
  "a default header": [
    sets((request) => request.find(CurrentExchange)!.setDefaultHeader("x-before", "1"))
  ],
  "a default header in place of a constant one": [
    constants,
    sets((request) => request.find(CurrentExchange)!.setDefaultHeader("x-path", "before"))
  ],
  "a default header that it has": [
    sets((request) => request.find(CurrentExchange)!.setDefaultHeader("x-own", "before"))
  ],
  "a header that is added": [sets((request) => request.appendHeader("vary", "cookie"))],
  "a header that is set": [sets((request) => request.setHeader("x-before", "1"))],
  "a header that is set in place of a constant one": [
    constants,
    sets((request) => request.setHeader("x-path", "before"))
  ],
  "a header that is set in place of its own": [
    sets((request) => request.setHeader("x-own", "before"))
  ],
  "no other header": [],
  "the request id": [sets((request) => request.setHeader("x-request-id", "other"))]
}

describe("a prepared reply", () => {
  for (const [what, others] of Object.entries(middlewares)) {
    it(`has the headers of one that is not, with ${what}`, async () => {
      const repliesWith = (response: HttpServerResponse.HttpServerResponse) =>
        both(
          () => appWith(...others, answering(response)),
          async ({ send }) => {
            const paths = ["/text/ada", "/json", "/text/ada"]
            const replies = []
            for (const path of paths) replies.push(await send(path))
            return replies
          }
        )
      const expected = await repliesWith(made())
      assert.strictEqual(expected[0]!.headers["x-own"] === undefined, false)
      assert.deepStrictEqual(await repliesWith(PreparedReply.prepare(made())), expected)
    })
  }

  it("is not prepared any more once it is changed", async () => {
    const changed = HttpServerResponse.setHeader(PreparedReply.prepare(made()), "x-own", "changed")
    const { headers } = await both(
      () => appWith(answering(changed)),
      ({ send }) => send("/text/ada")
    )
    assert.strictEqual(headers["x-own"], "changed")
  })
})
