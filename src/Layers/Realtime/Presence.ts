/** Presence: which members are connected to a topic, in all replicas of an app. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as BroadcastCodec from "./BroadcastCodec.ts"
import { BroadcastTooLarge, type BroadcastUnavailable } from "./BroadcastErrors.ts"
import { addressOf, type Hub } from "./BroadcastHub.ts"
import { Mailbox } from "./BroadcastMailbox.ts"
import * as BroadcastShared from "./BroadcastShared.ts"
import type { Topic } from "./BroadcastTopic.ts"
import * as PresenceNode from "./PresenceNode.ts"
import type { Store } from "./PresenceStore.ts"
import { listOf, PresenceView, type Present, type RawChange, type Told } from "./PresenceView.ts"

/** A member of a topic. It is one member, however many connections it has. */
export interface Member<Meta> {
  readonly id: string
  /** What its latest connection has told. */
  readonly meta: Meta
}

/** A change of the members of a topic. */
export type Change<Meta> =
  | { readonly _tag: "Joined"; readonly member: Member<Meta> }
  | { readonly _tag: "Left"; readonly id: string }
  /** All members: the first element of a stream, and again after an outage or for a slow reader. */
  | { readonly _tag: "Snapshot"; readonly members: ReadonlyArray<Member<Meta>> }
  /** A member has a new `meta`. */
  | { readonly _tag: "Updated"; readonly member: Member<Meta> }

/** The service `Presence`. */
export interface Shape {
  /**
   * Returns the stream of the changes of a topic, which begins with a `Snapshot`. A reader that applies
   * each element has the right list: what an outage or a slow reader would lose is replaced by another
   * `Snapshot`. The stream has one reader, and ends when the scope closes.
   */
  readonly changes: <M, Meta>(
    topic: Topic<M, Meta>
  ) => Effect.Effect<Stream.Stream<Change<Meta>>, never, Scope.Scope>
  /**
   * Lets a member be present until the scope closes, and succeeds when `list` has it. A member may join
   * several times, in several processes: it leaves with the last scope. If a process is killed, its members
   * leave after `broadcast.lease`. If the server is away, the member is listed when it is back.
   */
  readonly join: {
    <M>(topic: Topic<M, undefined>, id: string): Effect.Effect<void, BroadcastTooLarge, Scope.Scope>
    <M, Meta>(
      topic: Topic<M, Meta>,
      id: string,
      meta: Meta
    ): Effect.Effect<void, BroadcastTooLarge, Scope.Scope>
  }
  /** Returns the members of a topic in the order in which they joined. */
  readonly list: <M, Meta>(
    topic: Topic<M, Meta>
  ) => Effect.Effect<ReadonlyArray<Member<Meta>>, BroadcastUnavailable>
}

/** Knows who is present. The plugins `broadcast...` of this battery provide it. */
export class Presence extends Context.Service<Presence, Shape>()("flange/Realtime/Presence") {}

/** The most bytes of a member, with what is known of it. */
const maxMember = 4096

/** The most bytes of the JSON of an id. It is part of an index of PostgreSQL, which takes 2704 bytes. */
const maxId = 1024

/** How many changes wait for a reader before a snapshot takes their place. */
const maxChanges = 64

/** How many messages a view keeps while it reads the store. */
const maxWaiting = 1000

const Letter = BroadcastCodec.of(
  Schema.Tuple([
    Schema.String,
    Schema.Array(Schema.Tuple([Schema.String, Schema.NullOr(Schema.String)]))
  ])
)

interface Reader {
  readonly push: (change: RawChange) => void
}

/** A view with its readers. */
interface Watched {
  readonly readers: Set<Reader>
  /** The members, unless they are still to be read. */
  readonly snapshot: () => RawChange | undefined
}

/** Reads an id or a part of a value that `join` has written. */
const parse = Option.liftThrowable(JSON.parse)

