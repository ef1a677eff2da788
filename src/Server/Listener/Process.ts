/** The main program of a Node process that serves an app. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import { longestTimer } from "../../Config/Timer.ts"
import * as Background from "../../Plugin/Background.ts"
import * as Pending from "../../Plugin/Boot/Pending.ts"
import { Shutdown } from "../../Plugin/Shutdown.ts"
import { CurrentWorker } from "../../Plugin/Worker.ts"
import * as NodeVersion from "./NodeVersion.ts"
import { CurrentPart, type MainProcess } from "./Workers/MainProcess.ts"
import * as Terminal from "./Workers/Terminal.ts"
import * as WorkerProcess from "./Workers/WorkerProcess.ts"

/** A program that calls `booted` with its services. */
type Program = (
  booted: (context: Context.Context<never>) => void
) => Effect.Effect<unknown, unknown>

/**
 * Runs a program to its end and exits. SIGHUP, SIGINT and SIGTERM interrupt the program; a
 * second SIGINT or SIGTERM exits at once. SIGUSR2 ends nothing. The program calls `booted` with its services, so that
 * an uncaught exception goes to the log of the app. On a version of Node that is too old, it exits with
 * code 1 and says which one it needs.
 *
 * With `workers`, the process may become the supervisor of `server.workers`, or be one of its workers.
 */
export const main = (program: Program, { workers = false } = {}): void => {
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
  setInterval(() => {}, longestTimer)
  const hasTerminal = workers && Terminal.isOpen()
  const part: MainProcess = { onHangup: undefined, onUrgent: undefined, stop }
  const link = workers ? WorkerProcess.open({ halt, stop }) : undefined
  const running = program((context) => {
    services = context
    link?.ready(context)
  }).pipe(
    Effect.provideService(
      Shutdown,
      Effect.sync(() => (link === undefined ? stop() : link.shutdown()))
    ),
    Effect.provideService(CurrentPart, link !== undefined ? "worker" : workers ? part : "alone"),
    Effect.provideService(CurrentWorker, link?.worker)
  )
  const fiber = Effect.runFork(
    link === undefined ? running : Effect.annotateLogs(running, "worker", link.worker.number)
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
  function halt(reason: string) {
    const pending = [...Pending.current(), ...Background.current()]
    if (pending.length > 0) {
      Effect.runForkWith(services)(Effect.logWarning(`These did not end: ${pending.join("; ")}`))
    }
    process.stderr.write(`${reason}\n`)
    const { onUrgent } = part
    if (onUrgent === undefined) process.exit(1)
    void onUrgent().finally(() => process.exit(1))
  }
  const onSignal = (signal: NodeJS.Signals) => {
    if (signalled) return halt(`Second ${signal}: stopping at once`)
    stopBySignal()
  }
  const onHangup = () => {
    // The supervisor decides what its workers do.
    if (link !== undefined) return
    const { onHangup } = part
    if (onHangup !== undefined && (!hasTerminal || Terminal.isOpen())) return onHangup()
    // The end of a terminal brings several of these: of the kernel and of the shell.
    stopBySignal()
  }
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
  // The log listens for it. Without this listener, it would end a process that has no log yet, or none any more.
  process.on("SIGUSR2", () => {})
  process.on("SIGHUP", onHangup)
  process.on("SIGINT", onSignal)
  process.on("SIGTERM", onSignal)
  process.on("uncaughtException", onUncaught)
  process.on("unhandledRejection", onRejection)
  fiber.addObserver((exit) => {
    // An interruption without a signal is a failure too.
    if (Exit.isFailure(exit) && !(stopping && Cause.hasInterruptsOnly(exit.cause))) {
      const named = namedIn(exit.cause)
      code = named === undefined ? 1 : Runtime.getErrorExitCode(named)
      process.stderr.write(`${named === undefined ? report(exit.cause) : named.message}\n`)
    }
    const end = () => process.exit(code)
    if (link === undefined) end()
    else link.leave(end)
  })
}

/**
 * Returns the error with an exit code of its own that a cause has: the app did not release everything, or
 * workers ended.
 */
const namedIn = (cause: Cause.Cause<unknown>): Error | undefined =>
  cause.reasons
    .map((reason) => (reason._tag === "Die" ? reason.defect : undefined))
    .find((defect): defect is Error => defect instanceof Error && Runtime.errorExitCode in defect)

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
