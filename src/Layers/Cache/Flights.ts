/** Lets callers that want the same at the same time share one run. */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Deadline from "../../Plugin/Deadline.ts"
import type { Plan } from "./Records.ts"

interface Flight {
  /** The flights for which its load waits. */
  readonly awaited: Set<Flight>
  readonly done: Deferred.Deferred<unknown, unknown>
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** Whether the caller whose services it uses still waits. */
  hasStarter: boolean
  readonly plan: Plan
  /** The schema of the value. Callers with another one do not share it. */
  readonly schema: object
  waiting: number
}

/** The flights in which a fiber runs. */
const Inside: Context.Reference<ReadonlyArray<Flight>> = Context.Reference("flange/Cache/Inside", {
  defaultValue: (): ReadonlyArray<Flight> => []
})

/** Whether a flight waits, also through others, for one of these. Each is looked at once. */
const waitsFor = (flight: Flight, some: ReadonlyArray<Flight>): boolean => {
  // A set is iterated with what is added meanwhile.
  const all = new Set([flight])
  for (const one of all) {
    if (some.includes(one)) return true
    for (const next of one.awaited) all.add(next)
  }
  return false
}

/**
 * Runs in progress, by key. A run has the services of the caller that started it, and goes on while a
 * caller waits for it. When no caller waits any more, it is interrupted.
 *
 * The services of a caller that left may have ended, such as its transaction. If a run fails after its
 * starter left, the callers that still wait start again with their own services.
 */
export class Flights {
  readonly #flights = new Map<string, Flight>()
  readonly #scope: Scope.Scope

  /** The runs are interrupted when the scope closes. */
  constructor(scope: Scope.Scope) {
    this.#scope = scope
  }

  /** Lets later callers start a run of their own, and leaves the one in progress to its callers. */
  forget(isOld: (plan: Plan) => boolean): void {
    for (const [key, { plan }] of this.#flights) if (isOld(plan)) this.#flights.delete(key)
  }

  /** Runs an effect, or waits for the run of the same key. */
  run<A, E, R>(plan: Plan, schema: object, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    const flown = Effect.flatMap(Inside, (inside) => {
      const known = this.#flights.get(plan.entryKey)
      if (known === undefined) return this.#start(plan, schema, effect, inside.at(-1))
      if (known.schema !== schema) return effect
      return waitsFor(known, inside)
        ? Effect.die(
            new Error(
              `The load of the cached value ${plan.key.path} asks the cache for the same value, by itself or through other loads, and would wait for itself. Let it load the value from its source.`
            )
          )
        : this.#join(known, schema, effect, inside.at(-1))
    })
    return Deadline.during("cache", flown)
  }

  /** Starts a run in the background, unless one runs already. */
  startAlone<A, E, R>(
    plan: Plan,
    schema: object,
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<void, never, R> {
    return Effect.suspend(() =>
      this.#flights.has(plan.entryKey)
        ? Effect.void
        : Effect.asVoid(Effect.uninterruptible(this.#fork(plan, schema, effect)))
    )
  }

  #join<A, E, R>(
    known: Flight,
    schema: object,
    effect: Effect.Effect<A, E, R>,
    outer: Flight | undefined
  ): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      known.waiting++
      return Effect.flatMap(
        // A run of the same key and schema has the types of this one.
        Effect.exit(this.#wait(known, outer) as Effect.Effect<A, E>),
        (exit) =>
          Exit.isFailure(exit) && !known.hasStarter ? this.run(known.plan, schema, effect) : exit
      )
    })
  }

  #fork<A, E, R>(
    plan: Plan,
    schema: object,
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<Flight, never, R> {
    const flight: Flight = {
      awaited: new Set(),
      done: Deferred.makeUnsafe(),
      fiber: undefined,
      hasStarter: true,
      plan,
      schema,
      waiting: 1
    }
    this.#flights.set(plan.entryKey, flight)
    const running = Effect.updateService(effect, Inside, (inside) => [...inside, flight]).pipe(
      // The run may go on for callers that have more time than the one that started it.
      Effect.provideService(Deadline.Deadline, undefined)
    )
    return Effect.map(Effect.forkIn(running, this.#scope, { startImmediately: true }), (fiber) => {
      flight.fiber = fiber
      // A fiber of a scope that has closed ends before it runs anything.
      fiber.addObserver((exit) => {
        this.#end(flight)
        Deferred.doneUnsafe(flight.done, exit)
      })
      return flight
    })
  }

  #end(flight: Flight): void {
    const { entryKey } = flight.plan
    if (this.#flights.get(entryKey) === flight) this.#flights.delete(entryKey)
  }

  #start<A, E, R>(
    plan: Plan,
    schema: object,
    effect: Effect.Effect<A, E, R>,
    outer: Flight | undefined
  ): Effect.Effect<A, E, R> {
    // A run in the list that is not running would make all others wait for ever.
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(this.#fork(plan, schema, effect), (flight) =>
        Effect.onInterrupt(restore(this.#wait(flight, outer) as Effect.Effect<A, E>), () =>
          Effect.sync(() => void (flight.hasStarter = false))
        )
      )
    )
  }

  /** Waits for a flight. `outer` is the flight whose load waits, if it is one. */
  #wait(flight: Flight, outer: Flight | undefined): Effect.Effect<unknown, unknown> {
    const waiting = Effect.onInterrupt(Deferred.await(flight.done), () => {
      flight.waiting--
      if (flight.waiting > 0) return Effect.void
      this.#end(flight)
      return Fiber.interrupt(flight.fiber!)
    })
    if (outer === undefined) return waiting
    outer.awaited.add(flight)
    return Effect.ensuring(
      waiting,
      Effect.sync(() => outer.awaited.delete(flight))
    )
  }
}
