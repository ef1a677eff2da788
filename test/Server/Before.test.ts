import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { RouteContext } from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import { Catalogue, Middleware, Plugin } from "flange"
import { TestApp } from "flange/Testing"
import { both, type Running, usual } from "./codecs.ts"
import { appWith, before, json, Tenant, wrap } from "./codecsApi.ts"

const gone = HttpServerResponse.text("gone", { status: 410 })

/** What a client and an observer see of one request. */
const summary =
  (path: string, init?: RequestInit) =>
  async ({ send, told }: Running) => {
    const { body, status } = await send(path, init)
    return [status, body, told.map((one) => one.status)]
  }

/** Lets a request pass, at once or after a while. */
const passes: ReadonlyArray<Middleware.Before> = [
  () => Middleware.pass,
  () => Effect.as(Effect.sleep(1), undefined),
  () => Effect.flatMap(Effect.yieldNow, () => Middleware.pass),
  () => Effect.suspend(() => Middleware.pass)
]

describe("a before", () => {
  it("lets a request pass, at once or after a while", async () => {
    for (const pass of passes) {
      const app = () => appWith(before(pass), before(pass))
      assert.deepStrictEqual(await both(app, summary("/text/ada")), [200, '"ada"', [200]])
      assert.deepStrictEqual(await both(app, summary("/write", json("waited"))), [
        200,
        '"waited"',
        [200]
      ])
      assert.deepStrictEqual((await both(app, summary("/conflict")))[0], 409)
      assert.deepStrictEqual((await both(app, summary("/defect")))[0], 500)
    }
  })

  it("answers in the place of the handler, at once or after a while", async () => {
    for (const wait of [Effect.void, Effect.sleep(1), Effect.yieldNow]) {
      const app = () => appWith(before(() => Effect.as(wait, gone)))
      assert.deepStrictEqual(await both(app, summary("/defect")), [410, "gone", [410]])
    }
  })

  it("goes on when what it waits for comes", async () => {
    const result = await both(
      () => {
        const door = Deferred.makeUnsafe<void>()
        return appWith(
          before(({ target }) =>
            Effect.as(
              target === "/text/opens" ? Deferred.succeed(door, undefined) : Deferred.await(door),
              undefined
            )
          )
        )
      },
      async ({ send }) => {
        const order: Array<string> = []
        await Promise.all(
          ["waits", "opens"].map(async (name) => order.push((await send(`/text/${name}`)).body))
        )
        return order.sort()
      }
    )
    assert.deepStrictEqual(result, ['"opens"', '"waits"'])
  })

  it("that is not for a route leaves it alone", async () => {
    const some = Middleware.before("some", {
      build: Effect.succeed(({ path }) =>
        path === "/tenant" ? () => Effect.succeed(gone) : undefined
      ),
      slot: "Custom"
    })
    assert.deepStrictEqual((await both(() => appWith(some), summary("/tenant")))[0], 410)
    assert.deepStrictEqual((await both(() => appWith(some), summary("/text/ada")))[0], 200)
  })

  it("is asked in the order of slots and plugins, until one answers", async () => {
    const asked = await both(() => {
      const seen: Array<string> = []
      const says = (name: string, slot?: Middleware.Slot) =>
        before(() => {
          seen.push(name)
          return Middleware.pass
        }, slot)
      return appWith(
        says("custom"),
        says("transaction", "Transaction"),
        says("transport", "TransportSecurity"),
        says("authentication", "Authentication"),
        says("logging", "Logging"),
        before(({ target }) =>
          target === "/tenant"
            ? Effect.succeed(HttpServerResponse.text(seen.join()))
            : Middleware.pass
        ),
        before(() => Effect.die("asked"))
      )
    }, summary("/tenant"))
    // A public route has no slot Authentication.
    assert.deepStrictEqual(asked, [200, "transport,logging,transaction,custom", [200]])
  })

  it("stands with what wraps in the order of the plugins", async () => {
    const order = await both(
      () => {
        const seen: Array<string> = []
        const says = (name: string) =>
          before(() => {
            seen.push(name)
            return Middleware.pass
          })
        const wraps = (name: string) =>
          wrap((next) =>
            Effect.suspend(() => {
              seen.push(`${name} in`)
              return Effect.map(next, (response) => {
                seen.push(`${name} out`)
                return HttpServerResponse.setHeader(response, "x-seen", seen.join())
              })
            })
          )
        return appWith(says("a"), wraps("b"), says("c"), wraps("d"), says("e"))
      },
      async ({ send }) => (await send("/text/ada")).headers["x-seen"]
    )
    assert.strictEqual(order, "a,b in,c,d in,e,d out,b out")
  })

  it("has the request, and the route's parameters", async () => {
    const seen = await both(
      () =>
        appWith(
          before((request) =>
            Effect.succeed(
              HttpServerResponse.jsonUnsafe({
                header: request.header("x-sent"),
                none: request.header("x-none"),
                method: request.method,
                own: request.request.headers["x-sent"],
                params: request.find(RouteContext)?.params,
                peer: request.peer,
                requestId: request.requestId,
                target: request.target,
                tenant: request.get(Tenant),
                url: request.request.url
              })
            )
          )
        ),
      async ({ send }) =>
        JSON.parse((await send("/text/ada?q=1", { headers: { "x-sent": "1" } })).body)
    )
    assert.deepStrictEqual(seen, {
      header: "1",
      method: "GET",
      own: "1",
      params: { name: "ada" },
      ...(usual !== "memory" && { peer: "127.0.0.1" }),
      requestId: "r-1",
      target: "/text/ada?q=1",
      tenant: "nobody",
      url: "/text/ada?q=1"
    })
  })

  it("stands before a HEAD as before a GET", async () => {
    const app = () =>
      appWith(before(({ method }) => (method === "HEAD" ? Effect.succeed(gone) : Middleware.pass)))
    const head = { method: "HEAD" }
    assert.deepStrictEqual(await both(app, summary("/text/ada", head)), [410, "", [410]])
    assert.deepStrictEqual(
      await both(() => appWith(before(() => Middleware.pass)), summary("/text/ada", head)),
      [200, "", [200]]
    )
  })

  it("stands before requests that no route takes, and not before bare routes", async () => {
    const statuses = await both(
      () =>
        appWith(
          before(({ target }) => (target === "/pass" ? Middleware.pass : Effect.succeed(gone))),
          before(() => Effect.succeed(HttpServerResponse.empty({ status: 418 })), "Authentication")
        ),
      async ({ send, told }) => [
        (await send("/nowhere")).status,
        (await send("/text/ada", { method: "DELETE" })).status,
        (await send("/pass")).status,
        (await send("/live")).status,
        told
      ]
    )
    const fields = {}
    assert.deepStrictEqual(statuses, [
      410,
      410,
      404,
      200,
      [
        { fields, status: 410 },
        { fields, status: 410 },
        { fields, status: 404 }
      ]
    ])
  })

  it("writes fields for whoever is told of the reply", async () => {
    const told = await both(
      () =>
        appWith(
          before((request) => {
            request.annotate({ a: 1, b: "first" })
            return Middleware.pass
          }),
          before((request) => {
            request.annotate({ b: "second" })
            return Effect.as(Effect.sleep(1), request.target === "/tenant" ? gone : undefined)
          })
        ),
      async ({ send, told }) => {
        for (const path of ["/text/ada", "/tenant", "/defect"]) await send(path)
        return told
      }
    )
    const fields = { a: 1, b: "second" }
    assert.deepStrictEqual(
      told,
      [200, 410, 500].map((status) => ({ fields, status }))
    )
  })
})

