/** Fetches one JSON document by HTTP, with limits. The URL comes from the operator, never from a client. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { BackendUnavailable } from "../Failure.ts"

/** The limits of a fetch. */
export interface Limits {
  readonly maxBytes: number
  readonly timeout: Duration.Duration
}

/**
 * Fetches a JSON document. Fails on any status but 200 (redirects are not
 * followed), on a body longer than `maxBytes`, when it takes longer than
 * `timeout`, body included, and on what is not JSON.
 */
export const fetchJson = (
  url: URL,
  { maxBytes, timeout }: Limits
): Effect.Effect<unknown, BackendUnavailable> => {
  const unavailable = (reason: string, cause?: unknown) =>
    new BackendUnavailable({ cause, reason: `${url.href}: ${reason}` })
  return Effect.tryPromise({
    catch: (cause) =>
      cause instanceof BackendUnavailable ? cause : unavailable("cannot be fetched", cause),
    try: async (signal) => {
      const response = await fetch(url, {
        headers: { accept: "application/jwk-set+json, application/json" },
        redirect: "manual",
        signal
      })
      if (response.status !== 200) {
        await response.body?.cancel()
        throw unavailable(
          response.status >= 300 && response.status < 400
            ? `answered with a redirect (${response.status}), which is not followed. Configure the address it leads to.`
            : `answered with status ${response.status}`
        )
      }
      const text = await readText(response, maxBytes)
      if (text === undefined) throw unavailable(`is longer than ${maxBytes} bytes`)
      try {
        return JSON.parse(text) as unknown
      } catch (cause) {
        throw unavailable("is not JSON", cause)
      }
    }
  }).pipe(
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () => Effect.fail(unavailable(`did not answer within ${Duration.format(timeout)}`))
    })
  )
}

/** The body as text; undefined when it is too long, without reading the rest. */
const readText = async (response: Response, maxBytes: number): Promise<string | undefined> => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > maxBytes) return undefined
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return new TextDecoder().decode(bytes)
}
