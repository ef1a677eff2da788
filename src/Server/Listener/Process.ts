/** The main program of a Node process that serves an app. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import * as Pending from "../../Plugin/Boot/Pending.ts"
import { ReleaseTimeoutError } from "../../Plugin/Errors.ts"
import { Shutdown } from "../../Plugin/Shutdown.ts"
import * as NodeVersion from "./NodeVersion.ts"

/**
 * Runs a program to its end and exits. SIGHUP, SIGINT and SIGTERM interrupt the program; a
 * second SIGINT or SIGTERM exits at once. The program calls `booted` with its services, so that
 * an uncaught exception goes to the log of the app. On a version of Node that is too old, it exits with
 * code 1 and says which one it needs.
 */
export const main = (
  program: (booted: (context: Context.Context<never>) => void) => Effect.Effect<unknown, unknown>
): void => {
  const problem = NodeVersion.problem(process.versions.node)
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`)
    process.exit(1)
  }
  let code = 0
  let services = Context.empty()
  /** Whether the end has been asked for in a way that a further signal makes urgent. */
  let signalled = false
  let stopping = false
  // A program that waits for something that holds no process would end it with the code 0.
  setInterval(() => {}, 2 ** 31 - 1)
  const fiber = Effect.runFork(
    Effect.provideService(
      program((context) => {
        services = context
      }),
      Shutdown,
      Effect.sync(() => stop())
    )
  )
  function stop() {
    if (stopping) return
    stopping = true
    Effect.runFork(Fiber.interrupt(fiber))
  }
  const stopBySignal = () => {
    signalled = true
    stop()
  }
  const onSignal = (signal: NodeJS.Signals) => {
    if (signalled) {
      const pending = Pending.current()
      if (pending.length > 0) {
        Effect.runForkWith(services)(Effect.logWarning(`These did not end: ${pending.join("; ")}`))
      }
      process.stderr.write(`Second ${signal}: stopping at once\n`)
      process.exit(1)
    }
    stopBySignal()
  }
  // The end of a terminal brings several of these: of the kernel and of the shell.
  const onHangup = stopBySignal
  const onUncaught = (error: unknown) => {
    code = 1
    Effect.runForkWith(services)(Effect.logFatal("Uncaught exception", Cause.die(error)))
    stopBySignal()
  }
  const onRejection = (reason: unknown) => {
    // Without this listener Node would make it an uncaught exception.
    Effect.runForkWith(services)(
      Effect.logError("A promise was rejected and nothing handled it", Cause.die(reason))
    )
  }
  process.on("SIGHUP", onHangup)
  process.on("SIGINT", onSignal)
  process.on("SIGTERM", onSignal)
  process.on("uncaughtException", onUncaught)
  process.on("unhandledRejection", onRejection)
  fiber.addObserver((exit) => {
    // An interruption without a signal is a failure too.
    if (Exit.isFailure(exit) && !(stopping && Cause.hasInterruptsOnly(exit.cause))) {
      const held = heldIn(exit.cause)
      code = held === undefined ? 1 : Runtime.getErrorExitCode(held)
      process.stderr.write(`${held === undefined ? report(exit.cause) : held.message}\n`)
    }
    process.exit(code)
  })
}

/** Returns the error of an app that did not release everything, if a cause has one. */
const heldIn = (cause: Cause.Cause<unknown>): ReleaseTimeoutError | undefined =>
  cause.reasons
    .map((reason) => (reason._tag === "Die" ? reason.defect : undefined))
    .find((defect) => defect instanceof ReleaseTimeoutError)

/**
 * Returns the report of a failed boot: the message of a typed error, or a defect with its
 * stack.
 */
export const report = (cause: Cause.Cause<unknown>): string => {
  const failure = cause.reasons.find((reason) => reason._tag === "Fail")
  if (failure !== undefined && failure.error instanceof Error) {
    const { message, name } = failure.error
    return `The app did not start.\n\n${name}: ${message}`
  }
  return `The app did not start.\n\n${Cause.pretty(cause)}`
}
