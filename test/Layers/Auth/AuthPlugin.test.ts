import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { App, Authentication, CurrentIdentity, Middleware, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { TestApp } from "flange/Testing"
import { both } from "../../Server/codecs.ts"

const success = Schema.String

class DefaultApi extends HttpApiGroup.make("default").add(
  HttpApiEndpoint.get("default", "/default", { success })
) {}

class PartnerApi extends HttpApiGroup.make("partner").add(
  HttpApiEndpoint.get("partner", "/partner", { success })
) {}

/** Names its chain in the contract, though `Route.protectedWith` adds it as well. */
class NamedApi extends HttpApiGroup.make("named")
  .add(HttpApiEndpoint.get("named", "/named", { success }))
  .middleware(Authentication.middleware("partner")) {}

/** Is authenticated by one chain in the slot, and by another in its contract. */
class TwiceApi extends HttpApiGroup.make("twice")
  .add(HttpApiEndpoint.get("twice", "/twice", { success }))
  .middleware(Authentication.Default) {}

const subject = () => CurrentIdentity.useSync((identity) => identity.subject)

const Routes = Plugin.make("test:routes", {
  routes: [
    Route.protected(DefaultApi, (handlers) => handlers.handleAll({ default: subject })),
    Route.protectedWith("partner")(PartnerApi, (handlers) =>
      handlers.handleAll({ partner: subject })
    ),
    Route.protectedWith("partner")(NamedApi, (handlers) => handlers.handleAll({ named: subject })),
    Route.protectedWith("partner")(TwiceApi, (handlers) => handlers.handleAll({ twice: subject }))
  ]
})

const paths = ["/default", "/partner", "/named", "/twice"] as const

const as = (key: string) => ({ headers: { "x-api-key": key } })

/** An app whose chains know one key, which of them were asked, and whom the slot `RateLimit` saw. */
const known = (key: string) => {
  const asked: Array<string> = []
  const seen: Array<string | undefined> = []
  const chain = (name: string) =>
    Auth.chain([
      Auth.apiKey({
        validate: (sent) =>
          Effect.sync(() => {
            asked.push(name)
            return Redacted.value(sent) === key ? Option.some({ subject: name }) : Option.none()
          })
      })
    ])
  const plugin = Auth.plugin({ chains: { partner: chain("partner") }, default: chain("default") })
  const See = Plugin.make("test:see", {
    middleware: [
      Middleware.before("see", {
        build: Effect.succeed(() => (request) => {
          seen.push(request.get(Authentication.CurrentCaller)?.chain)
          return Middleware.pass
        }),
        slot: "RateLimit"
      })
    ]
  })
  return { app: () => App.make("app", [plugin, Routes, See]), asked, plugin, seen }
}

describe("chains of one name in two apps of a process", () => {
  it("know their own callers only, in the slot and in the contract", async () => {
    const [ada, bob] = [known("ada"), known("bob")]
    const statuses = await both(ada.app, (one) =>
      both(bob.app, async (other) => {
        const statuses: Array<readonly [path: string, ...ReadonlyArray<number>]> = []
        for (const path of paths) {
          const status = async (app: typeof one, key: string) =>
            (await app.send(path, as(key))).status
          statuses.push([
            path,
            await status(one, "ada"),
            await status(other, "ada"),
            await status(one, "bob"),
            await status(other, "bob")
          ])
        }
        return statuses
      })
    )
    assert.deepStrictEqual(
      statuses,
      paths.map((path) => [path, 200, 401, 401, 200])
    )
  })
})

describe("a request", () => {
  it("is authenticated once by each chain, whether slot, contract or both name it", async () => {
    const { app, asked } = known("ada")
    const chains = await both(app, async ({ send }) => {
      const chains: Record<string, ReadonlyArray<string>> = {}
      for (const path of paths) {
        await send(path, as("ada"))
        chains[path] = asked.splice(0)
      }
      return chains
    })
    assert.deepStrictEqual(chains, {
      "/default": ["default"],
      "/named": ["partner"],
      "/partner": ["partner"],
      "/twice": ["partner", "default"]
    })
  })

  it("is authenticated once by a service that is not the battery's", async () => {
    const asked: Array<string> = []
    const own =
      (name: string): HttpApiMiddleware.HttpApiMiddleware<CurrentIdentity, never, never> =>
      (next) =>
        Effect.suspend(() => {
          asked.push(name)
          return Effect.provideService(next, CurrentIdentity, Auth.identity({ subject: name }))
        })
    const Own = Plugin.make("test:own", {
      layer: Layer.mergeAll(
        Layer.succeed(Authentication.Default, own("default")),
        Layer.succeed(Authentication.middleware("partner"), own("partner"))
      ),
      provides: [Authentication.Default, Authentication.middleware("partner")]
    })
    const replies = await both(
      () => App.make("app", [Own, Routes]),
      async ({ send }) => {
        const { body } = await send("/named")
        return { asked: asked.splice(0), body }
      }
    )
    assert.deepStrictEqual(replies, { asked: ["partner"], body: '"partner"' })
  })
})

describe("a plugin with several groups behind one chain", () => {
  it("requires the chain once", () => {
    const { app } = known("ada")
    assert.deepStrictEqual(
      App.describe(app()).plugins.find(({ id }) => id === "test:routes")?.requires,
      ["flange/Authentication/default", "flange/Authentication/partner"]
    )
  })
})

describe("a layer in the place of the battery's", () => {
  it.effect("that wraps the middleware of a contract runs the wrapper around it", () =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const { app, asked, plugin } = known("ada")
      const layer = Layer.flatMap(plugin, (services) => {
        const inner = Context.get(services, Authentication.Default)
        const wrapped: typeof inner = (next, contract) => {
          const whole = inner(next, contract)
          return Effect.suspend(() => {
            ran.push(contract.endpoint.path)
            return whole
          })
        }
        return Layer.succeedContext(Context.add(services, Authentication.Default, wrapped))
      })
      const test = yield* TestApp.make(app(), { replace: [["flange:auth", layer]] })
      for (const path of ["/default", "/twice"]) {
        ;(yield* test.get(path, as("ada"))).expectStatus(200)
        ;(yield* test.get(path, as("bob"))).expectStatus(401)
      }
      assert.deepStrictEqual(asked, ["default", "default", "partner", "default", "partner"])
      // The authentication slot refuses before the contract's middleware runs.
      assert.deepStrictEqual(ran, ["/default", "/twice"])
    })
  )

  it.effect("that has the middleware alone authenticates in the contract, after the slots", () =>
    Effect.gen(function* () {
      const { app, asked, plugin, seen } = known("ada")
      const layer = Layer.flatMap(plugin, (services) =>
        Layer.succeedContext(
          Context.pick(Authentication.Default, Authentication.middleware("partner"))(services)
        )
      )
      const test = yield* TestApp.make(app(), { replace: [["flange:auth", layer]] })
      ;(yield* test.get("/default", as("ada"))).expectStatus(200)
      ;(yield* test.get("/default", as("bob"))).expectStatus(401)
      assert.deepStrictEqual(asked, ["default", "default"])
      assert.deepStrictEqual(seen, [undefined, undefined])
    })
  )
})
