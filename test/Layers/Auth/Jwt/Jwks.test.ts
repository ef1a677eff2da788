import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Auth from "flange/Auth"
import { TestApp } from "flange/Testing"
import { appWith, bearer, unguarded } from "../fixtures.ts"
import * as jwksServer from "./jwksServer.ts"
import { audience, claims, hmac, issuer, jwk, pem, rsa, signed } from "./tokens.ts"

const { signer, tokenOf } = jwksServer

/** Exact times are of the virtual clock; tokens live long on it. */
const long = { exp: 10_000_000 }

const behind = (url: string, options: Auth.JwksOptions = {}) =>
  Effect.gen(function* () {
    const { app, audit } = appWith(
      Auth.chain([Auth.jwt({ audience, issuer, keys: Auth.jwks(url, options) })])
    )
    const test = yield* TestApp.make(app, unguarded)
    const status = (token: string) =>
      Effect.map(test.get("/me", bearer(token)), (reply) => reply.status)
    return { audit, status, test }
  })

const waits = (
  test: { readonly logs: ReadonlyArray<{ readonly message: string }> },
  text: RegExp
) => assert.isTrue(test.logs.some(({ message }) => text.test(message)))

describe("a key set by URL", () => {
  it.effect("is fetched once for any number of requests at once", () =>
    Effect.gen(function* () {
      const one = signer("1")
      const server = yield* jwksServer.make(one)
      const { status } = yield* behind(server.url)
      const token = tokenOf(one, long)
      const statuses = yield* Effect.all(
        Array.from({ length: 100 }, () => status(token)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(new Set(statuses), new Set([200]))
      assert.strictEqual(server.requests, 1)
    })
  )

  it.effect("is fetched once for 1000 unknown key ids", () =>
    Effect.gen(function* () {
      const server = yield* jwksServer.make(signer("1"))
      const { status } = yield* behind(server.url)
      const stranger = signer("x")
      const statuses = yield* Effect.forEach(
        Array.from({ length: 1000 }, (_, i) => tokenOf({ ...stranger, kid: `kid-${i}` }, long)),
        status,
        { concurrency: 50 }
      )
      assert.deepStrictEqual(new Set(statuses), new Set([401]))
      assert.strictEqual(server.requests, 1)
    })
  )

  it.effect("is fetched again for an unknown key id after the cooldown, once", () =>
    Effect.gen(function* () {
      const [one, two] = [signer("1"), signer("2")]
      const server = yield* jwksServer.make(one)
      const { status } = yield* behind(server.url, { cooldown: "30 seconds" })
      assert.strictEqual(yield* status(tokenOf(one, long)), 200)
      server.signers = [two]
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(yield* status(tokenOf(two, long)), 401)
      assert.strictEqual(server.requests, 1)
      yield* TestClock.adjust("1 second")
      const statuses = yield* Effect.all(
        Array.from({ length: 50 }, (_, i) =>
          status(tokenOf(i % 2 === 0 ? two : signer("3"), long))
        ),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(statuses.filter((status) => status === 200).length, 25)
      assert.strictEqual(server.requests, 2)
      // The old key is gone with its set.
      assert.strictEqual(yield* status(tokenOf(one, long)), 401)
    })
  )

  it.effect("is fetched again for an unknown key id although the clock was set back", () =>
    Effect.gen(function* () {
      const [one, two] = [signer("1"), signer("2")]
      const server = yield* jwksServer.make(one)
      yield* TestClock.adjust("2 hours")
      const { status } = yield* behind(server.url, { cooldown: "30 seconds" })
      assert.strictEqual(yield* status(tokenOf(one, long)), 200)
      yield* TestClock.setTime(0)
      server.signers = [two]
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* status(tokenOf(two, long)), 200)
    })
  )

  it.effect("is fetched again after its age", () =>
    Effect.gen(function* () {
      const [one, two] = [signer("1"), signer("1")]
      const server = yield* jwksServer.make(one)
      const { status } = yield* behind(server.url, { maxAge: "10 minutes" })
      assert.strictEqual(yield* status(tokenOf(one, long)), 200)
      server.signers = [two]
      yield* TestClock.adjust("599 seconds")
      assert.strictEqual(yield* status(tokenOf(one, long)), 200)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* status(tokenOf(one, long)), 401)
      assert.strictEqual(yield* status(tokenOf(two, long)), 200)
      assert.strictEqual(server.requests, 2)
    })
  )

  it.effect("rotates under load without refusing a valid token", () =>
    Effect.gen(function* () {
      let signers = [signer("0")]
      const server = yield* jwksServer.make(...signers)
      const { status } = yield* behind(server.url, { cooldown: 0, maxAge: "1 minute" })
      const seen = new Map<number, number>()
      for (let round = 1; round <= 8; round++) {
        // As issuers do it: the new key is published beside the old one, then used.
        signers = [...signers.slice(-1), signer(String(round))]
        server.signers = signers
        yield* TestClock.adjust("1 minute")
        const statuses = yield* Effect.all(
          Array.from({ length: 40 }, (_, i) => status(tokenOf(signers[i % 2]!, long))),
          { concurrency: "unbounded" }
        )
        for (const each of statuses) seen.set(each, (seen.get(each) ?? 0) + 1)
      }
      assert.deepStrictEqual([...seen], [[200, 320]])
      assert.isBelow(server.requests, 30)
    })
  )
})

describe("a key set that cannot be had", () => {
  const unavailable = (
    name: string,
    reason: RegExp,
    break_: (server: jwksServer.JwksServer) => Effect.Effect<void>,
    options: Auth.JwksOptions = {}
  ) =>
    it.live(`answers 503, not 401, while it is ${name}`, () =>
      Effect.gen(function* () {
        const one = signer("1")
        const server = yield* jwksServer.make(one)
        yield* break_(server)
        const { audit, test } = yield* behind(server.url, options)
        const reply = yield* test.get("/me", bearer(tokenOf(one)))
        reply.expectProblem("SERVICE_UNAVAILABLE", 503).expectHeader("retry-after", /^\d+$/)
        assert.notInclude(reply.text, "jwks")
        assert.strictEqual(audit.events[0]?.outcome, "error")
        assert.match(audit.events[0]?.reason ?? "", reason)
        waits(test, /could not check a caller/)
      })
    )

  const answering = (answer: jwksServer.JwksServer["answer"]) => (server: jwksServer.JwksServer) =>
    Effect.sync(() => {
      server.answer = answer
    })

  unavailable("down", /cannot be fetched/, (server) => server.close)
  unavailable(
    "slow to begin",
    /did not answer within/,
    answering(() => {}),
    {
      timeout: "50 millis"
    }
  )
  unavailable(
    "slow to end",
    /did not answer within/,
    answering((response) => void response.write("{")),
    { timeout: "50 millis" }
  )
  unavailable(
    "oversized",
    /is longer than 131072 bytes/,
    answering((response) =>
      response.end(JSON.stringify({ keys: [], padding: "x".repeat(200_000) }))
    )
  )
  unavailable(
    "endless",
    /is longer than 131072 bytes/,
    answering((response) => {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(4096)));
        if (!response.destroyed) response.once("drain", more)
      }
      more()
    })
  )
  unavailable(
    "a redirect",
    /redirect \(302\), which is not followed/,
    answering((response) => response.writeHead(302, { location: "/elsewhere" }).end())
  )
  unavailable(
    "an error",
    /answered with status 500/,
    answering((response) => response.writeHead(500).end("no"))
  )
  unavailable(
    "no JSON",
    /is not JSON/,
    answering((response) => response.end("<html>"))
  )
  unavailable(
    "no key set",
    /is malformed/,
    answering((response) => response.end('{"keys":{}}'))
  )

  it.effect("is used past its age while it cannot be fetched, then no more", () =>
    Effect.gen(function* () {
      const one = signer("1")
      const server = yield* jwksServer.make(one)
      const { status, test } = yield* behind(server.url, {
        maxAge: "10 minutes",
        maxStale: "1 hour",
        retryDelay: "5 seconds"
      })
      const token = tokenOf(one, long)
      assert.strictEqual(yield* status(token), 200)
      server.answer = (response) => response.writeHead(500).end()
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* status(token), 200)
      waits(test, /answered with status 500/)
      // No fetch for each request while it is down.
      yield* Effect.forEach(Array.from({ length: 50 }), () => status(token))
      assert.strictEqual(server.requests, 2)
      yield* TestClock.adjust("5 seconds")
      yield* status(token)
      assert.strictEqual(server.requests, 3)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* status(token), 503)
      server.answer = undefined
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* status(token), 200)
    })
  )

  it.live("goes on being fetched when the request that asked for it goes away", () =>
    Effect.gen(function* () {
      const one = signer("1")
      const server = yield* jwksServer.make(one)
      const asked = yield* Deferred.make<void>()
      let release: () => void = () => {}
      server.answer = (response) => {
        release = () => response.end(jwksServer.document([one]))
        Deferred.doneUnsafe(asked, Effect.void)
      }
      const { status } = yield* behind(server.url)
      const first = yield* Effect.forkChild(status(tokenOf(one)))
      yield* Deferred.await(asked)
      const second = yield* Effect.forkChild(status(tokenOf(one)))
      yield* Effect.sleep("20 millis")
      first.interruptUnsafe()
      release()
      assert.strictEqual(yield* Fiber.join(second), 200)
      assert.strictEqual(server.requests, 1)
    })
  )
})