describe("a before on the clock of its request", () => {
  const Traced = Plugin.make("test:traced", {
    layer: Layer.succeed(
      Tracer.Tracer,
      Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })
    )
  })
  for (const [tracing, plugins] of [
    ["without a tracer", []],
    ["with a tracer", [Traced]]
  ] as const) {
    it.effect(`tells the time and waits by it, ${tracing}`, () =>
      Effect.gen(function* () {
        const began = Promise.withResolvers<void>()
        const app = appWith(
          before((request) => {
            const came = request.now()
            began.resolve()
            return Effect.map(Effect.sleep("1 minute"), () =>
              HttpServerResponse.text(`${came} ${request.now()}`)
            )
          })
        )
        const test = yield* TestApp.make({ ...app, plugins: [...plugins, ...app.plugins] })
        const start = yield* Clock.currentTimeMillis
        const reply = yield* Effect.forkChild(test.get("/text/ada"))
        // Through a socket, a request takes real time to arrive.
        yield* Effect.promise(() => began.promise)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* Fiber.join(reply)).text, `${start} ${start + 60_000}`)
      })
    )
  }
})

describe("a before that fails", () => {
  const thrown: Middleware.Before = () => {
    throw new Error("thrown")
  }
  const constant = Middleware.headers("constant", {
    build: Effect.succeed(() => ({ "x-constant": "yes" }))
  })
  const sets = before((request) => {
    request.setHeader("x-before", "yes")
    return Middleware.pass
  })

  it("is answered with 500, whether it throws or dies, at once or later", async () => {
    for (const broken of [
      thrown,
      () => Effect.die(new Error("dead")),
      () => Effect.andThen(Effect.sleep(1), Effect.die("dead later"))
    ]) {
      const result = await both(
        () => appWith(constant, sets, before(broken)),
        async ({ send, told }) => [await send("/text/ada"), told]
      )
      const body = JSON.stringify({
        type: "urn:problem:internal-error",
        title: "Internal error",
        status: 500,
        detail: "The server could not complete the request",
        instance: "/text/ada",
        code: "INTERNAL_ERROR",
        correlationId: "r-1"
      })
      assert.deepStrictEqual(result, [
        {
          body,
          headers: {
            "content-length": String(body.length),
            "content-type": "application/problem+json",
            "x-before": "yes",
            "x-constant": "yes",
            "x-request-id": "r-1"
          },
          status: 500
        },
        [{ fields: {}, status: 500 }]
      ])
    }
  })

  it("is answered with the error that it dies of, where that is one for clients", async () => {
    const reply = await both(
      () =>
        appWith(
          constant,
          before(() => Effect.die(new Catalogue.ServiceUnavailable()))
        ),
      ({ send }) => send("/text/ada")
    )
    assert.strictEqual(reply.status, 503)
    assert.strictEqual(JSON.parse(reply.body).correlationId, "r-1")
    assert.strictEqual(reply.headers["x-constant"], "yes")
  })

  it("is answered with 500 inside of what wraps, too, which is not asked for its part", async () => {
    const [reply, told] = await both(
      () =>
        appWith(
          constant,
          sets,
          wrap((next) => Effect.map(next, HttpServerResponse.setHeader("x-wrap", "yes"))),
          sets,
          before(thrown)
        ),
      async ({ send, told }) => [await send("/text/ada"), told] as const
    )
    assert.strictEqual(reply.status, 500)
    assert.deepInclude(reply.headers, { "x-before": "yes", "x-constant": "yes" })
    assert.isUndefined(reply.headers["x-wrap"])
    assert.deepStrictEqual(told, [{ fields: {}, status: 500 }])
  })

  it("is interrupted when the client goes away", async () => {
    for (const app of [
      () => appWith(before(() => Effect.as(Effect.sleep("1 hour"), undefined))),
      () =>
        appWith(
          wrap((next) => next),
          before(() => Effect.never)
        )
    ]) {
      // A client with a socket gets no reply.
      const result = await both(
        app,
        async ({ send, told }) => {
          const client = new AbortController()
          const reply = send("/text/ada", { signal: client.signal })
          await Effect.runPromise(Effect.sleep(1))
          client.abort()
          const { status } = await reply
          while (told.length === 0) await Effect.runPromise(Effect.sleep(1))
          return [status, told]
        },
        "memory"
      )
      assert.deepStrictEqual(result, [499, [{ fields: {}, status: 499 }]])
    }
  })

  it("is interrupted when the app stops", async () => {
    for (const place of ["node", "proxied"] as const) {
      let asked = Promise.withResolvers<void>()
      const [reply, told] = await both(
        () => {
          asked = Promise.withResolvers()
          return appWith(
            constant,
            sets,
            before(() => {
              asked.resolve()
              return Effect.never
            })
          )
        },
        async ({ send, stop, told }) => {
          const reply = send("/text/ada")
          await asked.promise
          await stop()
          return [await reply, told] as const
        },
        place
      )
      assert.strictEqual(JSON.parse(reply.body).code, "SERVICE_UNAVAILABLE")
      assert.deepInclude(reply.headers, {
        "x-before": "yes",
        "x-constant": "yes",
        "x-request-id": "r-1"
      })
      assert.deepStrictEqual(told, [{ fields: {}, status: 503 }])
    }
  })
})

