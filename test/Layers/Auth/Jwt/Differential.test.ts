import { createSecretKey, type KeyObject } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Auth from "flange/Auth"
import * as jose from "jose"
import * as Verifier from "../../../../src/Layers/Auth/Jwt/Verifier.ts"
import * as jwksServer from "./jwksServer.ts"
import * as mutations from "./mutations.ts"
import * as tokens from "./tokens.ts"

const { audience, issuer } = tokens

/** A time that is no whole second, and one that is. */
const times = [2_000_000_000_000, 2_000_000_000_999]

interface Signing {
  readonly algorithm: string
  /** Whether the check is made where the request runs. */
  readonly inPlace: boolean
  readonly keys: Auth.Keys
  readonly name?: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const hmac = (algorithm: "HS256" | "HS384" | "HS512"): Signing => {
  const text = "s".repeat(64)
  const key = createSecretKey(Buffer.from(text))
  return {
    algorithm,
    inPlace: true,
    keys: Auth.secret(Redacted.make(text), { algorithm }),
    privateKey: key,
    publicKey: key
  }
}

const pair = (
  algorithm: Auth.PublicAlgorithm,
  { privateKey, publicKey }: tokens.Pair,
  options: { readonly inPlace?: boolean; readonly name?: string } = {}
): Signing => ({
  algorithm,
  inPlace: options.inPlace ?? false,
  keys: Auth.publicKey(tokens.pem(publicKey), { algorithm }),
  ...(options.name === undefined ? {} : { name: options.name }),
  privateKey,
  publicKey
})

const rsa = tokens.rsa()

const signings: ReadonlyArray<Signing> = [
  hmac("HS256"),
  hmac("HS384"),
  hmac("HS512"),
  pair("RS256", rsa, { inPlace: true }),
  pair("RS384", rsa, { inPlace: true }),
  pair("RS512", rsa, { inPlace: true }),
  pair("RS256", tokens.rsa(3072), { name: "RS256 with 3072 bits" }),
  pair("PS256", rsa),
  pair("PS384", rsa),
  pair("PS512", rsa),
  pair("ES256", tokens.ec()),
  pair("ES384", tokens.ec("P-384")),
  pair("ES512", tokens.ec("P-521")),
  pair("EdDSA", tokens.ed25519()),
  pair("Ed25519", tokens.ed25519())
]

const expectations = ({ pick }: mutations.Random): Verifier.Expectations => ({
  audience: pick([audience, audience, ["x", audience], undefined, []]),
  issuer: pick([issuer, ["x", issuer]]),
  leeway: pick([0, 0, 5]),
  maxAge: pick([undefined, undefined, 60]),
  type: pick([undefined, undefined, "at+jwt", "JWT"])
})

/** What jose says, asked as its documents show it. */
const asked = async (
  token: string,
  { algorithm, publicKey }: Signing,
  expected: Verifier.Expectations,
  now: number
): Promise<object | string> => {
  try {
    const { payload } = await jose.jwtVerify(token, publicKey, {
      algorithms: algorithm.startsWith("Ed") ? ["EdDSA", "Ed25519"] : [algorithm],
      clockTolerance: expected.leeway,
      currentDate: new Date(now),
      issuer: expected.issuer as Array<string> | string,
      requiredClaims: ["exp"],
      ...(expected.audience === undefined
        ? {}
        : { audience: expected.audience as Array<string> | string }),
      ...(expected.maxAge === undefined ? {} : { maxTokenAge: expected.maxAge }),
      ...(expected.type === undefined ? {} : { typ: expected.type })
    })
    return payload
  } catch (error) {
    if (error instanceof jose.errors.JOSEError) return error.message
    throw error
  }
}

/** Where the verifier refuses more, or says it in other words. */
const explained = (reason: string): boolean =>
  [
    // It has no key for the algorithm, so it need not look at more.
    "No key fits the token's algorithm and key id",
    // It takes the key from the header, so it reads that first; `kid` has to be text.
    "The token's header cannot be read",
    // A signature of another length is wrong, whatever characters it has.
    "signature verification failed"
  ].includes(reason)

/** What `Auth.jwt` lets pass to a verifier. */
const isToken = (token: string) => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)

const kidIsText = (token: string): boolean => {
  const { kid } = jose.decodeProtectedHeader(token)
  return kid === undefined || typeof kid === "string"
}

const said = (verify: Verifier.Verify, token: string): Effect.Effect<object | string> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.match(verify(token, now), {
      onFailure: (error) => error.reason,
      onSuccess: (claims): object => claims
    })
  )

const verifierOf = (signing: Signing, expected: Verifier.Expectations) =>
  Effect.flatMap(signing.keys.make("jwt"), (find) => Verifier.make("jwt", find, expected))

