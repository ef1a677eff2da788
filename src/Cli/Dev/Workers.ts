/** The processes that run the app: at most one that starts or serves, those that drain, and a spare. */
import { dirname, sep } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Report } from "../../Plugin/Companion.ts"
import type { Gate } from "./Gate.ts"
import * as Place from "./Place.ts"
import * as Worker from "./Worker.ts"

/** The processes that run the app. */
export interface Workers {
  /** Ends the spare: the packages that it has loaded have changed. */
  readonly discardSpare: () => void
  /** Whether the app has loaded the module of a file. */
  readonly hasLoaded: (path: string) => boolean
  /** Begins a spare if there is none. It loads the packages of the app, and waits for an app. */
  readonly prepare: () => void
  /** Drains and ends those that there are now, but for one and the spare. */
  readonly stopOthers: (worker?: Worker.Worker) => Effect.Effect<void>
  /** Returns the spare, or else a new process. */
  readonly take: () => Worker.Worker
}

/** Creates the processes. They end with the scope, or at once at a second interruption. */
export const make = (options: {
  readonly gate: Gate
  /** Runs a companion for a worker. */
  readonly onCompanion: (
    worker: Worker.Worker,
    program: string,
    argument: string
  ) => Promise<Report>
  /** Called with a folder that has modules of the app and is not below the working directory. */
  readonly onFolder: (folder: string) => void
}): Effect.Effect<Workers, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { gate, onCompanion, onFolder } = options
    const below = process.cwd() + sep
    const all = new Set<Worker.Worker>()
    const modules = new Set<string>()
    const packages = new Set<string>()
    let spare: Worker.Worker | undefined

    const onModules = (urls: ReadonlyArray<string>) => {
      for (const url of urls) {
        const path = Place.isOfPackage(url) ? undefined : Place.pathOf(url)
        if (path === undefined) packages.add(url)
        else {
          modules.add(path)
          if (!path.startsWith(below)) onFolder(dirname(path))
        }
      }
    }
    const begin = (): Worker.Worker => {
      const worker: Worker.Worker = Worker.make({
        gate,
        onCompanion: (program, argument) => onCompanion(worker, program, argument),
        onModules,
        packages: [...packages]
      })
      all.add(worker)
      return worker
    }
    const stop = (worker: Worker.Worker) =>
      Effect.ensuring(
        worker.stop,
        Effect.sync(() => all.delete(worker))
      )
    const stopAll = (workers: ReadonlyArray<Worker.Worker>) =>
      Effect.forEach(workers, stop, { concurrency: "unbounded", discard: true })

    yield* killAtSecondInterrupt(all)
    yield* Effect.addFinalizer(() => stopAll([...all]))
    return {
      discardSpare: () => {
        if (spare !== undefined) Effect.runFork(stop(spare))
        spare = undefined
      },
      hasLoaded: (path) => modules.has(path),
      prepare: () => {
        spare ??= begin()
      },
      stopOthers: (worker) => stopAll([...all].filter((each) => each !== worker && each !== spare)),
      take: () => {
        const worker = spare?.isAlive() === true ? spare : begin()
        spare = undefined
        return worker
      }
    }
  })

/** A second signal within this time is the same one: npm passes on what the terminal has sent. */
const echoMillis = 300

const killAtSecondInterrupt = (workers: ReadonlySet<Worker.Worker>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      let first: number | undefined
      const onInterrupt = () => {
        first ??= performance.now()
        if (performance.now() - first < echoMillis) return
        for (const worker of workers) worker.kill()
      }
      process.on("SIGINT", onInterrupt)
      return onInterrupt
    }),
    (onInterrupt) => Effect.sync(() => process.off("SIGINT", onInterrupt))
  )
