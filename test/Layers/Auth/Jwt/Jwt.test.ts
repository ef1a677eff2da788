import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { CurrentIdentity } from "flange"
import * as Auth from "flange/Auth"
import { TestApp } from "flange/Testing"
import { appWith, bearer } from "../fixtures.ts"
import * as tokens from "./tokens.ts"

const { audience, claims, hmac, issuer, secret } = tokens

const settings = { audience, issuer, keys: Auth.secret(secret) }

const hmacChain = Auth.chain([Auth.jwt(settings)])

const rsa = tokens.rsa()
const ec = tokens.ec()
const ed = tokens.ed25519()

const publicChain = (pair: tokens.Pair) =>
  Auth.chain([Auth.jwt({ audience, issuer, keys: Auth.publicKey(tokens.pem(pair.publicKey)) })])

const [header, payload, signature] = hmac(claims()).split(".") as [string, string, string]

/** What an attacker sends, and what the audit says of it. */
const attacks: ReadonlyArray<
  readonly [name: string, token: () => string, reason: RegExp, chain?: typeof hmacChain]
> = [
  [
    "alg none",
    () => `${tokens.encode({ alg: "none" })}.${tokens.encode(claims())}.`,
    /No key fits/
  ],
  [
    "alg None in another case",
    () => `${tokens.encode({ alg: "nOnE" })}.${payload}.`,
    /No key fits/
  ],
  [
    "no alg",
    () => `${tokens.encode({ typ: "JWT" })}.${payload}.${signature}`,
    /header cannot be read/
  ],
  [
    "another HMAC than the key's",
    () => hmac(claims(), { algorithm: "sha512", header: { alg: "HS512" } }),
    /No key fits/
  ],
  ["another secret", () => hmac(claims(), { key: "x".repeat(32) }), /signature/],
  [
    "a changed payload",
    () => `${header}.${tokens.encode(claims({ sub: "root" }))}.${signature}`,
    /signature/
  ],
  ["no signature", () => `${header}.${payload}.`, /signature/],
  ["a cut signature", () => `${header}.${payload}.${signature.slice(0, -2)}`, /signature/],
  ["an expired token", () => hmac(claims({ exp: tokens.now() - 1 })), /"exp" claim timestamp/],
  ["no expiry", () => hmac(claims({ exp: undefined })), /missing required "exp"/],
  [
    "an expiry that is no number",
    () => hmac(claims({ exp: "2099-01-01" })),
    /"exp" claim must be a number/
  ],
  [
    "a token that is not yet valid",
    () => hmac(claims({ nbf: tokens.now() + 60 })),
    /"nbf" claim timestamp/
  ],
  ["another issuer", () => hmac(claims({ iss: "https://evil.example" })), /unexpected "iss"/],
  ["no issuer", () => hmac(claims({ iss: undefined })), /missing required "iss"/],
  ["another audience", () => hmac(claims({ aud: "billing" })), /unexpected "aud"/],
  ["no audience", () => hmac(claims({ aud: undefined })), /missing required "aud"/],
  ["no subject", () => hmac(claims({ sub: undefined })), /no subject/],
  ["a subject that is no text", () => hmac(claims({ sub: { admin: true } })), /no subject/],
  [
    "an unknown critical header",
    () => hmac(claims(), { header: { crit: ["x"], x: 1 } }),
    /crit|"x"/i
  ],
  [
    "an unencoded payload",
    () => hmac(claims(), { header: { b64: false, crit: ["b64"] } }),
    /JWT|b64/
  ],
  ["a huge token", () => hmac(claims({ padding: "x".repeat(9000) })), /longer than 8192/],
  ["claims that are no object", () => hmac("[]"), /JWT Claims Set/],
  ["claims that are no JSON", () => hmac("{"), /JWT Claims Set/],
  [
    "a header that is no JSON",
    () => `${tokens.encode("{")}.${payload}.${signature}`,
    /header cannot/
  ],
  [
    "a header that is null",
    () => `${tokens.encode("null")}.${payload}.${signature}`,
    /header cannot/
  ],
  [
    "a kid that is no text",
    () => hmac(claims(), { header: { kid: { $ne: "" } } }),
    /header cannot/
  ],
  ["an encrypted token", () => `${header}.a.b.c.d`, /no JWT/],
  ["text", () => "text", /no JWT/],
  ["padding and plus signs", () => `${header}==.${payload}+/.${signature}`, /no JWT/],
  [
    "a key in the header",
    () => {
      const evil = tokens.ec()
      return tokens.signed(claims(), evil, {
        alg: "ES256",
        jwk: tokens.jwk(evil.publicKey),
        jku: "https://evil.example/jwks.json"
      } as { alg: string })
    },
    /signature/,
    publicChain(ec)
  ],
  [
    "the RSA key as HMAC secret",
    () => hmac(claims(), { key: tokens.pem(rsa.publicKey) }),
    /No key fits/,
    publicChain(rsa)
  ],
  [
    "RS512 where the key is for RS256",
    () => tokens.signed(claims(), rsa, { alg: "RS512" }),
    /No key fits/,
    publicChain(rsa)
  ],
  [
    "ES384 with a P-256 key",
    () => tokens.signed(claims(), ec, { alg: "ES384" }),
    /No key fits/,
    publicChain(ec)
  ],
  [
    "the wrong kid",
    () => hmac(claims(), { header: { kid: "2" } }),
    /No key fits/,
    Auth.chain([Auth.jwt({ ...settings, keys: Auth.secret(secret, { kid: "1" }) })])
  ]
]

