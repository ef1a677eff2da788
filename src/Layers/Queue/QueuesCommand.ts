/** `flange queues`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { AppRuntime } from "../../Plugin/AppRuntime.ts"
import { CommandError, CurrentApp } from "../../Plugin/Cli.ts"
import { json, print } from "../../Plugin/Printing.ts"
import * as Inspect from "./Inspect.ts"
import { kind } from "./Queue.ts"
import { countOf, QueueStore, states } from "./QueueStore.ts"

// Arguments are read in the order of the names of their keys: that of the queue has to be the first.
const queue = Argument.String("queue").pipe(Argument.withDescription("The name of the queue"))

const refused = (reason: string, exitCode: 1 | 2) => new CommandError({ exitCode, reason })

/** Runs an effect with the store of the app. */
const withStore = <A>(
  effect: Effect.Effect<
    A,
    { readonly _tag: string; readonly message: string },
    AppRuntime | QueueStore
  >
) =>
  Effect.flatMap(CurrentApp, ({ app, run }) =>
    run(
      Effect.provideService(
        Effect.mapError(effect, ({ _tag, message }) =>
          refused(message, _tag === "UnknownQueue" ? 2 : 1)
        ),
        Inspect.Declared,
        app.plugins.flatMap(({ manifest }) =>
          manifest.contributions.flatMap((each) => (each.kind === kind.name ? [each.name] : []))
        )
      ),
      { requires: [QueueStore] as const }
    )
  )

const lineOf = (queue: Inspect.Overview): string =>
  [
    queue.name,
    ...states.map((state) => `${countOf(queue, state)} ${state}`),
    `oldest ${Duration.format(Duration.seconds(Math.round(queue.oldestWaiting / 1000)))}`,
    ...(queue.paused ? ["PAUSED"] : [])
  ].join("  ")

const list = Command.make(
  "list",
  { json },
  Effect.fn(function* ({ json }) {
    const all = yield* withStore(Inspect.queues)
    return yield* print(all, json, all.map(lineOf), "No queue has items or workers.")
  })
).pipe(
  Command.withDescription("List the queues with their numbers of items and their longest wait")
)

const items = Command.make(
  "items",
  {
    after: Flag.String("after").pipe(
      Flag.withDescription("The text that the part before printed as its end"),
      Flag.withDefault("0")
    ),
    json,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("The most items, from 1 to 1000"),
      Flag.withDefault(50)
    ),
    queue,
    state: Flag.Literals("state", [...states]).pipe(
      Flag.withDescription("The state of the items"),
      Flag.withDefault("dead" as const)
    )
  },
  Effect.fn(function* ({ after, json, limit, queue, state }) {
    if (limit < 1 || limit > 1000) {
      return yield* refused(`--limit is ${limit}. Write a number from 1 to 1000.`, 2)
    }
    if (!/^\d{1,16}$/.test(after)) {
      return yield* refused(
        `--after is ${JSON.stringify(after.slice(0, 80))}. Write the number that the part before printed.`,
        2
      )
    }
    const part = yield* withStore(Inspect.items(queue, { after, limit, state }))
    const lines = part.items.map(({ attempts, failure, id, updatedAt }) =>
      [
        updatedAt,
        id,
        `attempt ${attempts}`,
        ...(failure === null ? [] : [`${failure.kind}: ${failure.message.split("\n", 1)[0]!}`])
      ].join("  ")
    )
    const end = part.next === null ? [] : [`More: --after ${part.next}`]
    return yield* print(part, json, [...lines, ...end], `The queue has no item that is ${state}.`)
  })
).pipe(
  Command.withDescription(
    "List the items of a queue in one state, dead letters by default, without their payloads"
  )
)

const id = Argument.String("id").pipe(Argument.withDescription("The id of the item"))

const ids = Argument.String("id").pipe(
  Argument.withDescription("The ids of the items"),
  Argument.variadic()
)

const show = Command.make(
  "show",
  { from: queue, id },
  Effect.fn(function* ({ from, id }) {
    const found = yield* withStore(Inspect.item(from, id))
    if (found === undefined) return yield* refused(`The queue "${from}" has no item "${id}".`, 2)
    return yield* print(found, true, [], "")
  })
).pipe(
  Command.withDescription(
    "Print an item with its payload as JSON. The fields that the log hides are hidden in it"
  )
)

/** Prints how many of the named items were changed. Fails if some were not. */
const report = (count: number, ids: ReadonlyArray<string>, done: string, others: string) => {
  const named = new Set(ids).size
  const line = `${count} of ${named} items ${done}.`
  return count === named ? Console.log(line) : refused(`${line} ${others}`, 1)
}

const requeue = Command.make(
  "requeue",
  {
    dead: Flag.Boolean("all-dead").pipe(
      Flag.withDescription("Requeue all dead letters"),
      Flag.withDefault(false)
    ),
    from: queue,
    ids
  },
  Effect.fn(function* ({ dead, from, ids }) {
    if (dead === ids.length > 0) {
      return yield* refused("Name the ids of items, or write --all-dead without ids.", 2)
    }
    const count = yield* withStore(Inspect.requeue(from, dead ? "dead" : ids))
    if (dead) return yield* Console.log(`Dead letters that wait again: ${count}.`)
    return yield* report(
      count,
      ids,
      "wait again",
      "The queue does not have the others, or they wait or run already."
    )
  })
).pipe(Command.withDescription("Make items wait again with no attempt counted"))

const remove = Command.make(
  "remove",
  { from: queue, ids },
  Effect.fn(function* ({ from, ids }) {
    if (ids.length === 0) return yield* refused("Name the ids of the items to remove.", 2)
    const count = yield* withStore(Inspect.remove(from, ids))
    return yield* report(
      count,
      ids,
      "were removed",
      "The queue does not have the others, or they are running."
    )
  })
).pipe(Command.withDescription("Remove items that are not running"))

const pause = Command.make(
  "pause",
  { queue },
  Effect.fn(function* ({ queue }) {
    yield* withStore(Inspect.pause(queue))
    return yield* Console.log(`The queue "${queue}" is paused in all processes.`)
  })
).pipe(Command.withDescription("Stop the claims of a queue in all processes"))

const resume = Command.make(
  "resume",
  { queue },
  Effect.fn(function* ({ queue }) {
    yield* withStore(Inspect.resume(queue))
    return yield* Console.log(`The queue "${queue}" is not paused.`)
  })
).pipe(Command.withDescription("End the pause of a queue"))

export const command = Command.make("queues").pipe(
  Command.withDescription("Inspect and change the queues of the app"),
  Command.withSubcommands([items, list, pause, remove, requeue, resume, show])
)
