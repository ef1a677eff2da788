/** Key sets with keys that cannot be used, beside keys that can. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Auth from "flange/Auth"
import { TestApp } from "flange/Testing"
import { appWith, bearer } from "../fixtures.ts"
import * as jwksServer from "./jwksServer.ts"
import { audience, claims, ec, ed25519, issuer, jwk, rsa, signed } from "./tokens.ts"

const good = rsa()
const other = ec()
const weak = rsa(1024)
const { privateKey, publicKey } = rsa()

const long = claims({ exp: 10_000_000 })

const withKeys = (keys: ReadonlyArray<unknown>, options: Auth.JwksOptions = {}) =>
  Effect.gen(function* () {
    const server = yield* jwksServer.make()
    server.answer = (response) => response.end(JSON.stringify({ keys }))
    const { app } = appWith(
      Auth.chain([Auth.jwt({ audience, issuer, keys: Auth.jwks(server.url, options) })])
    )
    const test = yield* TestApp.make(app)
    const status = (token: string) =>
      Effect.map(test.get("/me", bearer(token)), (reply) => reply.status)
    const named = (text: RegExp) =>
      test.logs.filter(({ level, message }) => level === "Warn" && text.test(message)).length
    return { named, server, status, test }
  })

const bytes = (length: number, last = 1) => {
  const all = Buffer.alloc(length, 0xc5)
  all[length - 1] = last
  return all.toString("base64url")
}

const rsaJwk = jwk(publicKey) as Record<string, string>
// Not every runtime makes keys of this curve.
const secp256k1Jwk = {
  crv: "secp256k1",
  kty: "EC",
  x: "GnD81_isKJPSs6F02sEi8iJl9Z3FAYdlr2Oo06npDGk",
  y: "CdWQDipPtXaS8owpC3z-1w2z93Du-afDcgXiXrDk9K8"
}
const ecJwk = jwk(other.publicKey) as Record<string, string>

/** What stands beside the good keys, and what the log says of it. */
const bad: ReadonlyArray<readonly [name: string, key: unknown, reason: RegExp]> = [
  ["null", null, /it is not an object/],
  ["a text", "key", /it is not an object/],
  ["a number", 7, /it is not an object/],
  ["a list", [rsaJwk], /it is not an object/],
  ["an empty object", {}, /it cannot be read/],
  ["no kty", { ...rsaJwk, kty: undefined }, /it cannot be read/],
  ["an unknown kty", { ...rsaJwk, kty: "AKP" }, /it cannot be read/],
  ["a kty of another key", { ...rsaJwk, kty: "EC" }, /it cannot be read/],
  ["a kty in another case", { ...rsaJwk, kty: "rsa" }, /it cannot be read/],
  ["a kty that is no text", { ...rsaJwk, kty: { a: 1 } }, /it cannot be read/],
  ["RSA without n", { e: rsaJwk["e"], kty: "RSA" }, /it cannot be read/],
  ["RSA without e", { kty: "RSA", n: rsaJwk["n"] }, /it cannot be read/],
  ["RSA with an empty n", { ...rsaJwk, n: "" }, /RSA key has 0 bits|it cannot be read/],
  ["RSA with an n that is no text", { ...rsaJwk, n: 7 }, /it cannot be read/],
  [
    "RSA with an n that is not base64url",
    { ...rsaJwk, n: "$$$$" },
    /RSA key has|it cannot be read/
  ],
  ["RSA of 1024 bits", jwk(weak.publicKey), /RSA key has 1024 bits/],
  ["RSA of 2040 bits", { ...rsaJwk, n: bytes(255) }, /RSA key has 2040 bits/],
  ["RSA with the exponent 1", { ...rsaJwk, e: "AQ" }, /exponent 1\./],
  ["RSA with an even exponent", { ...rsaJwk, e: "BA" }, /exponent 4\./],
  ["EC without y", { ...ecJwk, y: undefined }, /it cannot be read/],
  ["an EC point that is not on its curve", { ...ecJwk, y: ecJwk["x"] }, /it cannot be read/],
  ["EC on another curve than its point", { ...ecJwk, crv: "P-384" }, /it cannot be read/],
  ["EC on secp256k1", secp256k1Jwk, /no known algorithm/],
  ["EC without a curve", { ...ecJwk, crv: undefined }, /it cannot be read/],
  ["a key for key agreement", { crv: "X25519", kty: "OKP", x: bytes(32) }, /no known algorithm/],
  ["Ed25519 of the wrong length", { crv: "Ed25519", kty: "OKP", x: bytes(31) }, /cannot be read/],
  ["an alg of another type", { ...rsaJwk, alg: "ES256" }, /alg does not fit/],
  ["an alg of another curve", { ...ecJwk, alg: "ES384" }, /alg does not fit/],
  ["an alg for secrets", { ...rsaJwk, alg: "HS256" }, /alg does not fit/],
  ["alg none", { ...rsaJwk, alg: "none" }, /alg does not fit/],
  ["an alg that is no text", { ...rsaJwk, alg: 7 }, /alg does not fit/],
  ["an alg for encryption", { ...rsaJwk, alg: "RSA-OAEP" }, /alg does not fit/],
  ["use enc", { ...rsaJwk, use: "enc" }, /use is not "sig"/],
  ["a use that is no text", { ...rsaJwk, use: ["sig"] }, /use is not "sig"/],
  ["key_ops without verify", { ...rsaJwk, key_ops: ["encrypt"] }, /key_ops/],
  ["key_ops that are no list", { ...rsaJwk, key_ops: "verify" }, /key_ops/],
  ["a kid that is no text", { ...rsaJwk, kid: 7 }, /kid is not a text/],
  ["a private RSA key", privateKey.export({ format: "jwk" }), /private or secret/],
  ["a private EC key", other.privateKey.export({ format: "jwk" }), /private or secret/],
  ["a private Ed25519 key", ed25519().privateKey.export({ format: "jwk" }), /private or secret/],
  ["a secret", { k: "a2V5", kty: "oct" }, /private or secret/]
]

