/** The trace that the headers of a request name: W3C Trace Context, or B3. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpTraceContext from "effect/http/HttpTraceContext"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

/**
 * The `tracestate` that came with a request, as an annotation of its span: what tracing systems
 * tell each other. Empty if there was none.
 */
export const TraceState: Context.Reference<string> = Context.Reference("flange/TraceState", {
  defaultValue: () => ""
})

type Source = (name: string) => string | undefined

/**
 * Returns the span that the headers name as the caller's; undefined if they name none. A header
 * that is not well-formed is ignored. `traceparent` goes before `b3`, and `b3` before the
 * headers `x-b3-*`.
 */
export const fromHeaders = (header: Source): Tracer.ExternalSpan | undefined => {
  const traceparent = header("traceparent")
  return (traceparent === undefined ? undefined : w3c(traceparent, header)) ?? b3(header)
}

/**
 * Matches a `traceparent`. A later version may have more fields. Source: W3C Trace Context,
 * section 3.2.
 */
const pattern =
  /^(?:00-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})|(?!00|ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:-.*)?)$/

/** No version needs more. */
const maxLength = 256

const w3c = (traceparent: string, header: Source): Tracer.ExternalSpan | undefined => {
  if (traceparent.length > maxLength) return undefined
  const match = pattern.exec(traceparent)
  if (match === null) return undefined
  const state = header("tracestate")
  return Tracer.externalSpan({
    annotations:
      state !== undefined && isState(state)
        ? Context.add(Context.empty(), TraceState, state)
        : Context.empty(),
    sampled: (Number.parseInt((match[3] ?? match[6])!, 16) & 1) === 1,
    spanId: (match[2] ?? match[5])!,
    traceId: (match[1] ?? match[4])!
  })
}

/** The longest list that is passed on. Source: W3C Trace Context, section 3.3.1.5. */
const maxState = 512

const maxMembers = 32

/** Matches one member of the list, or an empty one. Source: W3C Trace Context, section 3.3.1.3. */
const member =
  /^[ \t]*(?:(?:[a-z\d][-_*/a-z\d]{0,255}|[a-z\d][-_*/a-z\d]{0,240}@[a-z][-_*/a-z\d]{0,13})=[ -+\--<>-~]{0,255}[!-+\--<>-~][ \t]*)?$/

/** Checks whether a list can be passed on whole. A member of it that is malformed may belong to anyone. */
const isState = (state: string): boolean => {
  if (state.length > maxState) return false
  const members = state.split(",")
  if (members.length > maxMembers || !members.every((one) => member.test(one))) return false
  const keys = members.flatMap((one) => one.trim().split("=", 1)).filter((key) => key !== "")
  return keys.length > 0 && new Set(keys).size === keys.length
}

const b3Names = ["b3", "x-b3-flags", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid"]

const b3 = (header: Source): Tracer.ExternalSpan | undefined => {
  if (header("b3") === undefined && header("x-b3-traceid") === undefined) return undefined
  const values: Record<string, string> = {}
  for (const name of b3Names) {
    const value = header(name)
    if (value !== undefined) values[name] = value
  }
  const headers = Headers.fromRecordUnsafe(values)
  const span = Option.getOrUndefined(
    Option.orElse(HttpTraceContext.b3(headers), () => HttpTraceContext.xb3(headers))
  )
  if (span === undefined || /^0+$/.test(span.traceId) || /^0+$/.test(span.spanId)) return undefined
  const { sampled, spanId, traceId } = span
  // An id of B3 may have half the digits.
  return Tracer.externalSpan({ sampled, spanId, traceId: traceId.padStart(32, "0") })
}

/** Returns the `tracestate` of the trace that a span belongs to; empty if it has none. */
export const stateOf = (span: Tracer.AnySpan | undefined): string => {
  for (let one = span; one !== undefined;) {
    const state = Context.get(one.annotations, TraceState)
    if (state !== "") return state
    one = one._tag === "Span" ? Option.getOrUndefined(one.parent) : undefined
  }
  return ""
}

/**
 * Returns a request to another service with the `tracestate` of the trace of this fiber. Effect's
 * clients send `traceparent` by themselves, and no `tracestate`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "effect/http/HttpClient"
 * import { TraceContext } from "flange"
 *
 * const traced = Effect.map(
 *   HttpClient.HttpClient,
 *   HttpClient.mapRequestEffect(TraceContext.withState)
 * )
 * Effect.isEffect(traced) // => true
 * ```
 */
export const withState = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<HttpClientRequest.HttpClientRequest> =>
  Effect.withFiber((fiber) => {
    const state = stateOf(fiber.cache.span)
    return Effect.succeed(
      state === "" ? request : HttpClientRequest.setHeader(request, "tracestate", state)
    )
  })
