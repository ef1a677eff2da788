/** Queues as values: what they hold, how they are filled and who works on them. */
import { randomUUID } from "node:crypto"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as OwnKeys from "../../Contract/OwnKeys.ts"
import * as CauseText from "../../Plugin/CauseText.ts"
import * as Contribution from "../../Plugin/Contribution.ts"
import * as DurationInput from "../../Plugin/DurationInput.ts"
import * as Shown from "../../Plugin/Shown.ts"
import * as HandlerCheck from "../../Server/Route/HandlerCheck.ts"
import { maxDelay } from "./Engine.ts"
import * as Envelope from "./Envelope.ts"
import type * as Failure from "./Failure.ts"
import * as Names from "./Names.ts"
import * as Outcomes from "./Outcomes.ts"
import { QueueRefused } from "./QueueErrors.ts"
import * as QueueOptions from "./QueueOptions.ts"
import { type Enqueued, excess, Queues } from "./Queues.ts"
import type { Offer, QueueStoreError } from "./QueueStore.ts"
import * as Spans from "./Spans.ts"

/** The options of an item. */
export interface ItemOptions {
  /** The time until it can be handled, at most ten years. A negative delay counts as zero. Default: no delay. */
  readonly delay?: Duration.Input | undefined
  /**
   * Its id, 1 to 200 characters: an item with an id that the queue knows is not added. Ids are known until
   * `queue.keepCompleted` after their item is completed. Default: a random one.
   */
  readonly id?: string | undefined
  /** A whole number from -1000 to 1000. A higher one is sooner, among the items of its tenant. Default: 0. */
  readonly priority?: number | undefined
  /** The key of a tenant, 1 to 200 characters. The tenants of a queue take turns. */
  readonly tenant?: string | undefined
}

/** What a handler knows of its item besides its payload. */
export interface Attempt {
  /** The number of this attempt, from 1. */
  readonly attempts: number
  readonly id: string
}

/** A queue as data, without the types of its parts. */
export interface Definition extends QueueOptions.Settings {
  readonly name: string
  /** Opens the stored text of an item. */
  readonly open: (element: string) => Effect.Effect<Envelope.Opened<unknown>, Schema.SchemaError>
}

/** The handler of a queue, with what it needs. */
export interface Handle {
  /** Handles an opened item. It fails with an `Attempted` only. */
  readonly run: (
    opened: Envelope.Opened<unknown>,
    attempt: Attempt
  ) => Effect.Effect<unknown, Outcomes.Attempted>
  /** The services that a fiber which calls `run` must have. */
  readonly services: Context.Context<never>
}

/** The kind of workers: `AppRuntime.contributions(Queue.kind)` returns them. */
export const kind = Contribution.kind<Definition, Handle>()("queue")

/** A worker of a queue, as a plugin contributes it. */
export type Worker<R> = Contribution.Open<"queue", Definition, Handle, never, Queues | R, Queues>

/** A declared queue. */
export interface Queue<Payload, Success, Error> {
  readonly definition: Definition
  /** Adds an item. In a transaction of its store it is added by the commit. */
  readonly enqueue: (
    payload: Payload,
    options?: ItemOptions
  ) => Effect.Effect<Enqueued, QueueRefused | QueueStoreError, Queues>
  /** Adds up to 10,000 items at once, all of them or none. Returns what became of each. */
  readonly enqueueAll: (
    items: ReadonlyArray<ItemOptions & { readonly payload: Payload }>
  ) => Effect.Effect<ReadonlyArray<Enqueued>, QueueRefused | QueueStoreError, Queues>
  readonly name: string
  /**
   * Creates the contribution that handles the items, in processes with the role `worker`. A plugin lists it in
   * `contributes`. A queue has one worker in an app. The handler may run again for an item: after its failure,
   * and if its process ends before the success is stored.
   */
  readonly worker: <R = never>(
    handler: (payload: Payload, attempt: Attempt) => Effect.Effect<Success, Error, R>
  ) => Worker<Exclude<R, Scope.Scope>>
}

const refused = (queue: string, field: QueueRefused["field"], reason: string) =>
  new QueueRefused({ field, queue, reason })

