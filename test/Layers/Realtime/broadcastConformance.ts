/** What broadcast and presence do on every backend. */
import { randomBytes } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Change, type Delivery, Topic } from "flange/Realtime"
import type { Bus } from "../../../src/Layers/Realtime/BroadcastBus.ts"
import { addressOf } from "../../../src/Layers/Realtime/BroadcastHub.ts"
import { type Kind, type Replica, replicaOf } from "./broadcastReplicas.ts"

const Room = Topic.make("room", {
  key: Schema.String,
  message: Schema.Struct({ text: Schema.String }),
  meta: Schema.Struct({ name: Schema.String })
})

const News = Topic.make("news", { message: Schema.Int })

/** Its decoder throws for what is no URL. */
const Links = Topic.make("links", {
  message: Schema.String.pipe(
    Schema.decodeTo(Schema.instanceOf(URL), {
      decode: SchemaGetter.transform((text) => new URL(text)),
      encode: SchemaGetter.transform(({ href }: URL) => href)
    })
  )
})

/** The texts of messages, and gaps. */
const shown = (delivery: Delivery<{ readonly text: string }>) =>
  delivery._tag === "Gap" ? { gap: delivery.dropped } : delivery.message.text

const take = <A, E>(stream: Stream.Stream<A, E>, count: number) =>
  Stream.runCollect(Stream.take(stream, count))

