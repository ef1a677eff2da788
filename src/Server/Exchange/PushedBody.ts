/**
 * Bodies that are written over time by what holds them, such as an event stream: an idle one has no fiber, and
 * costs little more than its connection.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"

/** The body of a reply that has begun. After its end, its functions do nothing. */
export interface Sink {
  /** The bytes that were written and that the client has not taken yet. */
  readonly buffered: number
  /** Cuts off the reply and its connection. */
  readonly cut: () => void
  /** Ends the reply, after what was written. */
  readonly end: () => void
  /** Calls back once, when the client has taken what was written. */
  readonly onDrain: (done: () => void) => void
  readonly write: (bytes: Uint8Array) => void
}

/** What writes a body. */
export interface Source {
  /** Called once when the reply has ended or the client has gone away, also if it never began. */
  readonly closed: () => void
  /** Called when the head of the reply is sent. */
  readonly start: (sink: Sink) => void
}

const sources = new WeakMap<object, Source>()

/** Returns the source of a reply's body; undefined for any other body. */
export const of = ({ body }: HttpServerResponse.HttpServerResponse): Source | undefined =>
  body._tag === "Stream" ? sources.get(body.stream) : undefined

/** Returns the body for listeners that send streams only. */
const streamOf = (source: Source): Stream.Stream<Uint8Array> => {
  let buffered = 0
  let drains: Array<() => void> = []
  return Stream.callback<Uint8Array>(
    (queue) =>
      Effect.acquireRelease(
        Effect.sync(() =>
          source.start({
            get buffered() {
              return buffered
            },
            cut: () => {
              Queue.failCauseUnsafe(queue, Cause.die(new Error("The reply was cut off")))
            },
            end: () => {
              Queue.endUnsafe(queue)
            },
            onDrain: (done) => {
              if (buffered === 0) queueMicrotask(done)
              else drains.push(done)
            },
            write: (bytes) => {
              if (Queue.offerUnsafe(queue, bytes)) buffered += bytes.length
            }
          })
        ),
        () => Effect.sync(() => source.closed())
      ),
    { bufferSize: Number.POSITIVE_INFINITY }
  ).pipe(
    Stream.map((bytes) => {
      buffered -= bytes.length
      if (buffered === 0) {
        const called = drains
        drains = []
        for (const done of called) done()
      }
      return bytes
    })
  )
}

/** Returns a reply with a body that `source` writes. */
export const make = (
  source: Source,
  options: {
    readonly contentType: string
    readonly headers: Readonly<Record<string, string>>
  }
): HttpServerResponse.HttpServerResponse => {
  const stream = streamOf(source)
  sources.set(stream, source)
  return HttpServerResponse.stream(stream, options)
}
