/** What a client that guesses credentials gets, on real sockets. */
import { scrypt } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { App } from "flange"
import * as Auth from "flange/Auth"
import * as RateLimit from "flange/RateLimit"
import { TestApp } from "flange/Testing"
import { listener } from "../../matrix/combination.ts"
import { appWith, GreetPlugin, OrdersPlugin, StatusPlugin } from "./fixtures.ts"
import { audience, claims, hmac, issuer, now, secret } from "./Jwt/tokens.ts"

const right = Redacted.make("correct horse")

let checked = 0
const users = Auth.users([{ password: right, username: "ada" }])

/** How a validator comes to its answer. */
const validators: Readonly<Record<string, Auth.ValidatePassword>> = {
  "at once": (sent) => {
    checked++
    return users(sent)
  },
  "in another thread": (sent) =>
    Effect.callback((resume) => {
      checked++
      scrypt(Redacted.value(sent.password), "salt", 16, { N: 1024 }, () =>
        resume(
          Effect.succeed(
            Redacted.value(sent.password) === Redacted.value(right)
              ? Option.some({ subject: "ada" })
              : Option.none()
          )
        )
      )
    }),
  "without a fiber": (sent) => {
    checked++
    return Effect.succeed(
      Redacted.value(sent.password) === Redacted.value(right)
        ? Option.some({ subject: "ada" })
        : Option.none()
    )
  }
}

const basic = (password: string) => `Basic ${Buffer.from(`ada:${password}`).toString("base64")}`

const headers = (authorization: string | undefined, from = "198.51.100.1") => ({
  headers: {
    ...(authorization === undefined ? {} : { authorization }),
    "x-forwarded-for": from
  }
})

const server = { trustedProxies: ["127.0.0.0/8"] }

const listening = (
  chain: Auth.Chain<unknown>,
  config: { readonly guessing?: object; readonly server?: object } = {}
) =>
  Effect.gen(function* () {
    const audit = Auth.AuditLog.memory()
    const app = App.make("guessed", [
      audit.plugin,
      Auth.plugin({
        default: { ...chain, mode: "anonymous" } as Auth.Chain<never, never, "anonymous">
      }),
      RateLimit.plugin,
      StatusPlugin,
      OrdersPlugin,
      GreetPlugin
    ])
    const test = yield* TestApp.listening(app, {
      config: { server, ...config } as never
    })
    const reply = (authorization?: string, from?: string, path = "/me") =>
      test.get(path, headers(authorization, from))
    const status = (authorization?: string, from?: string, path?: string) =>
      Effect.map(reply(authorization, from, path), ({ status }) => status)
    return { audit, reply, status, test }
  })

const chainOf = (validate: Auth.ValidatePassword) => Auth.chain([Auth.basic({ validate })])

const tally = (statuses: ReadonlyArray<number>) =>
  Object.fromEntries(
    [...Map.groupBy(statuses, (status) => status)].map(([status, all]) => [status, all.length])
  )

const times = <A>(n: number, effect: (i: number) => A) =>
  Array.from({ length: n }, (_, i) => effect(i))

