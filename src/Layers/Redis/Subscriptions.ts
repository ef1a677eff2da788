/** The subscriptions of an app, over one connection that all of them share. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Link from "./Link.ts"
import type * as Outage from "./Outage.ts"
import { within } from "./RealTime.ts"
import * as Refusal from "./Refusal.ts"
import type { Options, Session } from "./Session.ts"

/** A subscriber of a channel. */
export interface Subscriber {
  /** Called when messages may have been missed, before the next message. */
  readonly onGap: () => void
  readonly onMessage: (text: string) => void
}

/**
 * Adds a subscriber to a channel until the scope closes. It succeeds when Redis has confirmed the
 * subscription, or after `redis.commandTimeout`.
 */
export type Subscribe = (
  channel: string,
  subscriber: Subscriber
) => Effect.Effect<void, never, Scope.Scope>

/** A subscriber with its state. */
interface Entry extends Subscriber {
  /** Whether messages may have been missed since it was confirmed, or since it was to be confirmed. */
  isBehind: boolean
  /** Called when the subscription is confirmed for the first time. */
  onConfirmed: (() => void) | undefined
}

/** A channel that has subscribers. */
interface Channel {
  readonly entries: Set<Entry>
  isConfirmed: boolean
}

const confirm = (channel: Channel): void => {
  channel.isConfirmed = true
  for (const entry of channel.entries) {
    if (entry.isBehind) entry.onGap()
    entry.isBehind = false
    entry.onConfirmed?.()
  }
}

/**
 * Returns the function that subscribes a connection to a channel that has subscribers, and unsubscribes
 * it from one that has none. Each channel has one request at a time, because node-redis mistakes the
 * reply of an earlier one for that of a later one.
 */
const synchronizer = (
  session: Session,
  channels: ReadonlyMap<string, Channel>,
  onRefused: (channel: string, error: unknown) => void
): ((channel: string) => void) => {
  const states = new Map<string, "subscribed" | "subscribing" | "unsubscribing">()

  const subscribed = (name: string): void => {
    states.set(name, "subscribed")
    const channel = channels.get(name)
    if (channel?.isConfirmed === false) confirm(channel)
  }

  const receive = (name: string, text: string): void => {
    // The first message may be here before the promise of its subscription has ended.
    if (states.get(name) === "subscribing") subscribed(name)
    if (states.get(name) !== "subscribed") return
    for (const { onMessage } of channels.get(name)?.entries ?? []) onMessage(text)
  }

  const synchronize = (name: string): void => {
    const state = states.get(name)
    if (state === undefined && channels.has(name)) {
      states.set(name, "subscribing")
      session
        .subscribe(name, (text) => receive(name, text))
        .then(
          () => {
            subscribed(name)
            synchronize(name)
          },
          (error: unknown) => {
            states.delete(name)
            onRefused(name, error)
          }
        )
    } else if (state === "subscribed" && !channels.has(name)) {
      states.set(name, "unsubscribing")
      session.unsubscribe(name).then(
        () => {
          states.delete(name)
          synchronize(name)
        },
        () => states.delete(name)
      )
    }
  }
  return synchronize
}

/** Creates the subscriptions. Their connection is opened with the first of them. */
export const make = (
  options: Options,
  outage: Outage.Outage
): Effect.Effect<Subscribe, never, Scope.Scope> =>
  Effect.gen(function* () {
    const channels = new Map<string, Channel>()
    const context = yield* Effect.context<Scope.Scope>()
    const warn = Effect.runForkWith(context)
    let synchronize: ((channel: string) => void) | undefined

    const onRefused = (session: Session) => (channel: string, error: unknown) => {
      // If the connection was lost, the next one subscribes again.
      if (!(error instanceof options.client.ErrorReply)) return
      // A server that cannot serve now may take the subscription of the next connection.
      if (Refusal.of(error.message) !== undefined) {
        return session.end(`it answered ${error.message}`)
      }
      warn(Effect.logWarning(`Redis refuses the channel ${channel}: ${error.message}`))
    }
    const opened = Link.make({ ...options, name: `${options.name}-subscriber` }, outage, {
      onDown: () => {
        synchronize = undefined
        for (const channel of channels.values()) {
          channel.isConfirmed = false
          for (const entry of channel.entries) entry.isBehind ||= entry.onConfirmed === undefined
        }
      },
      onUp: (session) => {
        synchronize = synchronizer(session, channels, onRefused(session))
        for (const name of channels.keys()) synchronize(name)
      }
    })
    const connected = yield* Effect.cached(Effect.provideContext(opened, context))

    const add = (name: string, entry: Entry): Channel => {
      const channel = channels.get(name) ?? { entries: new Set(), isConfirmed: false }
      channel.entries.add(entry)
      channels.set(name, channel)
      synchronize?.(name)
      return channel
    }

    const remove = (name: string, entry: Entry): void => {
      const channel = channels.get(name)!
      channel.entries.delete(entry)
      if (channel.entries.size > 0) return
      channels.delete(name)
      synchronize?.(name)
    }

    return Effect.fnUntraced(function* (name, subscriber) {
      yield* connected
      const entry: Entry = { ...subscriber, isBehind: false, onConfirmed: undefined }
      const channel = yield* Effect.acquireRelease(
        Effect.sync(() => add(name, entry)),
        () => Effect.sync(() => remove(name, entry))
      )
      yield* Effect.callback<void>((resume) => {
        if (channel.isConfirmed) return resume(Effect.void)
        entry.onConfirmed = () => {
          entry.onConfirmed = undefined
          resume(Effect.void)
        }
      }).pipe(
        within(
          options.settings.commandTimeout,
          Effect.sync(() => {
            entry.isBehind = true
            entry.onConfirmed = undefined
          })
        )
      )
    })
  })
