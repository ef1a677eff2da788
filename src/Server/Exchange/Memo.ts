/** Functions that load each key once in a request. */
import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import { format } from "effect/Formatter"
import { exchangeKey } from "./Services.ts"

/** A load that runs. */
interface Load {
  readonly key: unknown
  readonly memo: object
}

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
 * - A load that needs its own value dies with an error that has `name`, instead of waiting for ever.
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
  const lookup = (key: Key) =>
    Effect.updateService(load(key), Loads, (loads) => [...loads, { key, memo }])
  const fresh = Cache.makeWith<Key, A, E, R, "lookup">(lookup, {
    capacity: Infinity,
    requireServicesAt: "lookup",
    timeToLive: (exit) => (Exit.isSuccess(exit) ? Duration.infinity : Duration.zero)
  }).pipe(
    // A cache adds the services around its making to each load. Here they are those of the load.
    Effect.updateContext((_: Context.Context<never>) => Context.empty())
  )
  const cacheOf = (exchange: object) =>
    Effect.suspend(() => {
      const known = caches.get(exchange)
      if (known !== undefined) return Effect.succeed(known)
      return Effect.map(fresh, (made) => {
        // A fiber may pause, so another may have been quicker.
        const cache = caches.get(exchange) ?? made
        caches.set(exchange, cache)
        return cache
      })
    })
  return (key) =>
    Effect.withFiber((fiber) => {
      const exchange = fiber.context.mapUnsafe.get(exchangeKey)
      const isAround = (one: Load) => one.memo === memo && Equal.equals(one.key, key)
      if (fiber.getRef(Loads).some(isAround)) {
        return Effect.die(
          new Error(
            `The memo ${name} needs its own value while it loads it, for the key ${format(key)}. Call what it loads with instead.`
          )
        )
      }
      return typeof exchange === "object" && exchange !== null
        ? Effect.flatMap(cacheOf(exchange), (cache) => Cache.get(cache, key))
        : lookup(key)
    })
}
