/** Apps on each listener, with their log and what would have ended their process. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import { App, Middleware, Plugin } from "flange"
import * as Logging from "flange/Logging"
import { afterAll, beforeAll } from "vitest"

/** What serves requests. */
export const listeners = ["node", "proxied", "web"] as const

export type Listener = (typeof listeners)[number]

/** A line of the log at level Error or Fatal. */
interface Failure {
  readonly cause: Cause.Cause<unknown>
  readonly requestId: unknown
}

/** A reply that was read to its end. One that was cut has none; its status is 0 if it had no head. */
export interface Reply {
  readonly body: string
  readonly cut: boolean
  readonly headers: Headers
  readonly status: number
}

/** An app that serves. */
export interface Server {
  /** What was logged as an error. */
  readonly failures: ReadonlyArray<Failure>
  /** The lines that the JSON logger made of it. */
  readonly lines: ReadonlyArray<string>
  /**
   * Sends a request with this id, and calls `begun` when the head of the reply has come. Rejects if no reply comes
   * or the process would have ended.
   */
  readonly send: (
    id: string,
    path: string,
    init?: RequestInit,
    begun?: () => void
  ) => Promise<Reply>
  /** Drains and releases the app; rejects if that does not end or the process would have ended. */
  readonly stop: () => Promise<void>
  /** The statuses that each of two observers was told for a request. */
  readonly told: (id: string) => ReadonlyArray<ReadonlyArray<number>>
}

/** How long a test waits for what may never come. */
const patience = 300_000

/** Who is told of what would have ended the process. */
const waiting = new Set<(error: unknown) => void>()

const ended = (error: unknown) => {
  for (const tell of waiting) tell(error)
}

const events = ["uncaughtException", "unhandledRejection"] as const

/** In this file a test fails of what would end a process, in the place of the run. */
export const guardProcess = (): void => {
  const others = events.map((event) => [event, process.listeners(event as never)] as const)
  beforeAll(() => {
    for (const event of events) {
      process.removeAllListeners(event)
      process.on(event, ended)
    }
  })
  afterAll(() => {
    for (const [event, listeners] of others) {
      process.removeAllListeners(event)
      for (const listener of listeners) process.on(event, listener)
    }
  })
}

const textOf = (error: unknown): string => {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  } catch {
    return "a value that cannot be read"
  }
}

/** The value of a promise; rejects if that does not come or the process would have ended. */
export const arrives = async <A>(what: string, promise: Promise<A>): Promise<A> => {
  const { promise: lost, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`${what} does not come`)), patience)
  const tell = (error: unknown) =>
    reject(new Error(`The process would have ended: ${textOf(error)}`))
  waiting.add(tell)
  try {
    return await Promise.race([promise, lost])
  } finally {
    waiting.delete(tell)
    clearTimeout(timer)
  }
}

/** Waits until something is so. */
export const until = (what: string, isSo: () => boolean): Promise<void> => {
  const over = new AbortController()
  const polled = async () => {
    while (!over.signal.aborted && !isSo()) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return arrives(what, polled()).finally(() => over.abort())
}

const read = async (response: Response): Promise<Reply> => {
  const { headers, status } = response
  const chunks: Array<Uint8Array> = []
  const whole = (cut: boolean): Reply => ({
    body: Buffer.concat(chunks).toString(),
    cut,
    headers,
    status
  })
  try {
    for await (const chunk of response.body ?? []) chunks.push(chunk)
    return whole(false)
  } catch {
    return whole(true)
  }
}

const nothing: Reply = { body: "", cut: true, headers: new Headers(), status: 0 }

const observer = (name: string, told: Map<string, Array<number>>) =>
  Plugin.make(name, {
    middleware: [
      Middleware.observe(name, {
        build: Effect.succeed(() => ({ requestId }, status) => {
          told.set(requestId, [...(told.get(requestId) ?? []), status])
        })
      })
    ]
  })

/** Boots an app of these plugins on a listener. */
export const serve = async (
  listener: Listener,
  plugins: ReadonlyArray<Plugin.Any>,
  loggers: ReadonlyArray<Logger.Logger<unknown, unknown>> = []
): Promise<Server> => {
  const failures: Array<Failure> = []
  const lines: Array<string> = []
  const [first, last] = [new Map<string, Array<number>>(), new Map<string, Array<number>>()]
  const json = Logging.json({ environment: "test", service: "user-code", version: "0" })
  let url = "http://localhost"
  const LogPlugin = Plugin.make("test:log", {
    layer: Logger.layer([
      Logger.make(({ cause, fiber, logLevel }) => {
        if (logLevel !== "Error" && logLevel !== "Fatal") return
        const { requestId } = fiber.getRef(References.CurrentLogAnnotations)
        failures.push({ cause, requestId })
      }),
      Logger.map(json, (line) => void lines.push(line)),
      ...loggers
    ]),
    order: { first: true },
    ready: ({ address }) =>
      Effect.sync(() => {
        url = address ?? url
      })
  })
  const app = App.make(
    "user-code",
    // The plugins of a test require nothing of each other but in the same list.
    [LogPlugin, observer("test:first", first), ...plugins, observer("test:last", last)] as never,
    {
      config: {
        values: {
          app: { drainTimeout: "50 millis" },
          server: {
            host: "127.0.0.1",
            listener: listener === "web" ? "node" : listener,
            port: 0
          }
        },
        variables: {}
      }
    }
  )
  const web = App.toWebHandler(app)
  const scope = Scope.makeUnsafe()
  if (listener !== "web") {
    await Effect.runPromise(Scope.provide(Layer.build(App.layer(app)), scope))
  }
  const answer =
    listener === "web"
      ? web.handler
      : // Bun would send a request again whose reply was cut.
        (request: Request) => fetch(request, { keepalive: false })
  const release =
    listener === "web" ? web.dispose : () => Effect.runPromise(Scope.close(scope, Exit.void))
  const send: Server["send"] = (id, path, init = {}, begun) => {
    const headers = new Headers(init.headers)
    headers.set("x-request-id", id)
    const request = new Request(`${url}${path}`, { ...init, headers })
    return arrives(
      "The reply",
      answer(request).then(
        (response) => {
          begun?.()
          return read(response)
        },
        (error: unknown) => {
          // What `fetch` says of a connection that was closed before the head of a reply.
          if (listener !== "web" && error instanceof TypeError) return nothing
          throw error
        }
      )
    )
  }
  await send("boot", "/")
  return {
    failures,
    lines,
    send,
    stop: () => arrives("The end of the app", release()),
    told: (id) => [first.get(id) ?? [], last.get(id) ?? []]
  }
}