describe("what a key set may hold", () => {
  const publishing = (keys: ReadonlyArray<object>) =>
    Effect.gen(function* () {
      const server = yield* jwksServer.make()
      server.answer = (response) => response.end(JSON.stringify({ keys }))
      return yield* behind(server.url)
    })

  it.live("is never a secret: a published HMAC key verifies nothing", () =>
    Effect.gen(function* () {
      const key = "k".repeat(32)
      const { status } = yield* publishing([
        { alg: "HS256", k: Buffer.from(key).toString("base64url"), kid: "1", kty: "oct" }
      ])
      assert.strictEqual(yield* status(hmac(claims(), { header: { kid: "1" }, key })), 401)
    })
  )

  it.live("is for its own type: an RSA key is no HMAC secret", () =>
    Effect.gen(function* () {
      const pair = rsa()
      const { status } = yield* publishing([jwk(pair.publicKey, { kid: "1" })])
      const token = hmac(claims(), { header: { kid: "1" }, key: pem(pair.publicKey) })
      assert.strictEqual(yield* status(token), 401)
      const good = signed(claims(), pair, { alg: "RS256", kid: "1" })
      assert.strictEqual(yield* status(good), 200)
    })
  )

  it.live("is for signatures: an encryption key verifies nothing", () =>
    Effect.gen(function* () {
      const pair = rsa()
      const { status } = yield* publishing([jwk(pair.publicKey, { kid: "1", use: "enc" })])
      assert.strictEqual(yield* status(signed(claims(), pair, { alg: "RS256", kid: "1" })), 401)
    })
  )

  it.live("may be several keys without an id, which are all tried", () =>
    Effect.gen(function* () {
      const [one, two] = [signer("1"), signer("2")]
      const { status } = yield* publishing(
        [one, two].map(({ pair }) => jwk(pair.publicKey, { alg: "ES256" }))
      )
      const token = signed(claims(), two.pair, { alg: "ES256" })
      assert.strictEqual(yield* status(token), 200)
      assert.strictEqual(yield* status(signed(claims(), signer("3").pair, { alg: "ES256" })), 401)
    })
  )
})
