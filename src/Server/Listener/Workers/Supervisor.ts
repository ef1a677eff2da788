/** Keeps the workers of an app running: starts, restarts, replaces and stops them. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Runtime from "effect/Runtime"
import * as Semaphore from "effect/Semaphore"
import type { WorkerStatus } from "../../../Plugin/Worker.ts"
import { type Child, codeOf, type Ended, endOf, type Start } from "./Child.ts"
import { Collector } from "./Collector.ts"
import type { MainProcess } from "./MainProcess.ts"
import type { FromWorker, Snapshots } from "./Messages.ts"

/** The waits before a crashed worker starts again: they double from the first to the longest. */
const firstWait = 100
const longestWait = 30_000

/** A worker that has served for so long has not crashed at once. */
const stable = 60_000

/** After so many failed starts in a row while no worker serves, the supervisor gives up. */
const mostFailures = 5

/** How long workers may take to stop at once. */
const haltMillis = 500

/** Workers ended in a way that ends the supervisor too. Its exit code is that of a worker. */
export class WorkerError extends Data.TaggedError("WorkerError")<{
  readonly code: number
  readonly message: string
}> {
  override readonly [Runtime.errorExitCode] = this.code
}

/** What a supervisor needs. */
export interface Options {
  /** How many workers boot at the same time at most. */
  readonly atOnce: number
  readonly count: number
  /** How long a worker may take to stop, whatever it waits for; after that it is killed. */
  readonly limit: Duration.Duration
  readonly main: MainProcess
  /** Takes the lines that no worker can write to the log of the app. */
  readonly report: (text: string) => void
  readonly start: Start
}

/** One number of a worker, and the processes that have it one after the other. */
interface Slot {
  /** The process that serves, or the one that starts first. */
  child: Child | undefined
  /** How often it has crashed in a row. */
  crashes: number
  readonly number: number
  /** Completed when another process takes the place of `child`. */
  replaced: Deferred.Deferred<void>
  restarts: number
  /** Held by whoever starts a process for it. */
  readonly starting: Semaphore.Semaphore
  status: WorkerStatus["status"]
}

/** Returns the wait before a worker that has crashed so often in a row starts again. */
export const waitAfter = (crashes: number): Effect.Effect<Duration.Duration> =>
  Effect.map(Random.next, (random) => {
    const most = Math.min(longestWait, firstWait * 2 ** Math.min(crashes - 1, 20))
    // Workers that crash together must not start together again and again.
    return Duration.millis(Math.round(most * (0.75 + random / 4)))
  })

/** One supervisor: the state that its parts share. */
class Supervisor {
  readonly #alive = new Map<Child, Slot>()
  readonly #collector: Collector
  #failures = 0
  readonly #options: Options
  /** The workers that have to open their log files again once they are ready. */
  readonly #outdated = new Set<Child>()
  readonly #ready = new Set<Child>()
  readonly #reloads = Effect.runSync(Queue.dropping<void>(1))
  readonly #slots: ReadonlyArray<Slot>

