// Tokens made by hand, so that a test can make those that no library would.
import { createHmac, generateKeyPairSync, type KeyObject, sign as signWith } from "node:crypto"
import * as Redacted from "effect/Redacted"

export const issuer = "https://id.example.com"
export const audience = "orders"
export const secretText = "a-secret-of-at-least-thirty-two-bytes!"
export const secret = Redacted.make(secretText)

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url")

export const now = (): number => Math.floor(Date.now() / 1000)

export const claims = (over: object = {}): object => ({
  aud: audience,
  exp: now() + 300,
  iss: issuer,
  sub: "ada",
  ...over
})

export const hmac = (
  payload: unknown,
  {
    algorithm = "sha256",
    header = {},
    key = secretText
  }: { algorithm?: string; header?: object; key?: Buffer | string } = {}
): string => {
  const input = `${encode({ alg: "HS256", typ: "JWT", ...header })}.${encode(payload)}`
  return `${input}.${createHmac(algorithm, key).update(input).digest("base64url")}`
}

export interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export const rsa = (modulusLength = 2048): Pair => generateKeyPairSync("rsa", { modulusLength })
export const ec = (namedCurve = "P-256"): Pair => generateKeyPairSync("ec", { namedCurve })
export const ed25519 = (): Pair => generateKeyPairSync("ed25519")

export const pem = (key: KeyObject): string =>
  key.export({ format: "pem", type: "spki" }).toString()

export const jwk = (key: KeyObject, more: object = {}): object => ({
  ...key.export({ format: "jwk" }),
  ...more
})

export const signed = (
  payload: unknown,
  pair: Pair,
  header: { alg: string; kid?: string }
): string => {
  const input = `${encode({ typ: "JWT", ...header })}.${encode(payload)}`
  const hash = header.alg === "EdDSA" ? null : `sha${header.alg.slice(2)}`
  const signature = signWith(hash, Buffer.from(input), {
    dsaEncoding: "ieee-p1363",
    key: pair.privateKey
  })
  return `${input}.${signature.toString("base64url")}`
}
