/** Functions that load each key once in a request. */
import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import { format } from "effect/Formatter"
import { exchangeKey } from "./Services.ts"

/** A value of a memo. */
interface Wanted {
  readonly key: unknown
  readonly memo: object
}

/** A load that runs. */
interface Load extends Wanted {
  /** The name of the memo. */
  readonly name: string
  /** The values for which it waits. */
  readonly waits: Set<Wanted>
}

const isSame = (one: Wanted, other: Wanted): boolean =>
  one.memo === other.memo && Equal.equals(one.key, other.key)

/** The loads that run in each request. */
const requests = new WeakMap<object, Set<Load>>()

const runningIn = (exchange: object): Set<Load> => {
  let running = requests.get(exchange)
  if (running === undefined) requests.set(exchange, (running = new Set()))
  return running
}

/** Returns the loads by which a value waits for `last`; undefined if it does not. */
const chainTo = (
  last: Load,
  wanted: Wanted,
  running: Iterable<Load>,
  seen: Set<Load> = new Set()
): ReadonlyArray<Load> | undefined => {
  for (const load of running) {
    if (seen.has(load) || !isSame(load, wanted)) continue
    seen.add(load)
    if (load === last) return [load]
    for (const next of load.waits) {
      const chain = chainTo(last, next, running, seen)
      if (chain !== undefined) return [load, ...chain]
    }
  }
  return undefined
}

const shown = ({ key, name }: Load): string => `${name} for the key ${format(key)}`

/** Waits for a value in a load, unless the value waits for that load. */
const awaited = <A, E, R>(
  value: Effect.Effect<A, E, R>,
  wanted: Wanted,
  load: Load,
  running: ReadonlySet<Load>
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const chain = chainTo(load, wanted, running)
    if (chain !== undefined) {
      return Effect.die(
        new Error(
          `The loads of memos wait for each other: ${[load, ...chain].map(shown).join(" needs ")}. Let one of them call what the other loads with instead.`
        )
      )
    }
    load.waits.add(wanted)
    return Effect.ensuring(
      value,
      Effect.sync(() => load.waits.delete(wanted))
    )
  })

/** The loads around a fiber, innermost last. */
const Loads: Context.Reference<ReadonlyArray<Load>> = Context.Reference("flange/Memo/Loads", {
  defaultValue: (): ReadonlyArray<Load> => []
})

/**
 * Returns the function with a memory for each request: for one key it runs once in a request, and its
 * later callers get the same value.
 *
 * - Callers at the same time share one run. If one of them is interrupted, the others still get the value.
 *   If all are, the run is interrupted.
 * - A failure is not kept: the next caller runs the function again.
 * - The memory ends with the request. Outside a request the function runs at each call.
 * - Keys are compared with `Equal.equals`, so that plain objects with equal fields are one key.
 * - The run has the services of its first caller. In a transaction it sees what the transaction has
 *   written, and so do later callers of the request.
 * - A load that needs its own value, also through loads of other callers, dies with an error that names
 *   the memos, instead of waiting for ever.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import * as Schema from "effect/Schema"
 * import { App, Memo, Plugin, Route } from "flange"
 *
 * let queries = 0
 * const user = Memo.make("user", (id: string) =>
 *   Effect.sync(() => ({ id, name: `user ${++queries}` }))
 * )
 *
 * class Api extends HttpApiGroup.make("api").add(
 *   HttpApiEndpoint.get("names", "/names", { success: Schema.Array(Schema.String) })
 * ) {}
 * const Names = Plugin.make("app:names", {
 *   routes: [
 *     Route.public(Api, (handlers) =>
 *       handlers.handleAll({
 *         names: () =>
 *           Effect.forEach(["a", "b", "a"], (id) => Effect.map(user(id), ({ name }) => name))
 *       })
 *     )
 *   ]
 * })
 *
 * const { dispose, handler } = App.toWebHandler(App.make("shop", [Names]))
 * await (await handler(new Request("http://app/names"))).json()
 * // => ["user 1", "user 2", "user 1"]
 * await dispose()
 * ```
 */
export const make = <Key, A, E, R>(
  name: string,
  load: (key: Key) => Effect.Effect<A, E, R>
): ((key: Key) => Effect.Effect<A, E, R>) => {
  const caches = new WeakMap<object, Cache.Cache<Key, A, E, R>>()
  const memo = {}
  const lookup = (key: Key, running: Set<Load>) =>
    Effect.suspend(() => {
      const one: Load = { key, memo, name, waits: new Set() }
      running.add(one)
      return Effect.ensuring(
        Effect.updateService(load(key), Loads, (loads) => [...loads, one]),
        Effect.sync(() => running.delete(one))
      )
    })
  const fresh = (running: Set<Load>) =>
    Cache.makeWith<Key, A, E, R, "lookup">((key) => lookup(key, running), {
      capacity: Infinity,
      requireServicesAt: "lookup",
      timeToLive: (exit) => (Exit.isSuccess(exit) ? Duration.infinity : Duration.zero)
    }).pipe(
      // A cache adds the services around its making to each load. Here they are those of the load.
      Effect.updateContext((_: Context.Context<never>) => Context.empty())
    )
  const cacheOf = (exchange: object, running: Set<Load>) =>
    Effect.suspend(() => {
      const known = caches.get(exchange)
      if (known !== undefined) return Effect.succeed(known)
      return Effect.map(fresh(running), (made) => {
        // A fiber may pause, so another may have been quicker.
        const cache = caches.get(exchange) ?? made
        caches.set(exchange, cache)
        return cache
      })
    })
  return (key) =>
    Effect.withFiber((fiber) => {
      const exchange = fiber.context.mapUnsafe.get(exchangeKey)
      const loads = fiber.getRef(Loads)
      const wanted: Wanted = { key, memo }
      if (loads.some((one) => isSame(one, wanted))) {
        return Effect.die(
          new Error(
            `The memo ${name} needs its own value while it loads it, for the key ${format(key)}. Call what it loads with instead.`
          )
        )
      }
      if (typeof exchange !== "object" || exchange === null) return lookup(key, new Set())
      const running = runningIn(exchange)
      const value = Effect.flatMap(cacheOf(exchange, running), (cache) => Cache.get(cache, key))
      const around = loads.at(-1)
      return around === undefined || !running.has(around)
        ? value
        : awaited(value, wanted, around, running)
    })
}