/** Applies changes until the list has the wanted ids. */
const until = <M>(
  stream: Stream.Stream<Change<M>>,
  ...wanted: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Change<M>["_tag"]>> => {
  const ids = new Set<string>()
  const seen: Array<Change<M>["_tag"]> = []
  return Stream.runForEachWhile(stream, (change) =>
    Effect.sync(() => {
      seen.push(change._tag)
      if (change._tag === "Snapshot") {
        ids.clear()
        for (const { id } of change.members) ids.add(id)
      } else if (change._tag === "Left") ids.delete(change.id)
      else ids.add(change.member.id)
      return !(ids.size === wanted.length && wanted.every((id) => ids.has(id)))
    })
  ).pipe(Effect.as(seen))
}

interface Pair {
  readonly bus: Bus
  readonly one: Replica
  readonly two: Replica
}

/** Runs the suite on a backend. */
export const suite = ({ name, open }: Kind) =>
  describe(`broadcast over ${name}`, () => {
    const rule = (
      title: string,
      test: (pair: Pair) => Effect.Effect<unknown, unknown, Scope.Scope>
    ) =>
      it.live(
        title,
        () =>
          Effect.scoped(
            Effect.gen(function* () {
              const parts = yield* open
              const first = yield* parts
              const one = yield* replicaOf(first)
              const two = yield* replicaOf(yield* parts)
              yield* test({ bus: first.bus, one, two })
            })
          ),
        60_000
      )

    rule("every subscriber of a key gets its messages in their order", ({ one, two }) =>
      Effect.gen(function* () {
        const lobby = Room.at("lobby")
        const here = yield* one.broadcast.subscribe(lobby)
        const there = yield* two.broadcast.subscribe(lobby)
        const other = yield* two.broadcast.subscribe(Room.at("other"))
        const texts = Array.from({ length: 20 }, (_, index) => `${index}`)
        for (const text of texts) yield* one.broadcast.publish(lobby, { text })
        yield* one.broadcast.publish(Room.at("other"), { text: "last" })
        expect((yield* take(here, 20)).map(shown)).toEqual(texts)
        expect((yield* take(there, 20)).map(shown)).toEqual(texts)
        expect((yield* take(other, 1)).map(shown)).toEqual(["last"])
      })
    )

    rule("equal messages in a row are all delivered", ({ one, two }) =>
      Effect.gen(function* () {
        const stream = yield* two.broadcast.subscribe(News)
        for (const number of [7, 7, 7]) yield* one.broadcast.publish(News, number)
        expect(yield* take(stream, 3)).toEqual(
          [7, 7, 7].map((message) => ({ _tag: "Message", message }))
        )
      })
    )

    rule("hostile keys are topics of their own", ({ one, two }) =>
      Effect.gen(function* () {
        const keys = [
          "*",
          "a\r\nb",
          "a\u0000b",
          'a"; drop table x; --',
          "\ud800",
          "x".repeat(10_000),
          "",
          "Ä€😀"
        ]
        const streams = yield* Effect.forEach(keys, (key) => two.broadcast.subscribe(Room.at(key)))
        for (const key of keys) yield* one.broadcast.publish(Room.at(key), { text: key })
        for (const [index, stream] of streams.entries()) {
          expect((yield* take(stream, 1)).map(shown)).toEqual([keys[index]])
        }
      })
    )

    rule("a large message arrives whole, and a larger one is refused", ({ one, two }) =>
      Effect.gen(function* () {
        const lobby = Room.at("lobby")
        const stream = yield* two.broadcast.subscribe(lobby)
        const text = 'ä€😀\\"'.repeat(4000)
        yield* one.broadcast.publish(lobby, { text })
        yield* one.broadcast.publish(lobby, { text: "after" })
        expect((yield* take(stream, 2)).map(shown)).toEqual([text, "after"])
        const error = yield* Effect.flip(
          one.broadcast.publish(lobby, { text: "x".repeat(2 ** 16) })
        )
        expect(error).toMatchObject({ _tag: "BroadcastTooLarge", limit: 2 ** 16, topic: "room" })
      })
    )

    rule("large messages that are sent at once are not mixed", ({ one, two }) =>
      Effect.gen(function* () {
        const lobby = Room.at("lobby")
        const stream = yield* two.broadcast.subscribe(lobby)
        const texts = Array.from({ length: 12 }, (_, index) => `${index}`.repeat(20_000))
        yield* Effect.forEach(
          texts,
          (text, index) => (index % 2 === 0 ? one : two).broadcast.publish(lobby, { text }),
          { concurrency: "unbounded", discard: true }
        )
        expect((yield* take(stream, 12)).map(shown).toSorted()).toEqual(texts.toSorted())
      })
    )

    rule("a slow subscriber loses the oldest messages, and others none", ({ one, two }) =>
      Effect.gen(function* () {
        const lobby = Room.at("lobby")
        const slow = yield* two.broadcast.subscribe(lobby, { buffer: 4 })
        const ended = yield* two.broadcast.subscribe(lobby, { buffer: 4, onSlow: "fail" })
        const quick = yield* two.broadcast.subscribe(lobby, { buffer: 10 })
        for (let i = 0; i < 10; i++) yield* one.broadcast.publish(lobby, { text: `${i}` })
        expect((yield* take(quick, 10)).map(shown)).toEqual([..."0123456789"])
        expect((yield* take(slow, 5)).map(shown)).toEqual([{ gap: 6 }, "6", "7", "8", "9"])
        expect(yield* Effect.flip(Stream.runDrain(ended))).toMatchObject({
          _tag: "SubscriberTooSlow",
          buffer: 4,
          topic: "room"
        })
      })
    )

    rule("a message of another schema is skipped", ({ bus, one, two }) =>
      Effect.gen(function* () {
        const stream = yield* two.broadcast.subscribe(Room.at("lobby"))
        const address = addressOf("messages", Room.at("lobby"))
        yield* bus.publish([
          { address, text: '{"content":"of the next version"}' },
          { address, text: "{" }
        ])
        yield* one.broadcast.publish(Room.at("lobby"), { text: "readable" })
        expect((yield* take(stream, 1)).map(shown)).toEqual(["readable"])
      })
    )

    rule("a message whose decoder throws is skipped", ({ bus, one, two }) =>
      Effect.gen(function* () {
        const stream = yield* two.broadcast.subscribe(Links)
        yield* bus.publish([{ address: addressOf("messages", Links), text: '"no address"' }])
        yield* one.broadcast.publish(Links, new URL("https://example.com/"))
        expect(yield* take(stream, 1)).toMatchObject([{ message: { host: "example.com" } }])
      })
    )

    rule("a subscription ends with its scope, and a later one works", ({ one, two }) =>
      Effect.gen(function* () {
        for (const number of [1, 2, 3]) {
          const scope = yield* Scope.make()
          const stream = yield* Scope.provide(two.broadcast.subscribe(News), scope)
          const reading = yield* Effect.forkChild(Stream.runCollect(stream))
          yield* one.broadcast.publish(News, number)
          const again = yield* Effect.scoped(
            Effect.flatMap(two.broadcast.subscribe(News), (other) =>
              Effect.andThen(
                one.broadcast.publish(News, -number),
                // What was published before may still be on its way.
                Stream.runCollect(
                  Stream.takeUntil(
                    other,
                    (delivery) => delivery._tag === "Message" && delivery.message === -number
                  )
                )
              )
            )
          )
          expect(again.at(-1)).toEqual({ _tag: "Message", message: -number })
          yield* Scope.close(scope, Exit.void)
          // What waits when the scope closes is dropped.
          expect((yield* Fiber.join(reading)).length).toBeLessThanOrEqual(2)
        }
      })
    )

    rule("a member is listed once, until its last scope closes", ({ one, two }) =>
      Effect.gen(function* () {
        const lobby = Room.at("lobby")
        const scopes = yield* Effect.replicateEffect(Scope.make(), 3)
        const [first, second, third] = scopes as [Scope.Closeable, Scope.Closeable, Scope.Closeable]
        yield* Scope.provide(one.presence.join(lobby, "ada", { name: "Ada" }), first)
        yield* Scope.provide(one.presence.join(lobby, "ada", { name: "Ada" }), second)
        yield* Scope.provide(two.presence.join(lobby, "ada", { name: "Ada" }), third)
        yield* two.presence.join(lobby, "bob", { name: "Bob" })
        const both = [
          { id: "ada", meta: { name: "Ada" } },
          { id: "bob", meta: { name: "Bob" } }
        ]
        expect(
          (yield* one.presence.list(lobby)).toSorted((a, b) => (a.id < b.id ? -1 : 1))
        ).toEqual(both)
        expect(yield* one.presence.list(Room.at("other"))).toEqual([])
        yield* Scope.close(first, Exit.void)
        yield* Scope.close(third, Exit.void)
        expect(yield* two.presence.list(lobby)).toHaveLength(2)
        yield* Scope.close(second, Exit.void)
        expect(yield* two.presence.list(lobby)).toEqual([both[1]])
      })
    )

    rule("a reader of changes sees who joins and who leaves", ({ one, two }) =>
      Effect.gen(function* () {
        const lobby = Room.at("lobby")
        const scope = yield* Scope.make()
        yield* Scope.provide(one.presence.join(lobby, "ada", { name: "Ada" }), scope)
        const [here, there] = yield* Effect.all([
          one.presence.changes(lobby),
          two.presence.changes(lobby)
        ])
        const reading = yield* Effect.forkChild(
          Effect.all([until(here, "bob"), until(there, "bob")], { concurrency: "unbounded" })
        )
        yield* two.presence.join(lobby, "bob", { name: "Bob" })
        yield* Scope.close(scope, Exit.void)
        for (const seen of yield* Fiber.join(reading)) {
          expect(seen[0]).toBe("Snapshot")
          expect(seen.at(-1)).toMatch(/Left|Snapshot/)
        }
      })
    )

    rule("hostile ids and metadata are kept, and large ones are refused", ({ one, two }) =>
      Effect.gen(function* () {
        const lobby = Room.at("lobby")
        const ids = ["a\u0000b", '"; drop table x; --', "\ud800", "", "😀"]
        for (const id of ids) yield* one.presence.join(lobby, id, { name: `${id}\u0000` })
        const listed = yield* two.presence.list(lobby)
        expect(listed.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
        const large = one.presence.join(lobby, "x", { name: "x".repeat(5000) })
        expect(yield* Effect.flip(large)).toMatchObject({
          _tag: "BroadcastTooLarge",
          what: "member"
        })
        // An index of PostgreSQL takes no longer ones, and one that it refuses would hold back all others.
        const id = (bytes: number) => randomBytes(bytes).toString("hex")
        yield* one.presence.join(lobby, id(500), { name: "" })
        expect(yield* two.presence.list(lobby)).toHaveLength(ids.length + 1)
        const long = one.presence.join(lobby, id(1500), { name: "" })
        expect(yield* Effect.flip(long)).toMatchObject({ _tag: "BroadcastTooLarge", what: "id" })
      })
    )

    rule("a thousand members that join and leave at once are all counted", ({ one, two }) =>
      Effect.gen(function* () {
        const lobby = Room.at("lobby")
        const ids = Array.from({ length: 1000 }, (_, index) => `member ${index}`)
        const scope = yield* Scope.make("parallel")
        yield* Effect.forEach(
          ids,
          (id, index) =>
            Scope.provide(
              (index % 2 === 0 ? one : two).presence.join(lobby, id, { name: id }),
              scope
            ),
          { concurrency: "unbounded", discard: true }
        )
        expect(yield* one.presence.list(lobby)).toHaveLength(1000)
        yield* Scope.close(scope, Exit.void)
        expect(yield* two.presence.list(lobby)).toEqual([])
      })
    )

    it.live("the members of a replica that stops leave", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const lobby = Room.at("lobby")
          const parts = yield* open
          const watching = yield* replicaOf(yield* parts)
          const changes = yield* watching.presence.changes(lobby)
          const outer = yield* Effect.scope
          yield* Effect.scoped(
            Effect.gen(function* () {
              const stopping = yield* replicaOf(yield* parts)
              // The scope of the connection closes later, as of one that the drain has not ended.
              yield* Scope.provide(stopping.presence.join(lobby, "ada", { name: "Ada" }), outer)
              yield* Stream.runHead(
                Stream.filter(changes, ({ _tag }) => _tag === "Joined" || _tag === "Snapshot")
              )
              expect(yield* watching.presence.list(lobby)).toHaveLength(1)
            })
          )
          expect(yield* watching.presence.list(lobby)).toEqual([])
        })
      )
    )
  })
