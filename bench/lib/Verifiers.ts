/** Ways to verify a token, each asked for the same: signature, `exp`, `iss`, `aud`, one algorithm. */
import { createHmac, type KeyObject, timingSafeEqual, verify } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createVerifier } from "fast-jwt"
import * as jose from "jose"
import jsonwebtoken from "jsonwebtoken"
import * as Auth from "../../src/Layers/Auth/index.ts"
import * as Verifier from "../../src/Layers/Auth/Jwt/Verifier.ts"
import { jwt } from "../servers/support/Contract.ts"

/** What the caller has at hand: a secret, or the public half of a pair. */
export interface Signer {
  readonly algorithm: "EdDSA" | "ES256" | "HS256" | "RS256"
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** Throws or rejects where the token is not right. */
export interface Candidate {
  readonly asynchronous: boolean
  readonly name: string
  readonly verify: (token: string) => unknown
}

/** What all others are divided by. */
export const base = "jose, KeyObject"

/** Tokens as the algorithm's issuer makes them, no two of them equal. */
export const tokens = (
  { algorithm, privateKey }: Signer,
  count: number
): Promise<ReadonlyArray<string>> =>
  Promise.all(
    Array.from({ length: count }, (_, i) =>
      new jose.SignJWT({ scope: "items:read items:write" })
        .setProtectedHeader({ alg: algorithm, typ: "JWT" })
        .setAudience(jwt.audience)
        .setExpirationTime("24h")
        .setIssuedAt()
        .setIssuer(jwt.issuer)
        .setSubject(`subject-${i}`)
        .sign(privateKey)
    )
  )

/** All that know the signer's algorithm. */
export const candidates = async (signer: Signer): Promise<ReadonlyArray<Candidate>> => {
  const { algorithm, publicKey } = signer
  const symmetric = publicKey.type === "secret"
  const secret = symmetric ? publicKey.export() : undefined
  const pem = symmetric ? undefined : publicKey.export({ format: "pem", type: "spki" }).toString()
  const { audience, issuer } = jwt
  const joses = (name: string, key: jose.CryptoKey | KeyObject | Uint8Array): Candidate => {
    const options = { algorithms: [algorithm], audience, issuer, requiredClaims: ["exp"] }
    return { asynchronous: true, name, verify: (token) => jose.jwtVerify(token, key, options) }
  }
  const fast = (name: string, cache: boolean): Candidate => ({
    asynchronous: false,
    name,
    verify: createVerifier({
      algorithms: [algorithm],
      allowedAud: audience,
      allowedIss: issuer,
      cache,
      key: secret ?? pem!,
      requiredClaims: ["aud", "exp", "iss"]
    })
  })
  const keys =
    secret === undefined
      ? Auth.publicKey(pem!, { algorithm: algorithm as Auth.PublicAlgorithm })
      : Auth.secret(Redacted.make(secret.toString()))
  const flange = await Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(keys.make("bench"), (find) =>
        Verifier.make("bench", find, {
          audience,
          issuer,
          leeway: 0,
          maxAge: undefined,
          type: undefined
        })
      )
    )
  )
  const asynchronous = algorithm === "ES256" || algorithm === "EdDSA"
  return [
    joses(base, publicKey),
    joses("jose, CryptoKey", await cryptoKey(signer)),
    ...(secret === undefined ? [] : [joses("jose, bytes", secret)]),
    fast("fast-jwt", false),
    fast("fast-jwt with its cache", true),
    ...(algorithm === "EdDSA"
      ? []
      : [
          {
            asynchronous: false,
            name: "jsonwebtoken",
            verify: (token: string) =>
              jsonwebtoken.verify(token, publicKey, { algorithms: [algorithm], audience, issuer })
          }
        ]),
    {
      asynchronous: false,
      name: "node:crypto, claims unchecked",
      verify: signatureOnly(signer)
    },
    {
      asynchronous,
      name: "Flange",
      verify: asynchronous
        ? (token) => Effect.runPromise(flange(token, Date.now()))
        : (token) => Effect.runSync(flange(token, Date.now()))
    }
  ]
}

const cryptoKey = ({ algorithm, publicKey }: Signer) =>
  publicKey.toCryptoKey(
    {
      ES256: { name: "ECDSA", namedCurve: "P-256" },
      EdDSA: { name: "Ed25519" },
      HS256: { hash: "SHA-256", name: "HMAC" },
      RS256: { hash: "SHA-256", name: "RSASSA-PKCS1-v1_5" }
    }[algorithm],
    true,
    ["verify"]
  )

/** The least that a verifier does: what all cost that nobody can save. */
const signatureOnly = ({ algorithm, publicKey }: Signer) => {
  const isRight = (text: string, signature: Buffer): boolean => {
    switch (algorithm) {
      case "EdDSA":
        return verify(null, Buffer.from(text), publicKey, signature)
      case "ES256":
        return verify(
          "sha256",
          Buffer.from(text),
          { dsaEncoding: "ieee-p1363", key: publicKey },
          signature
        )
      case "HS256":
        return timingSafeEqual(createHmac("sha256", publicKey).update(text).digest(), signature)
      case "RS256":
        return verify("sha256", Buffer.from(text), publicKey, signature)
    }
  }
  return (token: string): unknown => {
    const [header, payload, signature] = token.split(".") as [string, string, string]
    if (!isRight(`${header}.${payload}`, Buffer.from(signature, "base64url"))) {
      throw new Error("The signature is wrong")
    }
    return JSON.parse(Buffer.from(payload, "base64url").toString())
  }
}
