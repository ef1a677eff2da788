// Tokens that are right, nearly right and wrong, the same ones in every run: a seed makes them.
import { constants, createHmac, type KeyObject, sign as signWith } from "node:crypto"
import { audience, encode, issuer } from "./tokens.ts"

export interface Random {
  readonly chance: (probability: number) => boolean
  readonly index: (below: number) => number
  readonly pick: <A>(from: ReadonlyArray<A>) => A
}

/** Source: mulberry32. */
export const random = (seed: number): Random => {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const index = (below: number) => Math.floor(next() * below)
  return { chance: (p) => next() < p, index, pick: (from) => from[index(from.length)]! }
}

/** Signs as the algorithm says, whatever the header says. */
export const sign = (algorithm: string, key: KeyObject, input: string): Buffer => {
  const digest = `sha${algorithm.slice(2)}`
  const data = Buffer.from(input)
  switch (algorithm.slice(0, 2)) {
    case "Ed":
      return signWith(null, data, key)
    case "ES":
      return signWith(digest, data, { dsaEncoding: "ieee-p1363", key })
    case "HS":
      return createHmac(digest, key).update(data).digest()
    case "PS":
      return signWith(digest, data, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST
      })
    default:
      return signWith(digest, data, key)
  }
}

/** Values that no library would write, to be found in any claim. */
const odd = [null, true, "", "x", [], {}, [[]], 0, -1, 1.5]

const times = (now: number) => [
  ...odd,
  ...[-61, -60, -5, -1, -0.5, 0, 0.5, 1, 5, 6, 60, 61].map((by) => now + by),
  String(now + 60),
  1e300,
  undefined
]

const headers: Readonly<Record<string, ReadonlyArray<unknown>>> = {
  alg: [...odd, undefined, "none", "HS256", "HS512", "RS256", "ES256", "EdDSA", "constructor"],
  b64: [...odd, false, true],
  crit: [...odd, ["b64"], ["b64", "b64"], ["exp"], [""], [1], ["constructor"], ["b64", "exp"]],
  exp: [1],
  kid: [...odd, undefined, "2", "\u00e9", "__proto__"],
  typ: [...odd, undefined, "JWT", "at+jwt", "AT+JWT", "application/at+jwt", "application/at"]
}

const claimsOf = (now: number): Readonly<Record<string, ReadonlyArray<unknown>>> => ({
  aud: [...odd, undefined, audience, [audience], ["x", audience], [[audience]], `${audience} `],
  exp: times(now),
  iat: times(now),
  iss: [...odd, undefined, issuer, [issuer], `${issuer}/`],
  nbf: times(now),
  sub: [...odd, undefined, "\u{1f600}", "\ud800"]
})

const mutated = (
  { chance, pick }: Random,
  base: Readonly<Record<string, unknown>>,
  choices: Readonly<Record<string, ReadonlyArray<unknown>>>
) => {
  const result = { ...base }
  do {
    const name = pick(Object.keys(choices))
    result[name] = pick(choices[name]!)
  } while (chance(0.3))
  return result
}

/** The same JSON in other bytes, or bytes that are no JSON. */
const rewritten = ({ pick }: Random, json: string, name: string): Buffer => {
  const bytes = Buffer.from(json)
  const raw = (text: string) => Buffer.from(text)
  return pick([
    () => bytes,
    () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]),
    () => Buffer.concat([bytes.subarray(0, -2), Buffer.from([0xff]), bytes.subarray(-2)]),
    () => Buffer.concat([bytes.subarray(0, -1), raw(',"x":"'), Buffer.from([0xc3]), raw('"}')]),
    () => raw(json.replace(/}$/, ',"x":"\u00e9\u{1f600}"}')),
    () => raw(json.replace("{", `{"${name}":"first",`)),
    () => raw(json.replace(/}$/, `,"${name}":"last"}`)),
    () => raw(json.replace(/}$/, `,"__proto__":{"${name}":1}}`)),
    () => raw(json.replace(/"exp":[^,}]*/, '"exp":1e999')),
    () => raw(`[${json}]`),
    () => raw(` \n${json}\t`),
    () => raw(`${json}x`),
    () => raw(`${json}\0`),
    () => raw(pick(["", "null", "0", '""', "[]", "{", "{}", "true", "nul"]))
  ])()
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/** What is done to a token on its way. */
const damaged = ({ chance, index, pick }: Random, token: string): string => {
  const at = index(token.length)
  const strange = pick(["=", "+", "/", " ", "\n", ".", "\0", "\u00e9", "%2E", "\u2028"])
  const parts = token.split(".")
  return pick([
    () => `${token.slice(0, at)}${pick([...alphabet])}${token.slice(at + 1)}`,
    () => `${token.slice(0, at)}${pick([...alphabet])}${token.slice(at)}`,
    () => `${token.slice(0, at)}${token.slice(at + 1)}`,
    () => `${token.slice(0, at)}${strange}${token.slice(at + (chance(0.5) ? 1 : 0))}`,
    () => token.slice(0, at),
    () => token.slice(at),
    () => `${token}${pick(["=", "==", ".", ".x", "A", " ", strange])}`,
    () => parts.toReversed().join("."),
    () => parts.with(index(parts.length), "").join("."),
    () => parts.with(index(parts.length), pick(parts)).join("."),
    // The last character of a part has bits that say nothing.
    () => `${token.slice(0, -1)}${pick([...alphabet])}`,
    () => token.toLowerCase(),
    () => token.replaceAll("-", "+").replaceAll("_", "/")
  ])()
}

const forged = ({ index, pick }: Random, signature: Buffer): Buffer => {
  const changed = Buffer.from(signature)
  changed[index(changed.length)]! ^= 1 << index(8)
  return pick([
    () => changed,
    () => Buffer.alloc(signature.length),
    () => Buffer.alloc(signature.length, 0xff),
    () => Buffer.alloc(0),
    () => signature.subarray(0, -1),
    () => signature.subarray(1),
    () => Buffer.concat([signature, Buffer.alloc(1)]),
    () => Buffer.concat([Buffer.alloc(1), signature]),
    () => Buffer.from(signature.toString("base64url")),
    () => Buffer.from(signature.toReversed())
  ])()
}

/** A token for the algorithm and the private or secret key, at a time in seconds. */
export const token = (random: Random, algorithm: string, key: KeyObject, now: number): string => {
  const { chance } = random
  const right = { alg: algorithm, typ: "JWT" }
  const claims = { aud: audience, exp: now + 60, iat: now, iss: issuer, sub: "ada" }
  const header = JSON.stringify(chance(0.35) ? mutated(random, right, headers) : right)
  const payload = JSON.stringify(chance(0.6) ? mutated(random, claims, claimsOf(now)) : claims)
  const bytes = (json: string, name: string) =>
    chance(0.12) ? rewritten(random, json, name) : Buffer.from(json)
  const input = [bytes(header, "alg"), bytes(payload, "sub")]
    .map((part) => part.toString("base64url"))
    .join(".")
  const signature = sign(algorithm, key, input)
  const signed = `${input}.${(chance(0.1) ? forged(random, signature) : signature).toString("base64url")}`
  return chance(0.12) ? damaged(random, signed) : signed
}

/** A right token's header with another algorithm, signed as that other one says. */
export const otherwise = (algorithm: string, key: KeyObject, now: number, as: string): string => {
  const input = `${encode({ alg: algorithm, typ: "JWT" })}.${encode({ aud: audience, exp: now + 60, iss: issuer, sub: "ada" })}`
  return `${input}.${sign(as, key, input).toString("base64url")}`
}
