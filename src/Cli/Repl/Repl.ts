/** A prompt for JavaScript that has the services of an app. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import * as Repl from "node:repl"
import { PassThrough, Writable } from "node:stream"
import { inspect } from "node:util"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as AppDefinition from "../../Plugin/AppDefinition.ts"
import * as Failure from "../Failure.ts"
import * as Modules from "./Modules.ts"

/** The failure of an effect. The prompt shows its message and no stack. */
class Failed extends Error {
  [inspect.custom]() {
    return this.message
  }
}

const textOf = (cause: Cause.Cause<unknown>): string =>
  Cause.hasInterruptsOnly(cause) ? "Interrupted" : Failure.of(cause).text

/** Returns the name of a class, or the last part of a key such as "effect/sql/SqlClient". */
const nameOf = (key: Context.Key<unknown, unknown> & { readonly name?: string }): string =>
  // The prototype of a class is the class that it extends.
  typeof Object.getPrototypeOf(key) === "function"
    ? key.name!
    : key.key.slice(key.key.lastIndexOf("/") + 1)

/** Returns the services of an app by the names of their classes. */
const servicesOf = ({ plugins }: AppDefinition.Any, services: Context.Context<unknown>) =>
  Object.fromEntries(
    plugins
      .flatMap(({ manifest }) => manifest.provides)
      .map((key) => [nameOf(key), Context.getUnsafe(services, key)] as const)
      // The implementations of actions have other names.
      .filter(([name]) => /^[\w$]+$/.test(name))
  )

/**
 * Takes the listeners of SIGINT away. With listeners, Node does not interrupt code of the prompt, but
 * ends the process.
 */
const withoutInterrupts = Effect.acquireRelease(
  Effect.sync(() => {
    const listeners = process.listeners("SIGINT")
    process.removeAllListeners("SIGINT")
    return listeners
  }),
  (listeners) =>
    Effect.sync(() => {
      for (const listener of listeners) process.on("SIGINT", listener)
    })
)

/** Where a prompt reads and writes. */
export interface Terminal {
  /** Whether a person sits in front of it. */
  readonly isInteractive: boolean
  /** Writes to stdout. The log of the app does not. */
  readonly write: typeof process.stdout.write
}

/** Returns the output of input that is piped: results are on stdout, and errors on stderr. */
const divided = (write: Terminal["write"]) =>
  new Writable({
    decodeStrings: false,
    write: (chunk: string, _, done) => {
      if (chunk.startsWith("Uncaught")) process.stderr.write(chunk, done)
      else write(chunk, done)
    }
  })

/**
 * Passes a line of stdin to the server when the one before is evaluated. By itself the server would
 * evaluate all lines at once, and not wait for an `await`.
 */
const feed = (server: Repl.REPLServer, input: PassThrough): void => {
  const lines = createInterface(process.stdin)[Symbol.asyncIterator]()
  const next = async () => {
    const { done, value } = await lines.next()
    if (done) input.end()
    else input.write(`${value}\n`)
  }
  Object.assign(server, { displayPrompt: next })
  void next()
}

/**
 * Reads and evaluates lines until the input ends. Ctrl-C interrupts the effects that run. Returns
 * whether no line failed; in front of a person it is always true.
 */
export const start = (
  app: AppDefinition.Any,
  { isInteractive, write }: Terminal
): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    const fibers = new Set<Fiber.Fiber<unknown, unknown>>()
    const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> =>
      new Promise((resolve, reject) => {
        const fiber = Effect.runForkWith(context)(effect)
        fibers.add(fiber)
        fiber.addObserver((exit) => {
          fibers.delete(fiber)
          if (Exit.isSuccess(exit)) resolve(exit.value)
          else reject(new Failed(textOf(exit.cause)))
        })
      })
    const services = servicesOf(app, context as Context.Context<unknown>)
    if (isInteractive) {
      yield* withoutInterrupts
      const names = Object.keys(services).sort()
      yield* Console.error(
        `The app is \`app\`, and its services are ${names.join(", ")}.\nRun an effect: await run(effect). Ctrl-C interrupts it, and Ctrl-D ends.`
      )
    }
    return yield* Effect.callback<boolean>((resume) => {
      const input = new PassThrough()
      const server = Repl.start({
        breakEvalOnSigint: isInteractive,
        ignoreUndefined: !isInteractive,
        input: isInteractive ? process.stdin : input,
        output: isInteractive
          ? (Object.create(process.stdout, { write: { value: write } }) as Writable)
          : divided(write),
        prompt: isInteractive ? `${app.id}> ` : "",
        terminal: isInteractive
      })
      Object.assign(server.context, Modules, services, { app, run })
      if (isInteractive) {
        mkdirSync(".flange", { recursive: true })
        // Without the file there is no history.
        server.setupHistory(join(".flange", "repl_history"), () => {})
      } else feed(server, input)
      server.on("SIGINT", () => {
        for (const fiber of fibers) Effect.runFork(Fiber.interrupt(fiber))
      })
      server.on("exit", () =>
        resume(Effect.succeed(isInteractive || server.context["_error"] === undefined))
      )
      return Effect.sync(() => server.close())
    })
  }).pipe(Effect.scoped)
