/** Releases what one owner has acquired, within a time limit that no finalizer can extend. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as Pending from "./Pending.ts"

type Finalizer = (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<unknown>

/** The longest time of a finalizer if others have used up the time of their owner. */
const grace = Duration.seconds(1)

/** The release of one owner, such as a plugin. */
export interface Release {
  /**
   * Closes a scope as `Scope.close` does, one finalizer after the other. One that does not end
   * in time is interrupted and reported, and the next one runs.
   */
  readonly close: (scope: Scope.Closeable, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
  /** Creates a scope in another, whose finalizers are reported with these words. */
  readonly fork: (scope: Scope.Scope, words: string) => Scope.Closeable
  /** Shares layers with all other owners. `close` knows each finalizer of the layers. */
  readonly memoMap: Layer.MemoMap
  /** Interrupts a fiber and waits for its end, but no longer than for a release. */
  readonly stop: (fiber: Fiber.Fiber<unknown, unknown>, words: string) => Effect.Effect<void>
}

/**
 * Creates the release of an owner. All its finalizers together have `limit`; each that is left
 * after that has a second, or `limit` if that is shorter. `onHeld` gets a description of each
 * that did not end; it begins with the name of the owner.
 */
export const make = ({
  limit,
  memoMap,
  onHeld,
  owner
}: {
  readonly limit: Duration.Duration
  readonly memoMap: Layer.MemoMap
  readonly onHeld: (what: string) => Effect.Effect<void>
  readonly owner: string
}): Release => {
  const words = new WeakMap<object, string>()
  const least = Duration.toMillis(Duration.min(limit, grace))
  /** When the time of the release that runs now is over, in Unix milliseconds. */
  let deadline = 0
  /** How many calls of `close` run: a finalizer may close the scope of a layer. */
  let closing = 0

  /** Waits for a fiber, at least while it closes scopes itself: they have limits of their own. */
  const ended = (fiber: Fiber.Fiber<unknown, unknown>, millis: number, outer: number) =>
    within(Fiber.await(fiber), millis).pipe(
      Effect.repeat({ while: (exit) => Option.isNone(exit) && closing > outer })
    )

  const bounded = (finalizer: Effect.Effect<unknown>, what: string) =>
    Effect.gen(function* () {
      const outer = closing
      // Started at once: most finalizers end without a wait, and then need no timer.
      const fiber = yield* Effect.forkDetach(finalizer, {
        startImmediately: true,
        uninterruptible: true
      })
      const done = fiber.pollUnsafe()
      if (done !== undefined) return Exit.asVoid(done)
      const now = yield* Clock.currentTimeMillis
      const exit = yield* ended(fiber, Math.max(deadline - now, least), outer)
      if (Option.isSome(exit)) return Exit.asVoid(exit.value)
      yield* onHeld(`${what}${placeOf(fiber)}`)
      fiber.interruptUnsafe()
      return Exit.void
    })

  const closeAll = (
    scope: Scope.Closeable,
    exit: Exit.Exit<unknown, unknown>
  ): Effect.Effect<Exit.Exit<void, unknown>> =>
    Effect.suspend(() => {
      const finalizers = take(scope, exit)
      const own = finalizers.filter(([key]) => !isScope(key))
      const of = words.get(scope)
      const effects = finalizers.toReversed().map(([key, finalizer]) => {
        if (isScope(key)) return closeAll(key, exit)
        const number = own.findIndex(([each]) => each === key) + 1
        const what = `${owner}: finalizer ${number} of ${own.length}${of === undefined ? "" : ` of ${of}`}`
        return bounded(Pending.track(what)(Effect.suspend(() => finalizer(exit))), what)
      })
      return Effect.map(
        Effect.all(effects, {
          concurrency: scope.strategy === "parallel" ? "unbounded" : 1
        }),
        (exits) => Exit.asVoidAll(exits)
      )
    })

  const close: Release["close"] = (scope, exit) =>
    Effect.gen(function* () {
      // A layer closes within the release of its plugin, and shares its time.
      if (closing === 0) deadline = (yield* Clock.currentTimeMillis) + Duration.toMillis(limit)
      closing++
      const result = yield* closeAll(scope, exit)
      closing--
      // `boot` logs the failures of finalizers. The type of a scope's `close` has none.
      return yield* result as Exit.Exit<void>
    })

  const watched: Layer.MemoMap = Object.assign(Object.create(memoMap) as Layer.MemoMap, {
    getOrElseMemoize: ((layer, scope, build) =>
      memoMap.getOrElseMemoize(layer, scope, (_, shared) =>
        Effect.gen(function* () {
          const own = Scope.makeUnsafe()
          yield* Scope.addFinalizerExit(shared, (exit) => close(own, exit))
          const services = yield* build(watched, own)
          words.set(own, layerWords(services))
          return services
        })
      )) satisfies Layer.MemoMap["getOrElseMemoize"]
  })

  return {
    close,
    fork: (scope, text) => {
      const child = Scope.forkUnsafe(scope)
      words.set(child, text)
      return child
    },
    memoMap: watched,
    stop: (fiber, what) =>
      Effect.gen(function* () {
        fiber.interruptUnsafe()
        if (Option.isSome(yield* ended(fiber, Duration.toMillis(limit), 0))) return
        yield* onHeld(`${owner}: ${what}${placeOf(fiber)}`)
      })
  }
}

/** Waits for at most so many milliseconds, also in a fiber that was interrupted. */
const within = <A>(wait: Effect.Effect<A>, millis: number): Effect.Effect<Option.Option<A>> =>
  Effect.flatMap(
    Effect.forkDetach(Effect.timeoutOption(wait, Duration.millis(millis)), {
      startImmediately: true
    }),
    Fiber.join
  )

/** Closes a scope without running its finalizers, and returns them. */
const take = (
  scope: Scope.Closeable,
  exit: Exit.Exit<unknown, unknown>
): ReadonlyArray<readonly [key: object, finalizer: Finalizer]> => {
  const { state } = scope
  if (state._tag === "Closed") return []
  scope.state = { _tag: "Empty" }
  Scope.closeUnsafe(scope, exit)
  if (state._tag === "Empty") return []
  return state.finalizers === undefined
    ? [[state.finalizerKey!, state.finalizer!]]
    : [...state.finalizers]
}

/** Whether the key of a finalizer is a scope that was forked from the one that has it. */
const isScope = (key: object): key is Scope.Closeable =>
  hasProperty(key, "state") && hasProperty(key, "strategy")

const layerWords = (services: Context.Context<never>): string => {
  const keys = [...services.mapUnsafe.keys()].filter((key) => key !== Layer.CurrentMemoMap.key)
  return keys.length === 0 ? "a layer" : `the layer of ${keys.join(", ")}`
}

/** Returns the function or span that a fiber is in; empty if it is in none. */
const placeOf = (fiber: Fiber.Fiber<unknown, unknown>): string => {
  const frame = fiber.getRef(References.CurrentStackFrame)
  if (frame === undefined) return ""
  const line = frame.stack()?.split("\n")[0]?.trim()
  return `, in ${frame.name}${line === undefined ? "" : ` (${line})`}`
}
