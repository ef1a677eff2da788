/** A Redis in memory for tests. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redis from "effect/persistence/Redis"
import { RedisUnavailable, SharedRedis } from "../../../Plugin/SharedRedis.ts"
import * as Deliveries from "../Deliveries.ts"
import { prefixOf } from "../Prefix.ts"
import { RedisConfig } from "../RedisConfig.ts"
import * as Restricted from "../Restricted.ts"
import type { Subscriber } from "../Subscriptions.ts"
import * as Arity from "./Arity.ts"
import * as Collections from "./Collections.ts"
import * as Scripts from "./Scripts.ts"
import { ErrorReply, type Reply, Store } from "./Store.ts"
import { type Command, commands as strings } from "./Strings.ts"

export { type Call, type Registered, script } from "./Scripts.ts"

/** A Redis in memory. Apps that are built on its layer share its keys and channels, as replicas do. */
export interface TestRedis {
  /** Provides `Redis` and `SharedRedis` over this server. It takes the place of `Redis.plugin`. */
  readonly layer: Layer.Layer<Redis.Redis | SharedRedis>
  /** Ends an outage. The keys are still there, and each subscription has a gap. */
  readonly start: Effect.Effect<void>
  /** Begins an outage: each command fails with `RedisUnavailable`. */
  readonly stop: Effect.Effect<void>
}

const commands: ReadonlyMap<string, Command> = new Map(
  Object.entries({ ...strings, ...Collections.commands })
)

const own = ["EVAL", "EVALSHA", "PUBLISH", "SCRIPT"]

const unknown = (command: string): ErrorReply =>
  new ErrorReply(
    `ERR TestRedis does not have ${command}. It has ${[...commands.keys(), ...own].toSorted().join(", ")}. Test what needs more with a real Redis.`
  )

/**
 * Creates a Redis in memory for the tests of an app. Keys expire on the clock of the fiber that sends
 * the command, so `TestClock.adjust` makes them expire. Use it with `replace` in the place of
 * `Redis.plugin`.
 *
 * It has the commands that the batteries use; any other fails with a message that lists them. A script
 * runs as the function that is registered for it.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { App } from "flange"
 * import * as Redis from "flange/Redis"
 * import { TestRedis } from "flange/Redis/Testing"
 * import { TestApp } from "flange/Testing"
 *
 * const app = App.make("shop", [Redis.plugin])
 * const redis = TestRedis.make()
 * const test = Effect.gen(function* () {
 *   const options = { replace: [[Redis.plugin, redis.layer]] } as const
 *   const one = yield* TestApp.make(app, options)
 *   const two = yield* TestApp.make(app, options)
 *   yield* one.run(Redis.Redis.use((redis) => redis.send("SET", "shop:a", "1")))
 *   return yield* two.run(Redis.Redis.use((redis) => redis.send("GET", "shop:a")))
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => "1"
 * ```
 */
export const make = (
  options: {
    /** The scripts of the app, each with the function that does the same. Default: none. */
    readonly scripts?: ReadonlyArray<Scripts.Registered> | undefined
  } = {}
): TestRedis => {
  const channels = new Map<string, Set<Subscriber>>()
  const store = new Store()
  let isUp = true

  const publish = ([channel = "", text = ""]: ReadonlyArray<string>): Reply => {
    const subscribers = channels.get(channel) ?? new Set()
    for (const { onMessage } of subscribers) onMessage(text)
    return subscribers.size > 0 ? 1 : 0
  }
  const run = (given: string, args: ReadonlyArray<string>): Reply => {
    const name = given.toUpperCase()
    if (name === "EVAL" || name === "EVALSHA" || name === "SCRIPT") return scripts[name](args)
    const command = name === "PUBLISH" ? () => publish(args) : commands.get(name)
    if (command === undefined) throw unknown(name)
    Arity.check(name, args.length)
    return command(store, args)
  }
  const scripts = Scripts.make(options.scripts ?? [], (command, ...args) => run(command, args))

  const carryOut = (command: string, args: ReadonlyArray<string>) =>
    Effect.clockWith((clock) =>
      Effect.try({
        catch: (cause) => new Redis.RedisError({ cause }),
        try: () => {
          if (!isUp) {
            throw new RedisUnavailable({
              detail: "TestRedis is stopped",
              reason: "disconnected",
              target: "Redis in memory"
            })
          }
          store.now = clock.currentTimeMillisUnsafe()
          return run(command, args)
        }
      })
    )
  // The caller states the type of the reply, as with a real server.
  const send = <A>(command: string, ...args: ReadonlyArray<string>) => {
    const refused = Restricted.refuseShared([command, ...args])
    return (
      refused === undefined ? carryOut(command, args) : Effect.fail(refused)
    ) as Effect.Effect<A, Redis.RedisError>
  }

  const subscribe = (channel: string, subscriber: Subscriber) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const subscribers = channels.get(channel) ?? new Set()
        channels.set(channel, subscribers.add(subscriber))
      }),
      () => Effect.sync(() => void channels.get(channel)?.delete(subscriber))
    )

  const services = Effect.gen(function* () {
    // A test with this layer alone has no configuration.
    const settings = Option.getOrUndefined(yield* Effect.serviceOption(RedisConfig))
    const prefix = yield* prefixOf(settings?.prefix)
    const redis = yield* Redis.make({
      connect: Effect.succeed({ close: Effect.void, send }),
      send,
      subscribe: (channel, onMessage) =>
        Effect.as(
          subscribe(channel, {
            onGap: () => {},
            onMessage: (message) => onMessage({ channel, message })
          }),
          Effect.never
        )
    })
    return Context.make(Redis.Redis, redis).pipe(
      Context.add(SharedRedis, {
        prefix,
        subscribe: Effect.fnUntraced(function* (channel) {
          const { queue, ...subscriber } = yield* Deliveries.make(
            channel,
            settings?.subscriptionBuffer ?? 1024
          )
          yield* subscribe(channel, subscriber)
          return queue
        })
      })
    )
  })

  return {
    layer: Layer.effectContext(services),
    start: Effect.sync(() => {
      if (isUp) return
      isUp = true
      for (const subscribers of channels.values()) for (const { onGap } of subscribers) onGap()
    }),
    stop: Effect.sync(() => void (isUp = false))
  }
}

/** Provides a new Redis in memory, without scripts. */
export const layer: Layer.Layer<Redis.Redis | SharedRedis> = Layer.suspend(() => make().layer)