for (const listener of ["node", "proxied"]) {
  describe.each(Object.entries(validators))(
    `guesses on ${listener}, checked %s,`,
    (_name, validate) => {
      // Nothing is forgiven while a test runs.
      const boot = (guessing: object = {}) =>
        listening(chainOf(validate), {
          guessing: { window: "1 hour", ...guessing },
          server: { ...server, listener }
        })

      it.live("are answered with 429 beyond the limit, before they are checked", () =>
        Effect.gen(function* () {
          const { audit, reply, status } = yield* boot()
          const before = checked
          const statuses = yield* Effect.forEach(
            times(60, (i) => `wrong-${i}`),
            (password) => status(basic(password))
          )
          assert.deepStrictEqual(tally(statuses), { 401: 10, 429: 50 })
          assert.deepStrictEqual(new Set(statuses.slice(0, 10)), new Set([401]))
          assert.strictEqual(checked - before, 10)
          const refused = yield* reply(basic("wrong"))
          refused
            .expectProblem("RATE_LIMITED", 429)
            .expectHeader("retry-after", /^3\d\d$/)
            .expectHeader("cache-control", "no-store")
          assert.strictEqual(audit.events.at(-1)?.outcome, "denied")
          assert.strictEqual(audit.events.at(-1)?.clientIp, "198.51.100.1")
        })
      )

      it.live("are as few if they come at once", () =>
        Effect.gen(function* () {
          const { status } = yield* boot({ limit: 5 })
          const before = checked
          const statuses = yield* Effect.all(
            times(60, (i) => status(basic(`wrong-${i}`))),
            {
              concurrency: "unbounded"
            }
          )
          assert.deepStrictEqual(tally(statuses), { 401: 5, 429: 55 })
          assert.strictEqual(checked - before, 5)
        })
      )

      it.live("do not count if they are right, however many come at once", () =>
        Effect.gen(function* () {
          const { status } = yield* boot({ limit: 3 })
          const good = yield* Effect.all(
            times(60, () => status(basic("correct horse"))),
            {
              concurrency: "unbounded"
            }
          )
          assert.deepStrictEqual(tally(good), { 200: 60 })
          const mixed = yield* Effect.all(
            times(40, (i) => status(basic(i % 20 === 0 ? "wrong" : "correct horse"))),
            { concurrency: "unbounded" }
          )
          assert.deepStrictEqual(tally(mixed), { 200: 38, 401: 2 })
        })
      )

      it.live("of one address do not shut out another; at that address nobody is checked", () =>
        Effect.gen(function* () {
          const { status } = yield* boot({ limit: 2 })
          for (let i = 0; i < 3; i++) yield* status(basic("wrong"))
          assert.strictEqual(yield* status(basic("correct horse")), 429)
          assert.strictEqual(yield* status(basic("correct horse"), "198.51.100.2"), 200)
          assert.strictEqual(yield* status(basic("wrong"), "198.51.100.2"), 401)
        })
      )

      it.live("do not shut out requests without credentials, which do not count", () =>
        Effect.gen(function* () {
          const { status } = yield* boot({ limit: 2 })
          for (let i = 0; i < 20; i++) assert.strictEqual(yield* status(), 401)
          assert.strictEqual(yield* status(basic("correct horse")), 200)
          for (let i = 0; i < 3; i++) yield* status(basic("wrong"))
          assert.strictEqual(yield* status(), 401)
          assert.strictEqual(yield* status(undefined, undefined, "/greet"), 200)
          assert.strictEqual(yield* status(undefined, undefined, "/status"), 200)
          assert.strictEqual(yield* status(basic("wrong"), undefined, "/status"), 200)
          assert.strictEqual(yield* status(basic("wrong"), undefined, "/greet"), 429)
        })
      )

      it.live("are forgiven with time", () =>
        Effect.gen(function* () {
          const { status } = yield* boot({ limit: 1, window: "500 millis" })
          for (let i = 0; i < 10; i++) yield* status(basic("wrong"))
          while ((yield* status(basic("correct horse"))) === 429) yield* Effect.sleep("20 millis")
        })
      )
    }
  )
}