describe("attacks on tokens", () => {
  for (const [name, token, reason, chain = hmacChain] of attacks) {
    it.live(`refuses ${name}`, () =>
      Effect.gen(function* () {
        const { app, audit } = appWith(chain)
        // The longest token is longer than a header field may be on the proxied listener.
        const config = { server: { maxLineBytes: "16 KiB" } }
        const test = yield* TestApp.make(app, { config })
        const reply = yield* test.get("/me", bearer(token()))
        reply
          .expectProblem("UNAUTHENTICATED", 401, { detail: "Authentication is required" })
          .expectHeader("www-authenticate", 'Bearer realm="api", error="invalid_token"')
        assert.deepStrictEqual(
          audit.events.map(({ method, outcome, subject }) => ({ method, outcome, subject })),
          [{ method: "jwt", outcome: "denied", subject: undefined }]
        )
        assert.match(audit.events[0]?.reason ?? "", reason)
        // What the client reads says nothing of the reason; an id of hexadecimal digits may match.
        assert.notMatch(reply.text.replaceAll(/[0-9a-f-]{32,}/g, ""), reason)
      })
    )
  }

  it.effect("has no leeway unless it is asked for: a token ends with its second", () =>
    Effect.gen(function* () {
      const token = hmac(claims({ exp: 1000, nbf: 10 }))
      const { app } = appWith(hmacChain)
      const strict = yield* TestApp.make(app)
      const lenient = yield* TestApp.make(
        appWith(Auth.chain([Auth.jwt({ ...settings, leeway: "5 seconds" })])).app
      )
      const statuses = Effect.all([
        Effect.map(strict.get("/me", bearer(token)), ({ status }) => status),
        Effect.map(lenient.get("/me", bearer(token)), ({ status }) => status)
      ])
      yield* TestClock.setTime(4_999)
      assert.deepStrictEqual(yield* statuses, [401, 401])
      yield* TestClock.setTime(5_000)
      assert.deepStrictEqual(yield* statuses, [401, 200])
      yield* TestClock.setTime(10_000)
      assert.deepStrictEqual(yield* statuses, [200, 200])
      yield* TestClock.setTime(999_999)
      assert.deepStrictEqual(yield* statuses, [200, 200])
      yield* TestClock.setTime(1_000_000)
      assert.deepStrictEqual(yield* statuses, [401, 200])
      yield* TestClock.setTime(1_005_000)
      assert.deepStrictEqual(yield* statuses, [401, 401])
    })
  )
})

