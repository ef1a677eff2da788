/** The whole body of a request, read once for all who want it. */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Decompression from "./Decompression.ts"
import type { Replying } from "./Reply.ts"
import type { BodyFailure, Wire } from "./Wire.ts"
import * as WireRequest from "./WireRequest.ts"

/** A body without its content coding, why it could not be read, or the reply to send. */
export type Read = BodyFailure | HttpServerResponse.HttpServerResponse | Uint8Array

/** The exchange whose body it is. Its time stands still while the client sends the body. */
type Owner = Pick<Replying, "bodyLimit" | "run" | "time">

/** The whole body of a request. */
export class RequestBody {
  readonly #exchange: Owner
  /** Undefined before the body is read. */
  value: Read | undefined
  /** Callbacks that wait for the body. */
  #waiting: Array<() => void> | undefined
  readonly #wire: Wire

  constructor(exchange: Owner, wire: Wire) {
    this.#exchange = exchange
    this.#wire = wire
  }

  /** Returns the request, with this body. */
  request(): HttpServerRequest {
    return this.#requestReading((done) =>
      this.read(() => {
        const { value } = this
        done(HttpServerResponse.isHttpServerResponse(value) ? "Malformed" : value!)
      })
    )
  }

  /** Calls back once the body is there. */
  read(done: () => void): void {
    if (this.value !== undefined) return done()
    if (this.#waiting !== undefined) {
      this.#waiting.push(done)
      return
    }
    const waiting = (this.#waiting = [done])
    const { time } = this.#exchange
    time?.pause()
    this.#decoded((value) => {
      this.value = value
      time?.resume()
      for (const each of waiting) each()
    })
  }

  #decoded(come: (value: Read) => void): void {
    const read: WireRequest.Message["read"] = (done) =>
      this.#wire.body(this.#exchange.bodyLimit, done)
    if (this.#wire.header("content-encoding") === undefined) return read(come)
    // The decoder reports any failure to read as content that it cannot decode.
    let failure: BodyFailure | undefined
    const raw = this.#requestReading((done) =>
      read((body) => {
        if (typeof body === "string") failure = body
        done(body)
      })
    )
    this.#exchange.run(Decompression.bytes(raw), false, (exit) =>
      come(failure ?? (exit._tag === "Success" ? exit.value : "Aborted"))
    )
  }

  #requestReading(read: WireRequest.Message["read"]): HttpServerRequest {
    const { headers, method, remoteAddress, target } = this.#wire
    return WireRequest.make({ headers, method, read, remoteAddress, target })
  }
}