describe("a key of a set that cannot be used", () => {
  it.effect.each(bad)("is skipped and named once: %s", ([_name, key, reason]) =>
    Effect.gen(function* () {
      const keys = [key, jwk(good.publicKey, { kid: "g" }), jwk(other.publicKey, { kid: "o" })]
      const { named, server, status } = yield* withKeys(keys)
      const tokens: ReadonlyArray<readonly [string, number]> = [
        [signed(long, good, { alg: "RS256" }), 200],
        [signed(long, good, { alg: "RS256", kid: "g" }), 200],
        [signed(long, other, { alg: "ES256" }), 200],
        [signed(long, weak, { alg: "RS256" }), 401],
        [signed(long, { privateKey, publicKey }, { alg: "RS256" }), 401],
        [signed(long, good, { alg: "RS256", kid: "unknown" }), 401]
      ]
      for (const [token, expected] of tokens) assert.strictEqual(yield* status(token), expected)
      assert.strictEqual(named(reason), 1)
      yield* TestClock.adjust("11 minutes")
      assert.strictEqual(yield* status(tokens[0]![0]), 200)
      assert.strictEqual(server.requests, 2)
      assert.strictEqual(named(/Key set of backend "jwt": key 1 /), 1)
    })
  )

  it.effect("does not answer 500 or 503 if it is the only one", () =>
    Effect.gen(function* () {
      const { status } = yield* withKeys([jwk(weak.publicKey), null])
      assert.strictEqual(yield* status(signed(long, weak, { alg: "RS256" })), 401)
      assert.strictEqual(yield* status(signed(long, weak, { alg: "PS256" } as never)), 401)
    })
  )

  it.effect("does not answer 500 if its modulus is none, whoever verifies", () =>
    Effect.gen(function* () {
      const broken = [
        { ...rsaJwk, n: bytes(256, 2) },
        { ...rsaJwk, n: bytes(384, 2) },
        { ...rsaJwk, n: Buffer.alloc(256, 0xff).toString("base64url") },
        { ...rsaJwk, e: bytes(255) },
        { ...rsaJwk, e: bytes(300) },
        { ...rsaJwk, n: bytes(4096) }
      ]
      for (const key of broken) {
        const { status } = yield* withKeys([key])
        for (const alg of ["RS256", "RS512", "PS256"]) {
          assert.strictEqual(yield* status(signed(long, good, { alg })), 401)
        }
      }
    })
  )

  it.effect("does not hide a key of the same kid", () =>
    Effect.gen(function* () {
      const { named, status } = yield* withKeys([
        jwk(weak.publicKey, { kid: "1" }),
        jwk(good.publicKey, { kid: "1" }),
        jwk(publicKey, { kid: "1" }),
        jwk(other.publicKey, { kid: "1" })
      ])
      const header = { alg: "RS256", kid: "1" }
      assert.strictEqual(yield* status(signed(long, good, header)), 200)
      assert.strictEqual(yield* status(signed(long, { privateKey, publicKey }, header)), 200)
      assert.strictEqual(yield* status(signed(long, other, { alg: "ES256", kid: "1" })), 200)
      assert.strictEqual(yield* status(signed(long, weak, header)), 401)
      assert.strictEqual(named(/key 3 \("1"\) has the kid and the algorithm of another key/), 1)
    })
  )

  it.effect("is named in a bounded line, without the control characters of its kid", () =>
    Effect.gen(function* () {
      const keys = [{ ...rsaJwk, kid: `a\u001b\n${"x".repeat(500)}`, use: "enc" }]
      const { status, test } = yield* withKeys([
        ...keys,
        ...Array.from({ length: 1000 }, () => null),
        jwk(good.publicKey)
      ])
      assert.strictEqual(yield* status(signed(long, good, { alg: "RS256" })), 200)
      const [line, ...more] = test.logs.filter(({ message }) => /Key set of/.test(message))
      assert.lengthOf(more, 0)
      assert.match(line!.message, /key 1 \("ax{63}"\) is not used/)
      assert.match(line!.message, /, and 985 more$/)
      assert.isBelow(line!.message.length, 2000)
    })
  )
})
