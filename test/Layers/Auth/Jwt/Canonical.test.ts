/** A token has one text: no other spelling of its bytes is accepted. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Auth from "flange/Auth"
import { TestApp } from "flange/Testing"
import { appWith, bearer, unguarded } from "../fixtures.ts"
import {
  audience,
  claims,
  ec,
  ed25519,
  hmac,
  issuer,
  type Pair,
  pem,
  rsa,
  secret,
  signed
} from "./tokens.ts"

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/** Other spellings of the bytes of one part. */
const spellings = (part: string): ReadonlyArray<string> => {
  const bytes = Buffer.from(part, "base64url")
  const last = part.at(-1)!
  const trailing = [...alphabet]
    .filter((letter) => letter !== last)
    .map((letter) => part.slice(0, -1) + letter)
    .filter((text) => Buffer.from(text, "base64url").equals(bytes))
  const padding = "=".repeat((4 - (part.length % 4)) % 4) || "="
  const base64 = part.replaceAll("-", "+").replaceAll("_", "/")
  return [
    ...trailing,
    part + padding,
    `${part}=`,
    `${part}A`.length % 4 === 1 ? `${part}A` : `${part}====`,
    `${part} `,
    ` ${part}`,
    `${part.slice(0, 4)} ${part.slice(4)}`,
    `${part.slice(0, 4)}\t${part.slice(4)}`,
    `${part.slice(0, 4)}!${part.slice(4)}`,
    ...(base64 === part ? [] : [base64]),
    `${part}\u00a0`
  ]
}

/** Lengths with each number of trailing bits, for every part. */
const payloads = ["", "x", "xx"].map((pad) => claims({ pad, sub: "ada" }))
const headers = ["", "k", "kk"].map((kid) => ({ kid }))

const publicKinds: ReadonlyArray<readonly [Auth.PublicAlgorithm, Pair]> = [
  ["RS256", rsa()],
  ["RS256", rsa(3072)],
  ["ES256", ec()],
  ["ES512", ec("P-521")],
  ["EdDSA", ed25519()]
]

const tokens: ReadonlyArray<readonly [name: string, keys: Auth.Keys, token: string]> = [
  ...payloads.flatMap((payload, i) => [
    [`HS256 ${i}`, Auth.secret(secret), hmac(payload, { header: headers[i]! })] as const
  ]),
  ...publicKinds.map(
    ([algorithm, pair], i) =>
      [
        `${algorithm} ${i}`,
        Auth.publicKey(pem(pair.publicKey), { algorithm }),
        signed(payloads[i % 3], pair, { alg: algorithm })
      ] as const
  )
]

describe("a token", () => {
  it.live.each(tokens)("of %s is accepted in its one spelling only", ([_name, keys, token]) =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(
        appWith(Auth.chain([Auth.jwt({ audience, issuer, keys })])).app,
        unguarded
      )
      const status = (text: string) =>
        Effect.map(test.get("/me", bearer(text)), (reply) => reply.status)
      assert.strictEqual(yield* status(token), 200)
      const parts = token.split(".")
      for (const at of [0, 1, 2]) {
        for (const spelling of spellings(parts[at]!)) {
          const text = parts.map((part, i) => (i === at ? spelling : part)).join(".")
          // White space around the token is that of the header.
          if (/^[ \t]|[ \t]$/.test(text)) continue
          assert.strictEqual(yield* status(text), 401, text)
        }
      }
      for (const text of [
        `.${token}`,
        `${token}.`,
        token.replace(".", ".."),
        `${token}.${parts[2]}`
      ]) {
        assert.strictEqual(yield* status(text), 401, text)
      }
    })
  )
})

describe("a token in a header of its own", () => {
  const token = hmac(claims())
  const jwt = Auth.jwt(
    { audience, issuer, keys: Auth.secret(secret) },
    { source: Auth.header("X-Auth") }
  )

  const table: ReadonlyArray<readonly [value: string, status: number]> = [
    [token, 200],
    [`Bearer ${token}`, 200],
    [`bearer ${token}`, 200],
    [`BEARER   ${token}`, 200],
    [`Bearer\t${token}`, 200],
    [`Bearer${token}`, 401],
    [`Bearer Bearer ${token}`, 401],
    [`Basic ${token}`, 401],
    [`Bearer ${token}, Bearer ${token}`, 401],
    ["Bearer", 401],
    ["Bearer text", 401]
  ]
  it.live.each(table)("may have a scheme: %s", ([value, status]) =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(appWith(Auth.chain([jwt])).app)
      const reply = yield* test.get("/me", { headers: { "x-auth": value } })
      reply.expectStatus(status)
    })
  )

  it.live("may have one if it is static, and not in a cookie or a query", () =>
    Effect.gen(function* () {
      const entry = { identity: { subject: "deploy" }, token: Redacted.make("a-long-token") }
      const machine = Auth.bearer([entry], { source: Auth.header("x-machine") })
      const cookie = Auth.jwt(
        { audience, issuer, keys: Auth.secret(secret) },
        { name: "cookie", source: Auth.cookie("token") }
      )
      const test = yield* TestApp.make(appWith(Auth.chain([machine, cookie])).app)
      const status = (headers: Record<string, string>) =>
        Effect.map(test.get("/me", { headers }), (reply) => reply.status)
      assert.strictEqual(yield* status({ "x-machine": "a-long-token" }), 200)
      assert.strictEqual(yield* status({ "x-machine": "Bearer a-long-token" }), 200)
      assert.strictEqual(yield* status({ cookie: `token=${token}` }), 200)
      assert.strictEqual(yield* status({ cookie: `token=Bearer%20${token}` }), 401)
    })
  )
})
