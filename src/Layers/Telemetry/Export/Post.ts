/** Requests to the collector, one at a time. */
import * as Http from "node:http"
import * as Https from "node:https"
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

type Parts = ReadonlyArray<Uint8Array<ArrayBuffer>>

const compress = promisify(gzip)

/**
 * The statuses after which the same request may succeed.
 *
 * Source: OpenTelemetry Protocol, section "Retryable Response Codes".
 */
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504])

/**
 * A connection to a collector. It uses `node:http`: `fetch` takes seven times the processor time for a
 * body of a megabyte. No tracer sees its requests.
 */
export class Connection {
  readonly #agent: Http.Agent
  #request: Http.ClientRequest | undefined
  readonly #target: Target

  constructor(target: Target) {
    const options = { keepAlive: true, maxSockets: 1 }
    this.#agent = target.url.startsWith("https:")
      ? new Https.Agent(options)
      : new Http.Agent(options)
    this.#target = target
  }

  /** Ends the request that is sent. */
  abort(reason: string): void {
    this.#request?.destroy(new Error(reason))
  }

  /** Returns the body of a request, compressed if the target wants that. */
  async body(parts: Parts): Promise<Parts> {
    return this.#target.compression === "gzip" ? [await compress(Buffer.concat(parts))] : parts
  }

  /** Closes the connection. */
  close(): void {
    this.#agent.destroy()
  }

  /** Sends a body. Never fails. */
  async post(contentType: string, body: Parts): Promise<Outcome> {
    const { timeout } = this.#target
    const timer = setTimeout(() => this.abort(`no reply within ${timeout} ms`), timeout)
    try {
      return await outcomeOf(await this.#send(contentType, body))
    } catch (error) {
      const isStale = this.#request?.reusedSocket === true && codeOf(error) === "ECONNRESET"
      // The collector has closed the connection while nothing was sent.
      if (isStale) return await this.post(contentType, body)
      return { _tag: "Retryable", cause: reasonOf(error), delay: undefined }
    } finally {
      clearTimeout(timer)
    }
  }

  #send(contentType: string, body: Parts): Promise<Http.IncomingMessage> {
    const { compression, headers, url } = this.#target
    return new Promise((resolve, reject) => {
      const request = (url.startsWith("https:") ? Https : Http).request(url, {
        agent: this.#agent,
        headers: {
          "content-length": body.reduce((size, { length }) => size + length, 0),
          "content-type": contentType,
          "user-agent": `OTel-OTLP-Exporter-Flange/${version}`,
          ...(compression === "gzip" ? { "content-encoding": "gzip" } : {}),
          ...headers
        },
        method: "POST"
      })
      this.#request = request
      request
        .on("error", reject)
        .on("response", resolve)
        // A collector that answers with another protocol ends the request with neither.
        .on("close", () => reject(new Error("the connection closed without a reply")))
      for (const part of body) request.write(part)
      request.end()
    })
  }
}

const outcomeOf = async (response: Http.IncomingMessage): Promise<Outcome> => {
  const { headers, statusCode: status = 0 } = response
  // A reply that breaks off has said its status.
  const body = await Reply.read(response).catch(() => undefined)
  if (status >= 200 && status < 300) {
    return { _tag: "Accepted", rejected: body && Reply.rejectedOf(headers["content-type"], body) }
  }
  const cause = `status ${status}`
  return retryable.has(status)
    ? { _tag: "Retryable", cause, delay: delayOf(headers["retry-after"]) }
    : { _tag: "Refused", cause }
}

const delayOf = (header: string | undefined): number | undefined => {
  const parsed = header === undefined ? undefined : Headers.parseRetryAfter(header)
  if (parsed === undefined || Result.isFailure(parsed)) return undefined
  return Duration.toMillis(Headers.retryAfterDelay(parsed.success, Date.now()))
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined

/** Returns why a request failed. The error of a host with several addresses has no message. */
const reasonOf = (error: unknown): string =>
  error instanceof Error && error.message !== "" ? error.message : String(codeOf(error) ?? error)