/** Checks the options of an item and returns what the store keeps of them. */
const checked = (
  queue: string,
  { delay, id, priority = 0, tenant }: ItemOptions
): Pick<Offer, "delay" | "id" | "priority" | "tenant"> | QueueRefused => {
  const badId = id === undefined ? undefined : Names.problem(id)
  if (badId !== undefined) return refused(queue, "id", badId)
  const badTenant = tenant === undefined ? undefined : Names.problem(tenant)
  if (badTenant !== undefined) return refused(queue, "tenant", badTenant)
  if (!Number.isInteger(priority) || Math.abs(priority) > 1000) {
    return refused(
      queue,
      "priority",
      `it is ${Shown.of(priority)}. Write a whole number from -1000 to 1000`
    )
  }
  const millis = delay === undefined ? 0 : DurationInput.millis(delay)
  if (!(millis <= maxDelay)) {
    return refused(
      queue,
      "delay",
      `it is ${Shown.of(delay)}. Write a duration of at most 3650 days, such as "10 minutes"`
    )
  }
  return {
    delay: Math.max(0, millis),
    id: id ?? randomUUID(),
    priority,
    tenant: tenant ?? ""
  }
}

const attempted = (kind: Failure.Failure["kind"], message: string, error?: unknown) =>
  new Outcomes.Attempted(error === undefined ? { kind, message } : { error, kind, message })

/**
 * Declares a queue. Throws an error that names the option if one cannot be used, such as a `concurrency` of 0.
 *
 * Declare it outside of functions, beside its schemas. What is enqueued is stored as JSON, and handled at least
 * once, by one of the processes with a worker.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { App, Plugin } from "flange"
 * import * as Queue from "flange/Queue"
 * import { TestApp } from "flange/Testing"
 *
 * const sent: Array<string> = []
 * const Emails = Queue.make("emails", { payload: Schema.Struct({ to: Schema.String }) })
 * const Mailer = Plugin.make("shop:mailer", {
 *   contributes: [Emails.worker(({ to }) => Effect.sync(() => sent.push(to)))],
 *   requires: []
 * })
 *
 * const test = Effect.gen(function* () {
 *   const app = yield* TestApp.make(App.make("shop", [Queue.plugin, Mailer]))
 *   const first = yield* app.run(Emails.enqueue({ to: "ada" }, { id: "welcome-ada" }))
 *   const again = yield* app.run(Emails.enqueue({ to: "ada" }, { id: "welcome-ada" }))
 *   while (sent.length === 0) yield* Effect.sleep(5)
 *   return [first.isNew, again.isNew, ...sent]
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => [true, false, "ada"]
 * ```
 */
