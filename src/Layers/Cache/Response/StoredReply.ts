/** Replies as they are stored, and as they are sent. Source: RFC 9111. */
import { createHash } from "node:crypto"
import * as Exit from "effect/Exit"
import * as Cookies from "effect/http/Cookies"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { timeOf } from "../../../Server/Exchange/Conditions.ts"
import * as PreparedReply from "../../../Server/Exchange/PreparedReply.ts"
import * as Semantics from "../../../Server/Exchange/Semantics.ts"
import { bytesOf, linesOf, responseOf, withLines } from "../../../Server/Exchange/WireReply.ts"
import type { Rules } from "../Contract.ts"
import * as Directives from "./Directives.ts"

/** A stored reply. */
export const StoredReply = Schema.Struct({
  /** Unix milliseconds at which it was made. */
  at: Schema.Finite,
  body: Schema.String,
  contentType: Schema.optionalKey(Schema.String),
  etag: Schema.String,
  /** Whether `body` is in Base64. */
  isBytes: Schema.Boolean,
  lastModified: Schema.String,
  /** Names in lower case and values in turn: all headers but those above and `age`. */
  lines: Schema.Array(Schema.String),
  status: Schema.Int
})
export type StoredReply = typeof StoredReply.Type

/** What the header `X-Cache` tells. */
export type Result = "BYPASS" | "HIT" | "MISS"

/** The largest body that is stored. */
const maxBody = 2 * 2 ** 20

const validators: ReadonlySet<string> = new Set([
  "age",
  "content-type",
  "etag",
  "last-modified",
  "x-cache"
])

/** Returns a reply in the form in which it is stored; undefined if it must not be stored. */
export const of = (
  response: HttpServerResponse.HttpServerResponse,
  {
    headers: keyed,
    now,
    rules
  }: {
    readonly headers: ReadonlyArray<string>
    /** Unix milliseconds. */
    readonly now: number
    readonly rules: Rules
  }
): StoredReply | undefined => {
  const { cookies, headers, status } = response
  if (!rules.statuses.includes(status) || !Cookies.isEmpty(cookies)) return undefined
  if (headers["set-cookie"] !== undefined || headers["content-range"] !== undefined)
    return undefined
  const isShared = rules.sharing === "public"
  const fields = { cacheControl: headers["cache-control"], expires: headers["expires"] }
  if (!Directives.mayStore(fields, { isShared, now, ttl: rules.ttl })) return undefined
  const { vary } = headers
  if (vary !== undefined && !Semantics.elements(vary).every((name) => keyed.includes(name))) {
    return undefined
  }
  const body = bytesOf(response)
  if (body === undefined || Buffer.byteLength(body) > maxBody) return undefined
  const all = linesOf(response)
  const lines = all.filter((_, i) => {
    const name = all[i - (i % 2)]!
    return !validators.has(name) && name !== "vary"
  })
  if (fields.cacheControl === undefined) lines.push("cache-control", cacheControlOf(rules))
  if (keyed.length > 0) lines.push("vary", keyed.join(", "))
  const contentType = headers["content-type"]
  return {
    at: now,
    body: typeof body === "string" ? body : Buffer.from(body).toString("base64"),
    ...(contentType === undefined ? {} : { contentType }),
    etag: headers["etag"] ?? etagOf(body, [contentType, headers["content-encoding"]]),
    isBytes: typeof body !== "string",
    lastModified: headers["last-modified"] ?? new Date(now).toUTCString(),
    lines,
    status
  }
}

/**
 * Returns `Cache-Control` of a reply without one. A client's own cache does not know who is signed in,
 * so it has to ask each time for a caller's own reply; the answer is a 304 if nothing changed.
 */
const cacheControlOf = ({ sharing, ttl }: Rules): string =>
  sharing === "public" ? `public, max-age=${Math.floor(ttl / 1000)}` : "private, no-cache"

/** Returns a strong validator: the same for the same bytes, type and coding only. */
const etagOf = (body: string | Uint8Array, form: ReadonlyArray<string | undefined>): string => {
  const hash = createHash("sha256").update(JSON.stringify(form)).update(body)
  return `"${hash.digest("base64url").slice(0, 27)}"`
}

/** The fields of a request that make it conditional. */
export interface Conditions {
  readonly ifModifiedSince: string | undefined
  readonly ifNoneMatch: string | undefined
}

/** Replies that were sent from the memory of the process, without `age`. */
const hits = new WeakMap<StoredReply, Exit.Exit<HttpServerResponse.HttpServerResponse>>()

/** Returns the hit to send, without `age`: a 304 if the client has the reply already. */
export const toHit = (
  reply: StoredReply,
  conditions: Conditions
): Exit.Exit<HttpServerResponse.HttpServerResponse> => {
  if (isNotModified(reply, conditions)) return Exit.succeed(toResponse(reply, conditions, "HIT"))
  let hit = hits.get(reply)
  if (hit === undefined) {
    hit = Exit.succeed(PreparedReply.prepare(toResponse(reply, conditions, "HIT")))
    hits.set(reply, hit)
  }
  return hit
}

/** Returns the reply to send, without `age`: a 304 if the client has it already. */
export const toResponse = (
  reply: StoredReply,
  conditions: Conditions,
  result: Result
): HttpServerResponse.HttpServerResponse => {
  const { body, contentType, etag, isBytes, lastModified, lines, status } = reply
  const own = [...lines, "etag", etag, "last-modified", lastModified, "x-cache", result]
  if (isNotModified(reply, conditions)) {
    return withLines(HttpServerResponse.empty({ status: 304 }), own)
  }
  const bytes = isBytes ? Buffer.from(body, "base64") : body
  return withLines(responseOf(bytes, { contentType, status }), own)
}

const isNotModified = (reply: StoredReply, conditions: Conditions): boolean =>
  reply.status === 200 && isKnown(reply, conditions)

/** Returns the age of a reply in seconds. */
export const ageOf = ({ at }: StoredReply, now: number): string =>
  String(Math.max(0, Math.floor((now - at) / 1000)))

/** Whether the client has the reply. Source: RFC 9110, section 13.2.2. */
const isKnown = (
  { etag, lastModified }: StoredReply,
  { ifModifiedSince, ifNoneMatch }: Conditions
): boolean => {
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() === "*") return true
    const known = opaque(etag)
    return (ifNoneMatch.match(tags) ?? []).some((tag) => opaque(tag) === known)
  }
  if (ifModifiedSince === undefined) return false
  // A date that cannot be read is no condition.
  return timeOf(ifModifiedSince) >= timeOf(lastModified)
}

const tags = /(?:W\/)?"[^"]*"/g

/** Returns an entity tag for the weak comparison. Source: RFC 9110, section 8.8.3.2. */
const opaque = (tag: string): string => (tag.startsWith("W/") ? tag.slice(2) : tag)