const strict: Verifier.Expectations = {
  audience,
  issuer,
  leeway: 0,
  maxAge: undefined,
  type: undefined
}

const right = ({ algorithm, privateKey }: Signing): string =>
  mutations.otherwise(algorithm, privateKey, times[0]! / 1000, algorithm)

describe("says what jose says of the same tokens", () => {
  for (const [number, signing] of signings.entries()) {
    const { algorithm, inPlace, name = algorithm, privateKey } = signing
    it.effect(name, () =>
      Effect.gen(function* () {
        const random = mutations.random(number + 1)
        const rounds = inPlace ? (algorithm.startsWith("HS") ? 40 : 20) : 6
        let accepted = 0
        let refused = 0
        for (let round = 0; round < rounds; round++) {
          const expected = expectations(random)
          const verify = yield* verifierOf(signing, expected)
          const now = random.pick(times)
          yield* TestClock.setTime(now)
          for (let i = 0; i < 50; i++) {
            const token = mutations.token(random, algorithm, privateKey, Math.floor(now / 1000))
            const mine = yield* said(verify, token)
            const joses = yield* Effect.promise(() => asked(token, signing, expected, now))
            const about = `seed ${number + 1}, round ${round}, token ${i}: ${token}`
            if (typeof mine === "object") {
              accepted++
              assert.deepStrictEqual(mine, joses, about)
            } else if (typeof joses === "object") {
              assert.isFalse(isToken(token) && kidIsText(token), `${about}: refused, ${mine}`)
            } else {
              refused++
              if (!explained(mine)) assert.strictEqual(mine, joses, about)
            }
          }
        }
        // Tokens of which all are refused, or all accepted, would show nothing.
        assert.isAbove(accepted, rounds * 2)
        assert.isAbove(refused, rounds * 2)
      })
    )
  }
})

describe("one key, other algorithms", () => {
  for (const signing of signings) {
    const { algorithm, name = algorithm, privateKey } = signing
    it.effect(`${name} takes no signature that was made in another way`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(times[0]!)
        const verify = yield* verifierOf(signing, strict)
        const family = algorithm.startsWith("HS")
          ? ["HS256", "HS384", "HS512"]
          : /^[PR]S/.test(algorithm)
            ? ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
            : []
        for (const as of family.filter((other) => other !== algorithm)) {
          for (const claimed of [algorithm, as]) {
            const token = mutations.otherwise(claimed, privateKey, times[0]! / 1000, as)
            assert.isString(yield* said(verify, token), `${claimed} signed as ${as}`)
          }
        }
        assert.isObject(yield* said(verify, right(signing)))
      })
    )
  }
})

describe("where the signature is checked", () => {
  for (const signing of signings) {
    const { algorithm, inPlace, name = algorithm } = signing
    it.effect(`${name}: ${inPlace ? "in the step of the request" : "in jose's pool"}`, () =>
      Effect.gen(function* () {
        const verify = yield* verifierOf(signing, strict)
        const token = right(signing)
        const exit = Effect.runSyncExit(verify(token, Date.now()))
        assert.strictEqual(exit._tag, inPlace ? "Success" : "Failure")
        yield* TestClock.setTime(times[0]!)
        assert.isObject(yield* said(verify, token))
        assert.isString(yield* said(verify, `${token.slice(0, -6)}AAAAAA`))
      })
    )
  }

  it.live("a key of a key set that was found once is found in the same step", () =>
    Effect.gen(function* () {
      const server = yield* jwksServer.make()
      server.answer = (response) =>
        response.end(
          JSON.stringify({ keys: [tokens.jwk(rsa.publicKey, { kid: "1", use: "sig" })] })
        )
      const verify = yield* Verifier.make("jwt", yield* Auth.jwks(server.url).make("jwt"), strict)
      const token = tokens.signed(tokens.claims(), rsa, { alg: "RS256", kid: "1" })
      assert.isObject(yield* said(verify, token))
      assert.strictEqual(Effect.runSyncExit(verify(token, Date.now()))._tag, "Success")
      const strangers = tokens.signed(tokens.claims(), tokens.rsa(), { alg: "RS256", kid: "1" })
      assert.strictEqual(yield* said(verify, strangers), "signature verification failed")
      assert.strictEqual(server.requests, 1)
    })
  )
})

describe("settings of time that would let anything pass fail the boot", () => {
  for (const seconds of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
    for (const name of ["leeway", "maxAge"] as const) {
      it.effect(`${name} of ${seconds}`, () =>
        Effect.gen(function* () {
          const made = verifierOf(signings[0]!, { ...strict, [name]: seconds })
          const error = yield* Effect.flip(made)
          assert.match(error.message, new RegExp(`\`${name}\` is ${seconds} seconds`))
        })
      )
    }
  }
})