  constructor(options: Options) {
    this.#options = options
    this.#slots = Array.from({ length: options.count }, (_, i) => ({
      child: undefined,
      crashes: 0,
      number: i + 1,
      replaced: Deferred.makeUnsafe(),
      restarts: 0,
      starting: Semaphore.makeUnsafe(1),
      status: "starting"
    }))
    this.#collector = new Collector(
      (child) => this.#alive.get(child)?.child === child,
      () => this.#slots.map(restartsOf)
    )
  }

  run(): Effect.Effect<never> {
    const { main } = this.#options
    main.onHangup = () => void Queue.offerUnsafe(this.#reloads, undefined)
    main.onUrgent = () => this.#halt()
    const onReopen = () => {
      for (const child of this.#alive.keys()) {
        if (this.#ready.has(child)) child.kill("SIGUSR2")
        // The signal would end a process that does not listen for it yet.
        else this.#outdated.add(child)
      }
    }
    // The workers open the files of their logs again.
    process.on("SIGUSR2", onReopen)
    const [first, ...others] = this.#slots
    return Effect.gen({ self: this }, function* () {
      // The first one alone, so that a failure is reported once and migrations run once.
      yield* this.#begin(first!)
      // More boots than processors take longer together, and a stop would come late.
      yield* Effect.forEach(others, (slot) => this.#begin(slot), {
        concurrency: this.#options.atOnce,
        discard: true
      })
      this.#log(`${this.#slots.length} workers serve`)
      return yield* Effect.raceFirst(
        Effect.andThen(
          all(this.#slots, (slot) => this.#keep(slot)),
          Effect.never
        ),
        Effect.forever(Effect.andThen(Queue.take(this.#reloads), this.#reload()))
      )
    }).pipe(
      Effect.onExit((exit) => this.#stop(exit)),
      Effect.ensuring(Effect.sync(() => process.off("SIGUSR2", onReopen)))
    )
  }

  /** Starts a worker for the first time. */
  #begin(slot: Slot): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      slot.child = this.#fork(slot)
      const ended = yield* this.#served(slot.child)
      if (ended === undefined) return this.#setStatus(slot, "serving")
      return yield* died(
        ended,
        `Worker ${slot.number} ended with ${endOf(ended)} before it served.`
      )
    })
  }

  #countFailure(ended: Ended): Effect.Effect<void> {
    this.#failures++
    return this.#failures < mostFailures || this.#slots.some(({ status }) => status === "serving")
      ? Effect.void
      : died(
          ended,
          `No worker serves, and ${this.#failures} starts in a row have failed. The last one ended with ${endOf(ended)}.`
        )
  }

  /** Makes a process drain and waits for its end. Kills it after the limit. */
  #drain(child: Child): Effect.Effect<Ended> {
    return Effect.suspend(() => {
      child.send({ flange: "stop" })
      const { limit } = this.#options
      return this.#ended(child).pipe(
        Effect.timeoutOption(limit),
        Effect.flatMap((ended) => {
          if (Option.isSome(ended)) return Effect.succeed(ended.value)
          const within = Duration.format(limit)
          this.#log(`Worker ${child.number} did not stop within ${within} and is killed`, true)
          child.kill("SIGKILL")
          return this.#ended(child)
        })
      )
    })
  }

  /** Waits for the end of a process. */
  #ended(child: Child): Effect.Effect<Ended> {
    return Effect.tap(Deferred.await(child.ended), () =>
      Effect.sync(() => {
        this.#alive.delete(child)
        this.#outdated.delete(child)
        this.#ready.delete(child)
        this.#collector.remove(child)
      })
    )
  }

  #fork(slot: Slot): Child {
    const child = this.#options.start(slot.number, this.#slots.length, (from, message) =>
      this.#onMessage(from, message)
    )
    this.#alive.set(child, slot)
    return child
  }

  /** Stops all workers at once. Those that do not follow are killed. */
  #halt(): Promise<unknown> {
    const ends = [...this.#alive.keys()].map((child) => {
      child.send({ flange: "halt" })
      return Effect.runPromise(Effect.timeoutOption(this.#ended(child), haltMillis)).then(() =>
        child.kill("SIGKILL")
      )
    })
    return Promise.all(ends)
  }

  /** Starts a worker again whenever it ends. */
  #keep(slot: Slot): Effect.Effect<never> {
    return Effect.forever(
      Effect.gen({ self: this }, function* () {
        const child = slot.child!
        const since = yield* Clock.currentTimeMillis
        const ended = yield* Effect.raceFirst(
          this.#ended(child),
          Effect.as(Deferred.await(slot.replaced), undefined)
        )
        slot.replaced = Deferred.makeUnsafe()
        if (ended === undefined || slot.child !== child) return
        if ((yield* Clock.currentTimeMillis) - since >= stable) slot.crashes = 0
        yield* this.#restart(slot, ended)
      })
    )
  }

  /** Logs a line in a worker: the supervisor has not acquired the log of the app. */
  #log(text: string, isWarning = false): void {
    const child =
      this.#slots.find(({ child }) => child !== undefined && this.#ready.has(child))?.child ??
      [...this.#ready][0]
    if (child === undefined) this.#options.report(text)
    else child.send({ flange: "log", isWarning, text })
  }

  #onMessage(child: Child, message: FromWorker): void {
    switch (message.flange) {
      case "collect":
      case "metrics":
        return this.#collector.onMessage(child, message)
      case "echo":
        return child.send(message)
      case "ready":
        this.#ready.add(child)
        if (this.#outdated.delete(child)) child.kill("SIGUSR2")
        this.#collector.add(child)
        Deferred.doneUnsafe(child.ready, Effect.void)
        return this.#tell()
      case "shutdown":
        return this.#options.main.stop()
    }
  }

  /** Replaces the workers one after the other, each by one that serves already. */
  #reload(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      this.#log(`Reload: ${this.#slots.length} workers are replaced one after the other`)
      for (const slot of this.#slots) {
        const ended = yield* Semaphore.withPermit(slot.starting, this.#replace(slot))
        if (ended === undefined) {
          yield* all(this.#replaced(slot), (old) => this.#drain(old))
          continue
        }
        return this.#log(
          `Reload ended: the new worker ${slot.number} ended with ${endOf(ended)} before it served. The workers from ${slot.number} on are the old ones.`,
          true
        )
      }
      this.#log("Reload ended: all workers are new")
    })
  }

  /** Replaces the process of a worker. Returns how the new one ended if it did not serve. */
  #replace(slot: Slot): Effect.Effect<Ended | undefined> {
    return Effect.gen({ self: this }, function* () {
      const fresh = this.#fork(slot)
      const failed = yield* this.#served(fresh)
      if (failed !== undefined) return failed
      slot.child = fresh
      slot.crashes = 0
      Deferred.doneUnsafe(slot.replaced, Effect.void)
      this.#setStatus(slot, "serving")
      return undefined
    })
  }

  /** Returns the processes of a worker that another one has replaced. */
  #replaced(slot: Slot): ReadonlyArray<Child> {
    return [...this.#alive.keys()].filter(
      (child) => child.number === slot.number && child !== slot.child && this.#ready.has(child)
    )
  }

  /** Starts a worker that has crashed, after waits, until it serves. */
  #restart(slot: Slot, crash: Ended): Effect.Effect<void> {
    const gone = slot.child
    const attempt = Effect.gen({ self: this }, function* () {
      // A reload has started one meanwhile.
      if (slot.child !== gone) return undefined
      this.#setStatus(slot, "starting")
      const fresh = this.#fork(slot)
      const failed = yield* this.#served(fresh)
      if (failed !== undefined) return failed
      slot.child = fresh
      this.#setStatus(slot, "serving")
      this.#log(`Worker ${slot.number} serves again`)
      return undefined
    })
    return Effect.gen({ self: this }, function* () {
      let ended: Ended | undefined = crash
      while (ended !== undefined) {
        slot.crashes++
        slot.restarts++
        this.#setStatus(slot, "waiting")
        const wait = yield* waitAfter(slot.crashes)
        const text = `Worker ${slot.number} ended with ${endOf(ended)}, restarts in ${Duration.format(wait)}`
        this.#log(text, true)
        yield* Effect.sleep(wait)
        ended = yield* Semaphore.withPermit(slot.starting, attempt)
        if (ended !== undefined) yield* this.#countFailure(ended)
      }
    })
  }

  /** Waits until a worker serves. Returns how it ended if it does not. */
  #served(child: Child): Effect.Effect<Ended | undefined> {
    return Effect.raceFirst(
      Effect.map(Deferred.await(child.ready), () => {
        this.#failures = 0
        return undefined
      }),
      this.#ended(child)
    )
  }

  #setStatus(slot: Slot, status: WorkerStatus["status"]): void {
    slot.status = status
    this.#tell()
  }

  /** Stops all workers at the same time. Dies with the exit code of one that did not stop well. */
  #stop(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const children = [...this.#alive.keys()]
      return Effect.forEach(children, (child) => this.#drain(child), { concurrency: "unbounded" })
    }).pipe(
      Effect.flatMap((ends) => {
        const bad = ends.find(isBad)
        // The reason for the stop is reported, if there is one.
        return bad === undefined || !(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
          ? Effect.void
          : died(bad, `A worker ended with ${endOf(bad)} when it was to stop.`)
      })
    )
  }

  /** Tells all workers how they all are. */
  #tell(): void {
    const workers = this.#slots.map(({ child, number, restarts, status }) => ({
      number,
      pid: child?.pid,
      restarts,
      status
    }))
    for (const child of this.#ready) child.send({ flange: "workers", workers })
  }
}

const all = <A>(each: Iterable<A>, run: (one: A) => Effect.Effect<unknown>) =>
  Effect.forEach(each, run, { concurrency: "unbounded", discard: true })

const died = (ended: Ended, message: string): Effect.Effect<never> =>
  Effect.die(new WorkerError({ code: codeOf(ended), message }))

/** A terminal or a service manager may send a signal to every process, at any time of its start. */
const isBad = ({ code, signal }: Ended): boolean =>
  signal === null ? code !== 0 : !["SIGHUP", "SIGINT", "SIGTERM"].includes(signal)

const restartsOf = ({ number, restarts }: Slot): Snapshots[number] => ({
  attributes: { "flange.worker": String(number) },
  description: "Starts of a worker after a crash",
  id: "flange.worker.restarts",
  state: { count: restarts, incremental: true },
  type: "Counter"
})

/**
 * Runs workers until it is interrupted; then it drains all of them. SIGHUP replaces them one after the
 * other. A worker that crashes is started again. Dies with `WorkerError` if one does not serve at first.
 */
export const supervise = (options: Options): Effect.Effect<never> =>
  Effect.suspend(() => new Supervisor(options).run())