describe("what a before provides", () => {
  const provides =
    (tenant: string): Middleware.Before =>
    (request) => {
      request.provide(Tenant, tenant)
      return Middleware.pass
    }
  const reads = before((request) =>
    request.target === "/text/ada"
      ? Effect.succeed(HttpServerResponse.text(`${request.get(Tenant)},${request.find(Tenant)}`))
      : Middleware.pass
  )

  it("the handler has, of two the later", async () => {
    const app = () => appWith(before(provides("outer")), before(provides("inner")))
    assert.deepStrictEqual(await both(app, summary("/tenant")), [200, '"inner"', [200]])
  })

  it("the handler has where something wraps, or is waited for", async () => {
    for (const between of [
      wrap((next) => next),
      before(() => Effect.as(Effect.sleep(1), undefined)),
      before(() => Effect.as(Effect.yieldNow, undefined))
    ]) {
      const app = () => appWith(before(provides("outer")), between)
      assert.deepStrictEqual(await both(app, summary("/tenant")), [200, '"outer"', [200]])
    }
  })

  it("a later before has, and its own", async () => {
    assert.deepStrictEqual(
      await both(() => appWith(before(provides("a")), reads), summary("/text/ada")),
      [200, "a,a", [200]]
    )
    assert.deepStrictEqual(
      await both(
        () =>
          appWith(
            wrap((next) => next),
            before((request) => {
              request.provide(Tenant, "own")
              return Effect.succeed(HttpServerResponse.text(request.get(Tenant)))
            })
          ),
        summary("/text/ada")
      ),
      [200, "own", [200]]
    )
  })

  it("an inner wrap has, and an outer one has not", async () => {
    const shows = (header: string) =>
      wrap((next) =>
        Effect.flatMap(Tenant, (tenant) =>
          Effect.map(next, HttpServerResponse.setHeader(header, tenant))
        )
      )
    const headers = await both(
      () => appWith(shows("x-outer"), before(provides("a")), shows("x-inner"), reads),
      async ({ send }) => {
        const { body, headers } = await send("/text/ada")
        return [body, headers["x-outer"], headers["x-inner"]]
      }
    )
    assert.deepStrictEqual(headers, ["a,a", "nobody", "a"])
  })

  it("may be what every request has, such as annotations and the level of its log", async () => {
    for (const between of [
      [],
      [wrap((next) => next)],
      [before(() => Effect.as(Effect.sleep(1), undefined))]
    ]) {
      const result = await both(
        () =>
          appWith(
            before(() =>
              Effect.as(
                Effect.suspend(() => Effect.void),
                undefined
              )
            ),
            before((request) => {
              request.provide(References.MinimumLogLevel, "Debug")
              request.provide(References.CurrentLogAnnotations, { tenant: "a" })
              return Middleware.pass
            }),
            ...between,
            before(() =>
              Effect.withFiber((fiber) =>
                Effect.succeed(
                  HttpServerResponse.jsonUnsafe([
                    fiber.getRef(References.MinimumLogLevel),
                    fiber.cache.minimumLogLevel,
                    fiber.getRef(References.CurrentLogAnnotations)
                  ])
                )
              )
            )
          ),
        async ({ send }) => JSON.parse((await send("/text/ada")).body)
      )
      assert.deepStrictEqual(result, ["Debug", "Debug", { tenant: "a" }])
    }
  })
})
