/** The process of a worker, as its supervisor sees it. */
import type { Worker } from "node:cluster"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { FromWorker, ToWorker } from "./Messages.ts"
import { isMessage, variable } from "./Messages.ts"

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  /** Why it could not be started, if it could not. */
  readonly error?: string
  readonly signal: string | null
}

/** The process of a worker. */
export interface Child {
  readonly ended: Deferred.Deferred<Ended>
  readonly kill: (signal: "SIGKILL" | "SIGUSR2") => void
  readonly number: number
  readonly pid: number | undefined
  /** Completed when it serves. */
  readonly ready: Deferred.Deferred<void>
  /** Sends a message. It is lost if the process has ended. */
  readonly send: (message: ToWorker) => void
}

/** Starts the process of a worker. `onMessage` gets what it sends from then on. */
export type Start = (
  number: number,
  of: number,
  onMessage: (child: Child, message: FromWorker) => void
) => Child

/** How long the last messages of a process that has ended may take. */
const lastMessagesMillis = 500

/** Returns the end of a process in words. */
export const endOf = ({ code, error, signal }: Ended): string =>
  error ?? (signal === null ? `exit code ${code}` : `signal ${signal}`)

/** Returns the exit code for a supervisor whose worker ended. */
export const codeOf = ({ code }: Ended): number => (code === null || code === 0 ? 1 : code)

/**
 * Returns the function that starts workers as processes of `node:cluster`: they run this program. Undefined
 * if something else has started this process as one.
 */
export const cluster = async (): Promise<Start | undefined> => {
  const { default: cluster } = await import("node:cluster")
  if (!cluster.isPrimary) return undefined
  // Metrics have values that JSON lacks: big integers, maps and infinity.
  cluster.setupPrimary({ serialization: "advanced" })
  return (number, of, onMessage) => {
    const ended = Deferred.makeUnsafe<Ended>()
    const fail = (error: unknown) =>
      Deferred.doneUnsafe(ended, Effect.succeed({ code: null, error: String(error), signal: null }))
    let worker: Worker
    try {
      worker = cluster.fork({ [variable]: `${number}/${of}` })
    } catch (error) {
      // Node reports some errors of the system so, and others by an event.
      fail(error)
      return {
        ended,
        kill: () => {},
        number,
        pid: undefined,
        ready: Deferred.makeUnsafe(),
        send: () => {}
      }
    }
    const child: Child = {
      ended,
      kill: (signal) => worker.process.kill(signal),
      number,
      pid: worker.process.pid,
      ready: Deferred.makeUnsafe(),
      send: (message) => {
        // The error of a process that ends just now has no listener but this.
        if (worker.isConnected()) worker.process.send(message, () => {})
      }
    }
    worker.on("error", (error: unknown) => {
      // A process that never was has no exit.
      if (child.pid === undefined) fail(error)
    })
    worker.on("message", (message: unknown) => {
      // Workers run the same version of this module.
      if (isMessage(message)) onMessage(child, message as FromWorker)
    })
    worker.on("exit", (code: number | null, signal: string | null) => {
      const end = () => Deferred.doneUnsafe(ended, Effect.succeed({ code, signal }))
      if (!worker.isConnected()) return end()
      // Its last messages come before the end of the channel, which its own children may hold open.
      worker.once("disconnect", end)
      setTimeout(end, lastMessagesMillis)
    })
    return child
  }
}