describe("guesses", () => {
  const strict = { guessing: { limit: 3, window: "1 hour" } }
  const token = Redacted.make("a-long-random-token")
  const jwt = Auth.jwt({ audience, issuer, keys: Auth.secret(secret) })

  const kinds: ReadonlyArray<
    readonly [string, Auth.Chain<unknown>, (i: number) => Record<string, string>]
  > = [
    [
      "API keys",
      Auth.chain([
        Auth.apiKey({ validate: Auth.keys([{ identity: { subject: "a" }, key: token }]) })
      ]),
      (i) => ({ "x-api-key": `wrong-${i}` })
    ],
    [
      "static tokens",
      Auth.chain([Auth.bearer([{ identity: { subject: "a" }, token }])]),
      (i) => ({ authorization: `Bearer wrong-${i}` })
    ],
    [
      "signed tokens",
      Auth.chain([jwt]),
      (i) => ({ authorization: `Bearer ${hmac(claims(), { key: `${i}`.padEnd(40, "x") })}` })
    ],
    ["malformed credentials", Auth.chain([jwt]), () => ({ authorization: "Bearer x" })],
    [
      "credentials that come twice",
      Auth.chain([jwt]),
      () => ({ authorization: "Bearer x, Bearer y" })
    ],
    [
      "credentials of a backend of one's own",
      Auth.chain([
        Auth.backend({
          authenticate: ({ headers }) =>
            headers["x-mesh"] === undefined
              ? Effect.succeed(Auth.Skip)
              : Effect.fail(new Auth.CredentialsRejected({ reason: "unknown" })),
          name: "mesh"
        })
      ]),
      () => ({ "x-mesh": "a" })
    ],
    [
      "cookies",
      Auth.chain([Auth.apiKey({ source: Auth.cookie("s"), validate: Auth.keys([]) })]),
      () => ({ cookie: "s=wrong" })
    ],
    [
      "several kinds in turn",
      Auth.chain([Auth.apiKey({ validate: Auth.keys([]) }), jwt]),
      (i): Record<string, string> =>
        i % 2 === 0 ? { "x-api-key": "wrong" } : { authorization: "Bearer wrong" }
    ]
  ]
  it.live.each(kinds)("are counted whatever they are: %s", ([_name, chain, sent]) =>
    Effect.gen(function* () {
      const { status, test } = yield* listening(chain, strict)
      const statuses = yield* Effect.forEach(times(8, sent), (headers) =>
        Effect.map(
          test.get("/me", { headers: { ...headers, "x-forwarded-for": "198.51.100.1" } }),
          (reply) => reply.status
        )
      )
      assert.deepStrictEqual(statuses, [401, 401, 401, 429, 429, 429, 429, 429])
      assert.strictEqual(yield* status(), 401)
    })
  )

  it.live("are no tokens that their issuer made, expired or for another audience", () =>
    Effect.gen(function* () {
      const { status } = yield* listening(Auth.chain([jwt]), strict)
      for (const over of [{ exp: now() - 60 }, { aud: "other" }, { sub: undefined }]) {
        for (let i = 0; i < 5; i++) {
          assert.strictEqual(yield* status(`Bearer ${hmac(claims(over))}`), 401)
        }
      }
      assert.strictEqual(yield* status(`Bearer ${hmac(claims())}`), 200)
    })
  )

  it.live("are not counted while a backend cannot check them", () =>
    Effect.gen(function* () {
      const { status } = yield* listening(
        chainOf(() => Effect.fail(new Auth.BackendUnavailable({ reason: "down" }))),
        strict
      )
      for (let i = 0; i < 6; i++) assert.strictEqual(yield* status(basic("x")), 503)
    })
  )

  it.live("of one IPv6 network of 64 bits count together", () =>
    Effect.gen(function* () {
      const { status } = yield* listening(chainOf(users), strict)
      for (let i = 0; i < 4; i++) yield* status(basic("wrong"), `2001:db8:0:1::${i}`)
      assert.strictEqual(yield* status(basic("correct horse"), "2001:db8:0:1:ffff::9"), 429)
      assert.strictEqual(yield* status(basic("correct horse"), "2001:db8:0:2::1"), 200)
    })
  )

  it.live("cannot be hidden by a header that the client writes itself", () =>
    Effect.gen(function* () {
      const { status } = yield* listening(chainOf(users), { ...strict, server: {} })
      for (let i = 0; i < 4; i++) yield* status(basic("wrong"), `198.51.100.${i}`)
      assert.strictEqual(yield* status(basic("wrong"), "198.51.100.99"), 429)
    })
  )

  it.live("are all checked if counting is switched off", () =>
    Effect.gen(function* () {
      const { status } = yield* listening(chainOf(users), {
        guessing: { enabled: false, limit: 1 }
      })
      for (let i = 0; i < 20; i++) assert.strictEqual(yield* status(basic("wrong")), 401)
    })
  )

  it.live("of clients without an address are not counted, and the log says so once", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(appWith(chainOf(users)).app)
      // A run of the tests on sockets has the address of each client.
      const isKnown = listener !== "web"
      for (let i = 0; i < (isKnown ? 10 : 20); i++) {
        ;(yield* test.get("/me", headers(basic("wrong")))).expectStatus(401)
      }
      const warnings = test.logs.filter(({ message }) => /are not counted/.test(message))
      assert.lengthOf(warnings, isKnown ? 0 : 1)
    })
  )

  it.live("count if their client goes away before the answer", () =>
    Effect.gen(function* () {
      const { status, test } = yield* listening(chainOf(validators["in another thread"]!), strict)
      for (let i = 0; i < 3; i++) {
        const before = checked
        const abort = new AbortController()
        const sent = fetch(`${test.url}/me`, { ...headers(basic("wrong")), signal: abort.signal })
        yield* Effect.sleep("1 millis").pipe(Effect.repeat({ until: () => checked > before }))
        abort.abort()
        yield* Effect.promise(() => sent.catch(() => undefined))
      }
      while ((yield* status(basic("wrong"))) !== 429) yield* Effect.sleep("1 millis")
      assert.strictEqual(yield* status(basic("correct horse")), 429)
    })
  )
})
