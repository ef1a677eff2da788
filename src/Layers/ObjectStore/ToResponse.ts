/** Objects as replies. Source: RFC 9110, sections 13 and 14. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import {
  type InvalidObjectKey,
  type ObjectNotFound,
  ObjectPreconditionFailed,
  type ObjectRangeNotSatisfiable
} from "../../Contract/ObjectErrors.ts"
import { isAfter, rangeOf, tagsOf } from "../../Server/Exchange/Conditions.ts"
import {
  type ByteRange,
  type ObjectInfo,
  ObjectStore,
  type ReadOptions,
  type Shape,
  type StoredObject,
  type StoreFailure
} from "./ObjectStore.ts"

const headersOf = ({ etag, lastModified }: ObjectInfo) => ({
  "accept-ranges": "bytes",
  etag,
  "last-modified": lastModified.toUTCString(),
  // A client has uploaded the object perhaps: its type is what the store says, and no other.
  "x-content-type-options": "nosniff"
})

const notModified = (info: ObjectInfo) =>
  HttpServerResponse.empty({ headers: headersOf(info), status: 304 })

const replyOf = ({ info, range, stream }: StoredObject) => {
  const { contentType, size } = info
  const reply = {
    contentLength: range === undefined ? size : range.to - range.from + 1,
    contentType,
    headers: headersOf(info)
  }
  if (range === undefined) return HttpServerResponse.stream(stream, reply)
  return HttpServerResponse.stream(stream, {
    ...reply,
    headers: { ...reply.headers, "content-range": `bytes ${range.from}-${range.to}/${size}` },
    status: 206
  })
}

const notSatisfiable = (error: ObjectRangeNotSatisfiable) =>
  Effect.map(Effect.orDie(HttpServerRespondable.toResponse(error)), (response) =>
    HttpServerResponse.setHeader(response, "content-range", `bytes */${error.size}`)
  )

/** Opens an object. If it is not the one of which the client has a part, it is sent whole. */
const open = (
  store: Shape,
  key: string,
  options: ReadOptions,
  range: ByteRange | undefined,
  ifRange: string | undefined
) => {
  if (range === undefined) return store.get(key, options)
  if (ifRange === undefined) return store.get(key, { ...options, range })
  // A date, and a weak tag, do not tell whether the bytes are the same.
  return options.ifMatch === undefined && /^"[^"]*"$/.test(ifRange)
    ? store
        .get(key, { ...options, ifMatch: [ifRange], range })
        .pipe(Effect.catchTag("ObjectPreconditionFailed", () => store.get(key, options)))
    : store.get(key, options)
}

/**
 * Answers a `GET` or `HEAD` request with an object, as a stream with the backpressure of the client: it is never
 * whole in memory. The reply has `ETag`, `Last-Modified`, `Content-Length` and the type of the object, and
 * `nosniff`. It is
 *
 * - 304 for `If-None-Match` and `If-Modified-Since` of an object that the client has
 * - 412 for `If-Match` and `If-Unmodified-Since` of another version
 * - 206 for one range of bytes, also with `If-Range`; several ranges get the whole object
 * - 416 for a range outside of the object
 *
 * An endpoint declares the failures with `readErrors` of `flange/ObjectStore/Contract`. Objects that users have
 * uploaded belong on an origin of their own, or are saved: set `content-disposition` with
 * `ContentDisposition.attachment`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpServerRequest from "effect/http/HttpServerRequest"
 * import * as ObjectStore from "flange/ObjectStore"
 * import { TestObjectStore } from "flange/ObjectStore/Testing"
 *
 * const request = HttpServerRequest.fromWeb(
 *   new Request("http://app/file", { headers: { range: "bytes=0-4" } })
 * )
 * const status = Effect.gen(function* () {
 *   const store = yield* ObjectStore.ObjectStore
 *   yield* store.put("greetings/ada.txt", "Hello, Ada")
 *   return (yield* ObjectStore.toResponse("greetings/ada.txt")).status
 * }).pipe(
 *   Effect.provideService(HttpServerRequest.HttpServerRequest, request),
 *   Effect.provide(TestObjectStore.layer()),
 *   Effect.scoped
 * )
 * await Effect.runPromise(status) // => 206
 * ```
 */
export const toResponse = (
  key: string
): Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  InvalidObjectKey | ObjectNotFound | ObjectPreconditionFailed | StoreFailure,
  HttpServerRequest.HttpServerRequest | ObjectStore | Scope.Scope
> =>
  Effect.gen(function* () {
    const store = yield* ObjectStore
    const { headers, method } = yield* HttpServerRequest.HttpServerRequest
    const ifMatch = tagsOf(headers["if-match"], "left out")
    const ifNoneMatch = tagsOf(headers["if-none-match"], "compared")
    const since = ifNoneMatch === undefined ? headers["if-modified-since"] : undefined
    const until = ifMatch === undefined ? headers["if-unmodified-since"] : undefined
    /** Answers a request for an object that is there. Without a `reply` the client has it already. */
    const answer = (info: ObjectInfo, reply?: HttpServerResponse.HttpServerResponse) => {
      const { lastModified } = info
      if (isAfter(lastModified, until) === true) {
        return Effect.fail(new ObjectPreconditionFailed({ key }))
      }
      const isKnown = reply === undefined || isAfter(lastModified, since) === false
      return Effect.succeed(isKnown ? notModified(info) : reply)
    }
    const options: ReadOptions = {
      ifMatch: ifMatch === "*" ? undefined : ifMatch,
      ifNoneMatch: ifNoneMatch === "*" ? undefined : ifNoneMatch
    }
    if (method === "HEAD" || ifNoneMatch === "*") {
      const info = yield* store.head(key)
      const { etag } = info
      if (options.ifMatch !== undefined && !options.ifMatch.includes(etag)) {
        return yield* new ObjectPreconditionFailed({ key })
      }
      const isKnown = ifNoneMatch === "*" || options.ifNoneMatch?.includes(etag) === true
      return yield* answer(
        info,
        isKnown ? undefined : replyOf({ info, range: undefined, stream: Stream.empty })
      )
    }
    const range = method === "GET" ? rangeOf(headers["range"]) : undefined
    return yield* open(store, key, options, range, headers["if-range"]).pipe(
      Effect.flatMap((found) => answer(found.info, replyOf(found))),
      Effect.catchTags({
        // The store has told nothing of the object but that it is the same.
        ObjectNotModified: () => Effect.flatMap(store.head(key), (info) => answer(info)),
        ObjectRangeNotSatisfiable: notSatisfiable
      })
    )
  })
