/**
 * Runs an app while it is being written, and starts it again after each change.
 *
 * The new start serves before the old one drains, so no request waits. If a start fails beside the
 * old one, it is tried again alone: both may need the same thing, such as the port of a plugin. From
 * then on the old one ends first, and connections wait meanwhile. The same happens if the app uses a
 * companion.
 *
 * An app that does not start replaces one that runs: replies of a program that is not the one in the
 * editor would mislead.
 */
import { basename, relative } from "node:path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Companions from "./Companions.ts"
import * as Gate from "./Gate.ts"
import type { Failure } from "./Messages.ts"
import * as Place from "./Place.ts"
import * as Types from "./Types.ts"
import * as Watch from "./Watch.ts"
import type { Worker } from "./Worker.ts"
import * as Workers from "./Workers.ts"

const isSource = (path: string): boolean => /\.(?:[cm]?[jt]s|json)$/.test(path)

/** Whether a start reads the file, and the running app reads it again after a change. */
const isTemplate = (path: string): boolean => path.endsWith(".eta")

/** Whether a start reads the file although no module imports it. */
const isRead = (path: string): boolean =>
  /^(?:\.env(?:\..+)?|flange\.(?:json|toml|ya?ml)|package\.json|.+\.sql)$/.test(basename(path))

/** Whether a change of the file changes the installed packages. */
const isOfPackages = (path: string): boolean => /^package(?:-lock)?\.json$/.test(basename(path))

/** Returns a function that runs an effect and interrupts the one before. */
const newestOnly = Effect.gen(function* () {
  const handle = yield* FiberHandle.make()
  return yield* FiberHandle.runtime(handle)()
})

/** Runs the app of a file until it is interrupted, and then drains it. */
export const run = Effect.fn(function* (entry: string, options: { readonly types: boolean }) {
  const root = process.cwd()
  /** The worker that serves. */
  let current: Worker | undefined
  /** The worker that starts or serves. */
  let newest: Worker | undefined
  /** Whether the old worker ends before the new one starts. */
  let isAlone = false
  /** Whether a start waits for the drain of the old worker. */
  let isBrief = false

  const gate = yield* Gate.make
  const companions = yield* Companions.make
  const workers = yield* Workers.make({
    gate,
    onCompanion: async (worker, program, argument) => {
      if (worker !== newest) return { error: { reason: "a newer start has begun" } }
      isBrief = true
      const report = companions(program, argument)
      await Effect.runPromise(takeOver(worker))
      return report
    },
    onFolder: (folder) => watch.add(folder)
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      // The end of the app is no crash.
      current = undefined
    })
  )
  const checkTypes = Effect.flatMap(Types.make(), (lines) =>
    Effect.forEach(lines, (line) => Console.error(line), { discard: true })
  )
  const restart = yield* newestOnly
  const check = yield* newestOnly
  const watch = yield* Watch.make(root, (paths) => {
    const read = [...paths].filter(
      (path) =>
        workers.hasLoaded(path) ||
        isRead(path) ||
        (current === undefined && (isSource(path) || isTemplate(path)))
    )
    if (read.some(isOfPackages)) workers.discardSpare()
    if (read.length > 0) restart(start(read))
    else if (options.types && [...paths].some(isSource)) check(checkTypes)
  })

  /** Ends the other workers. Connections wait. */
  const takeOver = (worker: Worker) =>
    Effect.suspend(() => {
      current = undefined
      gate.hold()
      return workers.stopOthers(worker)
    })

  const attempt = (alone: boolean) =>
    Effect.suspend(() => {
      const worker = workers.take()
      newest = worker
      return Effect.gen(function* () {
        yield* worker.load(entry)
        if (alone) yield* takeOver(worker)
        return { ...(yield* worker.boot(isBrief)), worker }
      }).pipe(Effect.onError(() => Effect.forkDetach(worker.stop)))
    })

  const tryAlone = attempt(true).pipe(
    Effect.tap(() =>
      Effect.sync(() => {
        isAlone = true
        isBrief = true
      })
    )
  )

  const show = (failure: Failure) =>
    Effect.gen(function* () {
      current = undefined
      yield* gate.refuse(failure)
      const place = Place.untoldOf(failure)
      const at = place === undefined ? "" : `\nAt ${place}`
      yield* Console.error(`${failure.text}${at}\nCorrect it and save: the app then starts again.`)
    })

  const start = (changed: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const began = performance.now()
      // A request after a correction gets the reply of the app.
      if (current === undefined) gate.hold()
      const { address, ports, worker } = yield* attempt(isAlone).pipe(
        Effect.catchIf(
          ({ began }) => began && current !== undefined,
          () => tryAlone
        )
      )
      gate.open(worker.take)
      current = worker
      const took = `${Math.round(performance.now() - began)} ms`
      yield* Console.error(
        changed.length === 0
          ? `${entry} serves on ${address} after ${took}`
          : `Restarted in ${took}: ${changed.map((path) => relative(root, path)).join(", ")}`
      )
      if (changed.length === 0) {
        for (const [name, at] of Object.entries(ports)) {
          yield* Console.error(`The port "${name}" is on ${at}`)
        }
      }
      yield* Effect.forkDetach(workers.stopOthers(worker))
      yield* Effect.forkDetach(
        Effect.flatMap(worker.ended, (failure) =>
          current === worker ? show(failure) : Effect.void
        )
      )
    }).pipe(
      Effect.catch((failure) =>
        Effect.andThen(show(failure), Effect.forkDetach(workers.stopOthers()))
      ),
      Effect.andThen(
        Effect.sync(() => {
          workers.prepare()
          if (options.types) check(checkTypes)
        })
      )
    )

  restart(start([]))
  return yield* Effect.never
}, Effect.scoped)