export const make = <const Name extends string, Payload, Success = unknown, Error = unknown>(
  name: Name,
  options: QueueOptions.Options<Payload, Success, Error>
): Queue<Payload, Success, Error> => {
  const settings = QueueOptions.check(name, options)
  const payloadJson = Schema.toCodecJson(options.payload)
  const encode = OwnKeys.encodeUnknownEffect(payloadJson)
  const encodeSuccess =
    options.success === undefined
      ? undefined
      : OwnKeys.encodeUnknownEffect(Schema.toCodecJson(options.success))
  const encodeError =
    options.error === undefined
      ? undefined
      : OwnKeys.encodeUnknownEffect(Schema.toCodecJson(options.error))
  const keep = encodeSuccess !== undefined

  const offerOf = (
    payload: Payload,
    itemOptions: ItemOptions
  ): Effect.Effect<Offer, QueueRefused> =>
    Effect.suspend(() => {
      const item = checked(name, itemOptions)
      if (item instanceof QueueRefused) return Effect.fail(item)
      return Effect.withFiber((fiber) =>
        encode(payload).pipe(
          Effect.map((encoded) => ({
            ...item,
            element: JSON.stringify(Envelope.make(encoded, settings.version, fiber)),
            keep: keep || itemOptions.id !== undefined
          })),
          // A schema may throw, and so may a getter of the payload.
          Effect.catchCause((cause) => {
            const reason = cause.reasons[0]
            return reason !== undefined && Cause.isInterruptReason(reason)
              ? Effect.interrupt
              : Effect.fail(
                  refused(
                    name,
                    "payload",
                    `its schema refuses it. ${CauseText.of(cause).slice(0, 2000)}`
                  )
                )
          })
        )
      )
    })

  const enqueueAll: Queue<Payload, Success, Error>["enqueueAll"] = (items) =>
    items.length === 0
      ? Effect.succeed([])
      : Effect.flatMap(Queues, ({ offer }) =>
          Effect.forEach(items, ({ payload, ...itemOptions }) =>
            offerOf(payload, itemOptions)
          ).pipe(
            Effect.flatMap((offers) => offer(name, offers)),
            Spans.within(`queue ${name} enqueue`, {
              attributes: {
                "messaging.batch.message_count": items.length,
                "messaging.destination.name": name,
                "messaging.operation.type": "send"
              },
              kind: "producer"
            })
          )
        )

  /** Returns the text of a result, if it may be kept. */
  const resultOf = (value: unknown, most: number): Outcomes.Kept | QueueRefused => {
    // `Schema.Any` may leave a value that JSON does not have.
    const text = JSON.stringify(value) ?? "null"
    const why = excess(text, most)
    return why === undefined
      ? new Outcomes.Kept(text)
      : refused(name, "result", `it ${why} and return its key`)
  }

  const handle =
    (
      handler: (payload: Payload, attempt: Attempt) => Effect.Effect<Success, Error, Scope.Scope>,
      maxPayload: number
    ) =>
    (opened: Envelope.Opened<unknown>, attempt: Attempt) =>
      // The engine opens items with the envelope of this queue, which decodes its payload.
      Effect.suspend(() =>
        HandlerCheck.returned(`the queue "${name}"`, handler(opened.payload as Payload, attempt))
      ).pipe(
        Effect.scoped,
        Effect.exit,
        Effect.flatMap((exit): Effect.Effect<unknown, Outcomes.Attempted> => {
          if (exit._tag === "Success") {
            if (encodeSuccess === undefined) return Effect.void
            // The schema may throw, and so may the writing of the result as JSON.
            const kept = Effect.map(encodeSuccess(exit.value), (result) =>
              resultOf(result, maxPayload)
            )
            return Effect.flatMap(Effect.exit(kept), (result) => {
              if (result._tag === "Failure") {
                const why = `The schema \`success\` refuses the result: ${CauseText.of(result.cause)}`
                return Effect.fail(attempted("defect", why))
              }
              return result.value instanceof QueueRefused
                ? Effect.fail(attempted("defect", CauseText.of(Cause.fail(result.value))))
                : Effect.succeed(result.value)
            })
          }
          const failure = exit.cause.reasons.find(Cause.isFailReason)
          const message = CauseText.of(exit.cause)
          if (failure === undefined) return Effect.fail(attempted("defect", message))
          if (encodeError === undefined) return Effect.fail(attempted("failure", message))
          return Effect.flatMap(Effect.exit(encodeError(failure.error)), (error) =>
            Effect.fail(
              attempted("failure", message, error._tag === "Success" ? error.value : undefined)
            )
          )
        })
      )

  const definition: Definition = {
    ...settings,
    name,
    open: Envelope.opener(payloadJson, settings.version, settings.migrate)
  }

  return {
    definition,
    enqueue: (payload, itemOptions = {}) =>
      Effect.map(enqueueAll([{ ...itemOptions, payload }]), ([one]) => one!),
    enqueueAll,
    name,
    worker: <R>(
      handler: (payload: Payload, attempt: Attempt) => Effect.Effect<Success, Error, R>
    ) => {
      if (typeof handler !== "function") {
        throw new TypeError(
          `The handler of the queue "${name}" is ${Shown.of(handler)}: write a function that returns an Effect.`
        )
      }
      return Contribution.open(
        kind.name,
        name,
        definition,
        (services: Context.Context<Exclude<R, Scope.Scope> | Queues>) =>
          Effect.succeed({
            run: handle(
              // A fiber that calls `run` has the services.
              handler as (
                payload: Payload,
                attempt: Attempt
              ) => Effect.Effect<Success, Error, Scope.Scope>,
              Context.get(services, Queues).maxPayload
            ),
            services
          }),
        [Queues]
      )
    }
  }
}
