/** One request to the collector. */
import { promisify } from "node:util"
import { gzip } from "node:zlib"
import * as Duration from "effect/Duration"
import * as Headers from "effect/http/Headers"
import * as Result from "effect/Result"
import { version } from "../../../Plugin/Version.ts"
import * as Reply from "./Reply.ts"

/** Where and how the telemetry of one signal is sent. */
export interface Target {
  readonly compression: "gzip" | "none"
  readonly headers: Readonly<Record<string, string>>
  /** The longest time of one request, in milliseconds. */
  readonly timeout: number
  readonly url: string
}

/** How a request ended. */
export type Outcome =
  | { readonly _tag: "Accepted"; readonly rejected: Reply.Rejected | undefined }
  | { readonly _tag: "Refused"; readonly cause: string }
  | {
      readonly _tag: "Retryable"
      readonly cause: string
      /** Milliseconds that the collector asks to wait; undefined if it does not ask. */
      readonly delay: number | undefined
    }

const compress = promisify(gzip)

/**
 * The statuses after which the same request may succeed.
 *
 * Source: OpenTelemetry Protocol, section "Retryable Response Codes".
 */
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** Returns the body of a request, compressed if the target wants that. */
export const bodyOf = async (
  { compression }: Target,
  parts: ReadonlyArray<Uint8Array<ArrayBuffer>>
): Promise<Uint8Array<ArrayBuffer>> => {
  const body = Buffer.concat(parts)
  return compression === "gzip" ? compress(body) : body
}

/** Sends a body. Never fails. Aborting the controller ends the request. */
export const post = async (
  target: Target,
  contentType: string,
  body: Uint8Array<ArrayBuffer>,
  aborter: AbortController
): Promise<Outcome> => {
  const { compression, headers, timeout, url } = target
  const late = () => aborter.abort(new Error(`no reply within ${timeout} ms`))
  const timer = setTimeout(late, timeout)
  try {
    const response = await fetch(url, {
      body,
      headers: {
        "content-type": contentType,
        "user-agent": `OTel-OTLP-Exporter-Flange/${version}`,
        ...(compression === "gzip" ? { "content-encoding": "gzip" } : {}),
        ...headers
      },
      method: "POST",
      redirect: "manual",
      signal: aborter.signal
    })
    const { status } = response
    // A reply that breaks off has said its status.
    const reply = await Reply.read(response).catch(() => undefined)
    if (response.ok)
      return { _tag: "Accepted", rejected: reply && Reply.rejectedOf(response, reply) }
    const cause = `status ${status}`
    return retryable.has(status)
      ? { _tag: "Retryable", cause, delay: delayOf(response.headers.get("retry-after")) }
      : { _tag: "Refused", cause }
  } catch (error) {
    return { _tag: "Retryable", cause: reasonOf(error), delay: undefined }
  } finally {
    clearTimeout(timer)
  }
}

const delayOf = (header: string | null): number | undefined => {
  const parsed = header === null ? undefined : Headers.parseRetryAfter(header)
  if (parsed === undefined || Result.isFailure(parsed)) return undefined
  return Duration.toMillis(Headers.retryAfterDelay(parsed.success, Date.now()))
}

/** Returns why a request failed. `fetch` has the reason in the cause of its error. */
const reasonOf = (error: unknown): string => {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(inner instanceof Error)) return String(inner)
  return "code" in inner && typeof inner.code === "string" && inner.message === ""
    ? inner.code
    : inner.message
}