describe("tokens", () => {
  const accepts = (name: string, chain: typeof hmacChain, token: () => string) =>
    it.live(`accepts ${name}`, () =>
      Effect.gen(function* () {
        const { app, audit } = appWith(chain)
        const test = yield* TestApp.make(app)
        const reply = yield* test.get("/me", bearer(token()))
        reply.expectStatus(200).expectJson("ada")
        assert.deepStrictEqual(
          audit.events.map(({ method, outcome, route, subject }) => [
            outcome,
            method,
            subject,
            route
          ]),
          [["success", "jwt", "ada", "GET /me"]]
        )
      })
    )

  accepts("HS256", hmacChain, () => hmac(claims()))
  accepts("RS256", publicChain(rsa), () => tokens.signed(claims(), rsa, { alg: "RS256" }))
  accepts("ES256", publicChain(ec), () => tokens.signed(claims(), ec, { alg: "ES256" }))
  accepts("EdDSA", publicChain(ed), () => tokens.signed(claims(), ed, { alg: "EdDSA" }))
  accepts("one of several audiences", hmacChain, () => hmac(claims({ aud: ["x", audience] })))
  accepts(
    "the old secret during a rotation",
    Auth.chain([
      Auth.jwt({
        ...settings,
        keys: Auth.anyKey([
          Auth.secret(Redacted.make("n".repeat(32)), { kid: "2" }),
          Auth.secret(secret, { kid: "1" })
        ])
      })
    ]),
    () => hmac(claims(), { header: { kid: "1" } })
  )
  accepts(
    "a JWK with its own algorithm",
    Auth.chain([
      Auth.jwt({
        ...settings,
        keys: Auth.publicKey({ ...tokens.jwk(rsa.publicKey), alg: "RS384" })
      })
    ]),
    () => tokens.signed(claims(), rsa, { alg: "RS384" })
  )

  it.live("is read from a cookie, and only once", () =>
    Effect.gen(function* () {
      const chain = Auth.chain([Auth.jwt(settings, { source: Auth.cookie("session") })])
      const test = yield* TestApp.make(appWith(chain).app)
      const token = hmac(claims())
      const get = (cookie: string) => test.get("/me", { headers: { cookie } })
      ;(yield* get(`a=b; session=${token}`)).expectStatus(200)
      ;(yield* get(`session=${token}; session=${token}`)).expectStatus(401)
      ;(yield* get(`xsession=${token}`))
        .expectStatus(401)
        .expectHeader("www-authenticate", 'ApiKey realm="api", in="cookie", name="session"')
    })
  )

  it.live("becomes an identity with scopes, client and typed attributes", () =>
    Effect.gen(function* () {
      const Tenant = Schema.Struct({ tenant: Schema.String })
      const chain = Auth.chain([
        Auth.jwt(settings, { attributes: Tenant, mapper: Auth.oauthClaims })
      ])
      const { app } = appWith(chain)
      const test = yield* TestApp.make(app)
      const of = (over: object) =>
        bearer(hmac(claims({ client_id: "web", scope: "orders:read", tenant: "acme", ...over })))
      ;(yield* test.get("/orders", of({}))).expectStatus(200)
      ;(yield* test.get("/orders", of({ scope: undefined, scp: ["orders:write"] }))).expectStatus(
        200
      )
      ;(yield* test.get("/orders", of({ scope: ["a b"] }))).expectStatus(403)
      ;(yield* test.get("/tenants/acme", of({}))).expectStatus(200)
      ;(yield* test.get("/tenants/acme", of({ tenant: 7 }))).expectStatus(401)
      ;(yield* test.get("/jobs", of({}))).expectStatus(403)
      ;(yield* test.get("/jobs", of({ sub: undefined }))).expectStatus(200).expectJson("web")
    })
  )

  it.live("need not have an optional attribute that every object inherits", () =>
    Effect.gen(function* () {
      const attributes = Schema.Struct({ constructor: Schema.optionalKey(Schema.String) })
      const chain = Auth.chain([Auth.jwt(settings, { attributes })])
      const test = yield* TestApp.make(appWith(chain).app)
      ;(yield* test.get("/me", bearer(hmac(claims())))).expectStatus(200)
      ;(yield* test.get("/me", bearer(hmac(claims({ constructor: 7 }))))).expectStatus(401)
    })
  )

  it.effect("reads attributes with their type, and dies where they have another", () =>
    Effect.gen(function* () {
      const Tenant = Schema.Struct({ tenant: Schema.String })
      const of = (attributes: Record<string, unknown>) =>
        Effect.provideService(
          Auth.attributes(Tenant),
          CurrentIdentity,
          Auth.identity({ attributes, subject: "ada" })
        )
      assert.deepStrictEqual(yield* of({ more: 1, tenant: "acme" }), { tenant: "acme" })
      const exit = yield* Effect.exit(of({ tenant: 7 }))
      assert.isTrue(exit._tag === "Failure" && exit.cause.reasons[0]?._tag === "Die")
    })
  )

  it.live("limits its age, and asks for its type, when told to", () =>
    Effect.gen(function* () {
      const chain = Auth.chain([Auth.jwt({ ...settings, maxAge: "1 minute", type: "at+jwt" })])
      const test = yield* TestApp.make(appWith(chain).app)
      const get = (over: object, typ: string) =>
        test.get("/me", bearer(hmac(claims(over), { header: { typ } })))
      ;(yield* get({ iat: tokens.now() }, "at+jwt")).expectStatus(200)
      ;(yield* get({ iat: tokens.now() }, "JWT")).expectStatus(401)
      ;(yield* get({ iat: tokens.now() - 120 }, "at+jwt")).expectStatus(401)
      ;(yield* get({}, "at+jwt")).expectStatus(401)
    })
  )
})