/** Creates the service over the hub of a process. */
export const make = (
  hub: Hub,
  store: Store,
  options: PresenceNode.Options
): Effect.Effect<Shape, never, Scope.Scope> =>
  Effect.gen(function* () {
    const node = yield* PresenceNode.make(store, hub, options)

    const watch = (address: string): Effect.Effect<Watched, never, Scope.Scope> =>
      Effect.gen(function* () {
        const readers = new Set<Reader>()
        const view = new PresenceView((change) => {
          if (isLoaded) for (const { push } of readers) push(change)
        })
        const runFork = Effect.runForkWith(yield* Effect.context<Scope.Scope>())
        const scope = yield* Effect.scope
        let isLoaded = false
        let isLoading = false
        let isStale = true
        let waiting: Array<readonly [node: string, told: ReadonlyArray<Told>]> = []

        const load: Effect.Effect<void> = Effect.gen(function* () {
          while (isStale) {
            isStale = false
            waiting = []
            const round = node.round()
            const rows = yield* Effect.result(store.rows(address))
            if (rows._tag === "Failure") {
              isStale = true
              yield* Effect.sleep(1000)
              continue
            }
            // Without a break: what is told from here on is applied at once.
            isLoaded = false
            view.load(rows.success, round)
            for (const [from, told] of waiting) view.apply(from, told, round)
            isLoaded = true
            for (const { push } of readers) push(view.snapshot)
          }
          isLoading = false
        })

        const reload = (): void => {
          isStale = true
          if (isLoading) return
          isLoading = true
          runFork(Effect.forkIn(load, scope))
        }

        yield* hub.listen(address, {
          onGap: reload,
          onText: (text) => {
            const letter = Letter.decode(text)
            if (letter._tag === "None") return hub.refused("presence")
            const [from, told] = letter.value
            if (!isLoading) return view.apply(from, told, node.round())
            waiting.push([from, told])
            if (waiting.length < maxWaiting) return
            waiting = []
            isStale = true
          }
        })
        yield* node.onBeat((live, round) => view.keep(live, round))
        reload()
        return { readers, snapshot: () => (isLoaded ? view.snapshot : undefined) }
      })

    const watched = yield* BroadcastShared.make(watch)

    /** Returns the function that reads what `join` has written; undefined for another schema. */
    const reader = <M, Meta>({ meta, name: topic }: Topic<M, Meta>) => {
      const codec = BroadcastCodec.of(meta)
      return ({ id, value }: Present): Member<Meta> | undefined => {
        const name = parse(id)
        const parts = parse(value)
        const known =
          parts._tag === "Some" && Array.isArray(parts.value)
            ? codec.decode(JSON.stringify(parts.value[1]))
            : Option.none()
        if (known._tag === "None" || name._tag === "None") {
          hub.refused(topic)
          return undefined
        }
        return { id: String(name.value), meta: known.value }
      }
    }

    const membersOf = <M, Meta>(topic: Topic<M, Meta>, all: ReadonlyArray<Present>) => {
      const read = reader(topic)
      return all.flatMap((one) => read(one) ?? [])
    }

    const changeOf = <M, Meta>(
      topic: Topic<M, Meta>,
      change: RawChange
    ): ReadonlyArray<Change<Meta>> => {
      switch (change._tag) {
        case "Left":
          return [{ _tag: "Left", id: String(JSON.parse(change.id)) }]
        case "Snapshot":
          return [{ _tag: "Snapshot", members: membersOf(topic, change.members) }]
        default:
          return membersOf(topic, [change.member]).map((member) => ({ ...change, member }))
      }
    }

    return {
      changes: <M, Meta>(topic: Topic<M, Meta>) =>
        Effect.gen(function* () {
          const { readers, snapshot } = yield* watched(addressOf("members", topic))
          const mailbox = new Mailbox<RawChange>(maxChanges, () => undefined)
          const stream = yield* mailbox.stream
          const reader: Reader = {
            push: (change) => {
              const present = mailbox.size < maxChanges ? undefined : snapshot()
              if (present !== undefined) mailbox.replace(present)
              else if (change._tag === "Snapshot") mailbox.replace(change)
              else mailbox.push(change)
            }
          }
          yield* Effect.acquireRelease(
            Effect.sync(() => {
              readers.add(reader)
              const present = snapshot()
              if (present !== undefined) reader.push(present)
            }),
            () => Effect.sync(() => void readers.delete(reader))
          )
          return Stream.flatMap(stream, (change) => Stream.fromIterable(changeOf(topic, change)))
        }),
      join: <M, Meta>(topic: Topic<M, Meta>, id: string, meta?: Meta) =>
        Effect.gen(function* () {
          // Without `meta` the topic has none, and its schema is that of `undefined`.
          const known = BroadcastCodec.of(topic.meta).encode(meta as Meta)
          const name = JSON.stringify(id)
          const idSize = Buffer.byteLength(name)
          const tooLarge = (what: "id" | "member", size: number, limit: number) =>
            new BroadcastTooLarge({ limit, size, topic: topic.name, what })
          if (idSize > maxId) return yield* tooLarge("id", idSize, maxId)
          const size = idSize + Buffer.byteLength(known)
          if (size > maxMember) return yield* tooLarge("member", size, maxMember)
          const time = yield* Clock.currentTimeMillis
          yield* node.join(addressOf("members", topic), name, `[${time},${known}]`)
        }),
      list: <M, Meta>(topic: Topic<M, Meta>) =>
        Effect.map(store.rows(addressOf("members", topic)), (rows) =>
          membersOf(topic, listOf(rows))
        )
    }
  })
