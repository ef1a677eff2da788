/**
 * The state that the exchanges of an app share: services, clock, fibers, and the open
 * exchanges.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import type * as Catalogue from "../../Contract/Catalogue.ts"
import * as ErrorEnvelope from "../../Contract/ErrorEnvelope.ts"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Metering from "../../Plugin/Metering.ts"
import { Alarms } from "./Alarms.ts"
import { Bag } from "./Bag.ts"
import { LogRules, type LogRulesShape } from "./LogRules.ts"
import type { Plan } from "./Plan.ts"
import { type RouteName, type Sample, Sampling } from "./ServerSpan.ts"
import * as Unsampled from "./Unsampled.ts"

const defaultClock = Context.get(Context.empty(), Clock.Clock)

/** The alarms of all apps of the process. */
const alarms = new Alarms(() => performance.now())

/** The exchanges of an app that have not ended. A plugin provides one to read their number. */
export class OpenExchanges extends Context.Service<
  OpenExchanges,
  {
    count: number
    /** Returns how many exchanges of a route have not ended. The server sets it at bind. */
    ofRoute: (route: RouteName) => number
    readonly whenIdle: Set<() => void>
  }
>()("flange/OpenExchanges") {
  /** Creates one without an exchange. */
  static readonly make = (): OpenExchanges["Service"] => ({
    count: 0,
    ofRoute: () => 0,
    whenIdle: new Set()
  })
}

/** The state that the exchanges of an app share. */
export class Serving {
  /** Calls a function at a time of `elapsed`. Returns the function that stops it. */
  readonly alarm: (at: number, ring: () => void) => () => void
  /** Every service of the app. */
  readonly context: Context.Context<unknown>
  /** The form of the app's errors; undefined if they are problem documents. */
  readonly envelope: ErrorEnvelope.ErrorEnvelope | undefined
  /** Returns milliseconds of a monotonic clock. */
  readonly elapsed: () => number
  /** The fibers of exchanges that have not ended, and their routes. */
  readonly fibers: Bag<{ readonly fiber: Fiber.Fiber<unknown, unknown>; readonly route: RouteName }>
  /** Returns Unix milliseconds. */
  readonly now: () => number
  /** Returns Unix nanoseconds. */
  readonly nanos: () => bigint
  readonly #open: OpenExchanges["Service"]
  readonly #refusals = new Map<string, () => void>()
  /** The log levels of routes and callers. */
  readonly rules: LogRulesShape
  /** Decides which requests have a span. */
  readonly sample: Sample
  /** Makes the spans of requests; undefined in an app without a tracer. */
  readonly tracer: Tracer.Tracer | undefined
  /** The services of a bare request, and of one that is not sampled. Its spans have ids, and are not kept. */
  readonly unsampled: Context.Context<unknown>
  /** The services of Effect's own server. With them no effect starts a span. */
  readonly untraced: Context.Context<unknown>

  constructor(
    context: Context.Context<unknown>,
    options: {
      /** The form of errors. Default: that of the app. */
      readonly envelope?: ErrorEnvelope.ErrorEnvelope | undefined
      /** The state that this one extends. */
      readonly parent?: Serving | undefined
    } = {}
  ) {
    const { parent } = options
    this.context = context
    // An app in a test may have a clock of its own.
    const clock = Context.getOrUndefined(context as Context.Context<Clock.Clock>, Clock.Clock)
    this.elapsed =
      clock === undefined
        ? () => performance.now()
        : () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    this.alarm =
      clock === undefined
        ? (at, ring) => alarms.set(at, ring)
        : (at, ring) => {
            const wait = clock.sleep(Duration.millis(Math.max(0, at - this.elapsed())))
            const fiber = Effect.runFork(Effect.andThen(wait, Effect.sync(ring)))
            return () => fiber.interruptUnsafe()
          }
    this.now = clock === undefined ? () => Date.now() : () => clock.currentTimeMillisUnsafe()
    const runtime = Context.getOrUndefined(context as Context.Context<AppRuntime>, AppRuntime)
    this.envelope =
      "envelope" in options ? options.envelope : runtime && ErrorEnvelope.of(runtime.api)
    this.nanos = () => (clock ?? defaultClock).currentTimeNanosUnsafe()
    this.fibers = parent?.fibers ?? new Bag()
    this.#open =
      parent === undefined
        ? (Context.getOrUndefined(context as Context.Context<OpenExchanges>, OpenExchanges) ??
          OpenExchanges.make())
        : parent.#open
    this.rules = Context.get(context as Context.Context<never>, LogRules)
    this.sample = Context.get(context as Context.Context<never>, Sampling)
    this.tracer = Context.getOrUndefined(context as Context.Context<Tracer.Tracer>, Tracer.Tracer)
    this.unsampled =
      this.tracer === undefined
        ? context
        : Context.add(
            Context.add(context, Tracer.Tracer, Unsampled.tracer),
            References.TracerTimingEnabled,
            false
          )
    this.untraced =
      this.tracer === undefined ? context : Context.add(context, References.TracerEnabled, false)
  }

  /** Waits until every exchange has ended, its scope included. */
  readonly idle: Effect.Effect<void> = Effect.callback((resume) => {
    const done = () => resume(Effect.void)
    if (this.#open.count === 0) return done()
    this.#open.whenIdle.add(done)
    return Effect.sync(() => this.#open.whenIdle.delete(done))
  })

  /**
   * Interrupts the fibers of all exchanges, and waits for their ends. If the wait is interrupted, it logs the
   * routes of those that are left.
   */
  readonly interrupt: Effect.Effect<void> = Effect.suspend(() =>
    Effect.onInterrupt(Fiber.interruptAll(this.fibers.values.map(({ fiber }) => fiber)), () => {
      const routes = this.fibers.values.map(({ route: { method, path } }) => `${method} ${path}`)
      return routes.length === 0
        ? Effect.void
        : Effect.logError(
            `Handlers did not end after their interruption, and the app stops without them: ${[...new Set(routes)].sort().join(", ")}`
          )
    })
  )

  /** Returns the state for a request that has references of its own, such as a test's clock. */
  extend(references: Context.Context<never>): Serving {
    return new Serving(Context.merge(this.context, references), {
      envelope: this.envelope,
      parent: this
    })
  }

  /** Counts a request that the listener refused before it was an exchange. */
  countRefusal({ code, status }: Catalogue.Any): void {
    let add = this.#refusals.get(code)
    if (add === undefined) {
      add = Metering.counter(
        this.context as Context.Context<never>,
        "flange.server.refused_requests",
        "Requests that the listener refused before they had a route"
      )({ "error.type": code, "http.response.status_code": String(status) })
      this.#refusals.set(code, add)
    }
    add()
  }

  /** Lets `OpenExchanges` find the open exchanges of these routes. */
  watch(plans: ReadonlyArray<Plan>): void {
    const byRoute = new Map(plans.map((plan) => [plan.route, plan]))
    this.#open.ofRoute = (route) => byRoute.get(route)?.open ?? 0
  }

  /** Counts an exchange as open. */
  begin(): void {
    this.#open.count++
  }

  /** Counts an exchange as ended. */
  end(): void {
    const open = this.#open
    open.count--
    // Clearing an empty set would allocate.
    if (open.count > 0 || open.whenIdle.size === 0) return
    for (const done of open.whenIdle) done()
    open.whenIdle.clear()
  }
}