describe("settings that are unsafe fail the boot", () => {
  const cases: ReadonlyArray<readonly [string, Auth.Keys, RegExp]> = [
    [
      "a short secret",
      Auth.secret(Redacted.make("short")),
      /has 5 bytes, and HS256 needs at least 32/
    ],
    ["a short secret for HS512", Auth.secret(secret, { algorithm: "HS512" }), /needs at least 64/],
    [
      "a public key as secret",
      Auth.secret(Redacted.make(tokens.pem(rsa.publicKey))),
      /Auth\.publicKey/
    ],
    [
      "a private key",
      Auth.publicKey(rsa.privateKey.export({ format: "pem", type: "pkcs8" }).toString()),
      /Give the public half/
    ],
    ["a private JWK", Auth.publicKey({ ...tokens.jwk(ec.privateKey) }), /Give the public half/],
    ["text that is no key", Auth.publicKey("-----BEGIN NOTHING-----"), /cannot be read/],
    [
      "an algorithm of another type",
      Auth.publicKey(tokens.pem(ec.publicKey), { algorithm: "RS256" }),
      /type ec, which cannot verify RS256\. Use ES256/
    ],
    ["a key set by http", Auth.jwks("http://id.example.com/jwks.json"), /without TLS/],
    ["a key set by another protocol", Auth.jwks("file:///etc/passwd"), /without TLS/],
    ["a key set at no URL", Auth.jwks("id.example.com/jwks"), /is no URL/]
  ]
  for (const [name, keys, problem] of cases) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const { app } = appWith(Auth.chain([Auth.jwt({ audience, issuer, keys })]))
        const error = yield* Effect.flip(TestApp.make(app))
        assert.strictEqual(error._tag, "AuthSettingsError")
        assert.match(error.message, problem)
        assert.notInclude(error.message, tokens.secretText)
      })
    )
  }
})
