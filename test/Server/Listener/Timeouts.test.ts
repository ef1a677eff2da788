import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { Plugin, Route } from "flange"
import { assert, it } from "vitest"
import { boot } from "../counted.ts"

class NothingApi extends HttpApiGroup.make("nothing").add(
  HttpApiEndpoint.get("nothing", "/nothing")
) {}

const Nothing = Plugin.make("test:nothing", {
  routes: [Route.public(NothingApi, (handlers) => handlers.handle("nothing", () => Effect.void))]
})

it.each(["node", "proxied"] as const)(
  "server.headersTimeout may be longer than server.requestTimeout on %s",
  async (name) => {
    const app = await boot(name, [Nothing], {
      headersTimeout: "10 minutes",
      requestTimeout: "1 minute"
    })
    assert.strictEqual((await app.ask("/nothing")).status, 204)
    await app.stop()
  }
)
