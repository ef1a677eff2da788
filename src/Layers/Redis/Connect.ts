/** Connects to the server of the section `redis`, and creates the services over the connection. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { SharedRedis } from "../../Plugin/SharedRedis.ts"
import * as Commands from "./Commands.ts"
import * as Deliveries from "./Deliveries.ts"
import { RedisClientMissing, RedisUnreachable, RedisUrlMissing } from "./Errors.ts"
import * as Link from "./Link.ts"
import * as Outage from "./Outage.ts"
import { prefixOf } from "./Prefix.ts"
import { clock, within } from "./RealTime.ts"
import type { Settings } from "./RedisConfig.ts"
import { describe, parse } from "./RedisUrl.ts"
import * as Reserved from "./Reserved.ts"
import * as Restricted from "./Restricted.ts"
import * as Session from "./Session.ts"
import * as Subscriptions from "./Subscriptions.ts"

/** The errors with which the plugin may fail to start. */
export type ConnectError = RedisClientMissing | RedisUnreachable | RedisUrlMissing

/** Opens the first connection. Within `redis.connectTimeout` it waits for a server that starts. */
const first = (options: Session.Options): Effect.Effect<Session.Session, RedisUnreachable> =>
  Effect.suspend(() => {
    const { settings, target } = options
    const began = performance.now()
    let last = `it did not answer for ${Duration.format(settings.connectTimeout)}`
    const fail = Effect.suspend(() => {
      const waited = Duration.millis(Math.round(performance.now() - began))
      return Effect.fail(
        new RedisUnreachable({
          host: target.host,
          port: target.port,
          reason: last,
          target: describe(target),
          waited: Duration.format(waited)
        })
      )
    })
    const attempt = (number: number): Effect.Effect<Session.Session, RedisUnreachable> =>
      Effect.catch(Session.open(options), ({ isFinal, reason }) => {
        last = reason
        const wait = Duration.millis(Link.delayOf(number))
        return isFinal ? fail : Effect.andThen(clock.sleep(wait), attempt(number + 1))
      })
    return within(settings.connectTimeout, fail)(attempt(0))
  })

/** Connects, and returns the services. Closing the scope closes all connections. */
export const connect = (
  settings: Settings
): Effect.Effect<Context.Context<Redis.Redis | SharedRedis>, ConnectError, Scope.Scope> =>
  Effect.gen(function* () {
    if (settings.url === undefined) return yield* new RedisUrlMissing()
    const target = parse(Redacted.value(settings.url))! // the section has checked it
    const client = yield* Effect.tryPromise({
      catch: (cause) => new RedisClientMissing({ cause }),
      try: () => import("redis")
    })
    const prefix = yield* prefixOf(settings.prefix)
    // Redis takes printable characters without spaces.
    const name = prefix.slice(0, -1).replaceAll(/[^!-~]/g, "-")
    const options: Session.Options = { client, name, settings, target }
    const observe = yield* Commands.observer(target)
    const outage = yield* Outage.make(describe(target))
    const own = new Set<Session.Session>()
    const link = yield* Link.make(
      options,
      outage,
      {
        onDown: (reason) => {
          for (const session of own) session.end(reason)
          own.clear()
        }
      },
      yield* first(options)
    )
    const subscribe = yield* Subscriptions.make(options, outage)
    const send = <A = unknown>(
      ...args: [string, ...ReadonlyArray<string>]
    ): Effect.Effect<A, Redis.RedisError> => {
      const refused = Restricted.refuseShared(args)
      return refused === undefined ? observe(args[0], link.send<A>(args)) : Effect.fail(refused)
    }
    const redis = yield* Redis.make({
      connect: Effect.suspend(() => {
        if (link.session() !== undefined) return Reserved.open(options, observe, own)
        return link.send<never>(["PING"])
      }),
      pool: {
        acquireTimeout: settings.commandTimeout,
        maxConnections: settings.maxReserved
      },
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
    const reserve = Reserved.lend(redis.reserve)
    return Context.make(Redis.Redis, { ...redis, reserve }).pipe(
      Context.add(SharedRedis, {
        prefix,
        subscribe: Effect.fnUntraced(function* (channel) {
          const { onGap, onMessage, queue } = yield* Deliveries.make(
            channel,
            settings.subscriptionBuffer
          )
          yield* subscribe(channel, { onGap, onMessage })
          return queue
        })
      })
    )
  })
