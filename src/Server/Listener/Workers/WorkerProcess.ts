/** The process of a worker: its link to the supervisor. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as MetricTotals from "../../../Plugin/MetricTotals.ts"
import type { WorkerShape, WorkerStatus } from "../../../Plugin/Worker.ts"
import { type FromWorker, isMessage, type Snapshots, type ToWorker, variable } from "./Messages.ts"

/** How long the supervisor may take to gather the metrics, in milliseconds. */
const patience = 3000

/** What the main program of a worker does for its supervisor. */
export interface Commands {
  /** Stops at once, as a second signal does. */
  readonly halt: (reason: string) => void
  /** Stops, as a first signal does. Further signals do not become urgent by it. */
  readonly stop: () => void
}

/** The link of a worker to its supervisor. */
export interface Link {
  /** Sends the last metrics, then calls back. */
  readonly leave: (then: () => void) => void
  /** Tells that the app serves. Its services log the lines of the supervisor. */
  readonly ready: (services: Context.Context<never>) => void
  /** Asks the supervisor to stop all workers. */
  readonly shutdown: () => void
  readonly worker: WorkerShape
}

/**
 * Opens the link of this process, if it is a worker. It drains if the supervisor is gone; if it was
 * stopping already, it ends at once.
 */
export const open = (commands: Commands): Link | undefined => {
  const [number, of] = (process.env[variable] ?? "").split("/").map(Number)
  // Processes that the app starts are no workers.
  Reflect.deleteProperty(process.env, variable)
  if (!number || !of || process.send === undefined) return undefined
  const send = (message: FromWorker, sent: () => void = () => {}) => {
    if (process.connected) process.send!(message, undefined, undefined, sent)
    else sent()
  }
  void import("node:cluster").then(({ default: { worker } }) => {
    // Node would exit at once with its supervisor, and cut the requests in flight.
    if (worker !== undefined) worker.exitedAfterDisconnect = true
  })
  let read: () => Snapshots = () => []
  let workers: ReadonlyArray<WorkerStatus> = []
  let log: (isWarning: boolean, text: string) => void = () => {}
  let isStopping = false
  const metrics = (): Snapshots => {
    try {
      return read()
    } catch {
      // What a reading reads is released already.
      return []
    }
  }
  const stop = () => {
    isStopping = true
    commands.stop()
  }

  let next = 0
  let asking = 0
  let collected: ((metrics: Snapshots) => void) | undefined
  const ask = () =>
    new Promise<Snapshots>((resolve) => {
      const own = () => MetricTotals.merge([{ metrics: metrics(), worker: number }])
      const timer = setTimeout(() => collected?.(own()), patience)
      collected = (found) => {
        clearTimeout(timer)
        collected = undefined
        resolve(found)
      }
      asking = ++next
      send({ flange: "collect", id: asking })
    })
  let asked: Promise<Snapshots> | undefined
  // However many callers ask: the supervisor is asked by one at a time.
  const collect = () => (asked ??= ask().finally(() => (asked = undefined)))

  const echoes = new Map<number, () => void>()
  const handedOver = Effect.callback<void>((resume) => {
    const id = ++next
    echoes.set(id, () => resume(Effect.void))
    if (process.connected) send({ flange: "echo", id })
    else resume(Effect.void)
    return Effect.sync(() => echoes.delete(id))
  })

  process.on("message", (message: unknown) => {
    if (!isMessage(message)) return
    // The supervisor has the same version of this module.
    const known = message as ToWorker
    switch (known.flange) {
      case "collected":
        if (known.id === asking) collected?.(MetricTotals.merge(known.parts))
        return
      case "echo":
        echoes.get(known.id)?.()
        echoes.delete(known.id)
        return
      case "halt":
        return commands.halt("The supervisor stops at once")
      case "log":
        return log(known.isWarning, known.text)
      case "metrics":
        return send({ flange: "metrics", id: known.id, metrics: metrics() })
      case "stop":
        return stop()
      case "workers":
        workers = known.workers
    }
  })
  process.on("disconnect", () => {
    for (const echo of echoes.values()) echo()
    if (isStopping) return commands.halt("The supervisor is gone")
    stop()
  })
  return {
    leave: (then) => send({ flange: "metrics", id: undefined, metrics: metrics() }, then),
    ready: (services) => {
      log = (isWarning, text) => {
        const line = isWarning ? Effect.logWarning(text) : Effect.logInfo(text)
        Effect.runForkWith(services)(Effect.annotateLogs(line, "worker", "supervisor"))
      }
      send({ flange: "ready" })
    },
    shutdown: () => send({ flange: "shutdown" }),
    worker: {
      handedOver,
      metrics: Effect.promise(collect),
      number,
      of,
      offerMetrics: (offered) => {
        read = offered
      },
      workers: () => workers
    }
  }
}
