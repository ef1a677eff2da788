/** The middleware that carries out a request with a key once, and sends its reply again. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schedule from "effect/Schedule"
import { CurrentCaller } from "../../Contract/Authentication.ts"
import * as Catalogue from "../../Contract/Catalogue.ts"
import * as SentKey from "../../Contract/SentKey.ts"
import { AppRuntime, type AppRuntimeShape } from "../../Plugin/AppRuntime.ts"
import * as Metering from "../../Plugin/Metering.ts"
import * as Transactions from "../../Plugin/Transactions.ts"
import { Warning } from "../../Plugin/Warning.ts"
import { Answer } from "../../Server/Exchange/Answer.ts"
import * as Before from "../../Server/Exchange/Before.ts"
import { CurrentExchange, type Exchange } from "../../Server/Exchange/Exchange.ts"
import * as Problem from "../../Server/Exchange/Problem.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import type { Rules } from "./Contract.ts"
import * as Fingerprint from "./Fingerprint.ts"
import { IdempotencyConfig, type Settings } from "./IdempotencyConfig.ts"
import * as IdempotentRoute from "./IdempotentRoute.ts"
import * as KeptReply from "./KeptReply.ts"
import * as KeyHeader from "./KeyHeader.ts"
import { type Attempt, type Found, KeyStore, type KeyStoreError, type Store } from "./KeyStore.ts"
import { tooManyKeys, Unsettled } from "./Unsettled.ts"

/** An attempt while its handler runs. */
interface Run {
  readonly attempt: Attempt
  /** Whether the handler was called. A request that was refused before frees its key. */
  hasRun: boolean
  /** Whether the handler's writes are committed. */
  isCarriedOut: boolean
}

class CurrentRun extends Context.Service<CurrentRun, Run>()("flange/Idempotency/CurrentRun") {}

/** What a request with a key met. */
type Outcome =
  | "carried out"
  | "freed"
  | "in use"
  | "malformed"
  | "missing"
  | "replayed"
  | "reused"
  | "store failed"
  | "too large"

/** The seconds after which a client asks again. */
const retryAfter = { "retry-after": "1" }

/** When a renewal is tried again that failed: as soon as the store works, before others claim the key. */
const renewedAgain = Schedule.spaced("1 second")

const noBytes = new Uint8Array(0)

/** The parts that all routes share. */
interface Shared {
  readonly config: Settings
  readonly count: (outcome: Outcome) => void
  readonly runtime: AppRuntimeShape
  readonly store: Store
  readonly unsettled: Unsettled
  readonly warnings: Readonly<Record<"claim" | "forget" | "keep" | "lose" | "release", Warning>>
}

/** Returns the body of a request; undefined if it cannot be read: its codec refuses it. */
const bodyOf = (exchange: Exchange): Effect.Effect<Uint8Array | undefined> =>
  exchange.hasBody
    ? Effect.callback((resume) =>
        exchange.readBody(() => {
          const { body } = exchange
          resume(Effect.succeed(body instanceof Uint8Array ? body : undefined))
        })
      )
    : Effect.succeed(noBytes)

const around = (
  { config, count, runtime, store, unsettled, warnings }: Shared,
  digests: Fingerprint.Digests,
  rules: Rules,
  readsBody: boolean
): Middleware.AroundReply => {
  const { maxBytes } = config
  const lease = Duration.toMillis(config.lease)
  const ttl = rules.ttl ?? Duration.toMillis(config.ttl)

  const refused = (outcome: Outcome, error: Catalogue.Any, exchange: Exchange) => {
    count(outcome)
    exchange.annotate({ idempotency: outcome })
    return Problem.render(error, exchange)
  }

  /** Logs that the store does not work. */
  const failed = (operation: keyof Shared["warnings"], what: string, error: KeyStoreError) => {
    count("store failed")
    return warnings[operation].log(what, Cause.fail(error))
  }

  const freeLater = (attempt: Attempt, error: KeyStoreError) =>
    Effect.flatMap(unsettled.free(attempt), (isRemembered) =>
      isRemembered
        ? Effect.void
        : Effect.asVoid(warnings.forget.log(tooManyKeys, Cause.fail(error)))
    )

  const release = (attempt: Attempt) =>
    Effect.catch(store.release(attempt), (error) =>
      Effect.andThen(
        failed(
          "release",
          "An idempotency key stays in use until the store works or its lease ends",
          error
        ),
        freeLater(attempt, error)
      )
    )

  const keep = (attempt: Attempt, response: HttpServerResponse.HttpServerResponse) => {
    const text = KeptReply.of(response, maxBytes)
    return Effect.catch(Effect.asVoid(store.complete(attempt, text, ttl)), (error) =>
      Effect.flatMap(unsettled.keep(attempt, text, ttl), (isRemembered) =>
        Effect.asVoid(
          isRemembered
            ? failed("keep", "A reply is not kept yet, and this process remembers it", error)
            : failed(
                "lose",
                "A reply was not kept: its request would be carried out again after the lease",
                error
              )
        )
      )
    )
  }

  const inside: Middleware.InsideTransaction = (handler, toReply) =>
    Effect.withFiber((fiber) => {
      // A request without a key has none.
      const run = Context.getOrUndefined(fiber.context as Context.Context<CurrentRun>, CurrentRun)
      if (run === undefined) return handler
      const { attempt } = run
      run.hasRun = true
      const carriedOut = Effect.sync(() => {
        run.isCarriedOut = true
      })
      return Effect.gen(function* () {
        const response = yield* Effect.flatMap(handler, toReply)
        if (!store.isTransactional) {
          const kept = Effect.andThen(carriedOut, keep(attempt, response))
          yield* Transactions.afterCommit(runtime, kept)
          return response
        }
        const text = KeptReply.of(response, maxBytes)
        if (!(yield* Effect.orDie(store.complete(attempt, text, ttl)))) {
          // Another attempt has committed. The transaction of this one rolls back.
          return yield* Effect.die(
            new Answer({ error: new Catalogue.IdempotencyKeyInUse(), headers: retryAfter })
          )
        }
        yield* Transactions.afterCommit(runtime, carriedOut)
        return response
      })
    })

  /** Keeps the reply of an error that the handler has declared, or frees the key. */
  const settle = (
    { attempt, hasRun, isCarriedOut }: Run,
    exit: Exit.Exit<HttpServerResponse.HttpServerResponse, unknown>
  ): Effect.Effect<void> => {
    if (isCarriedOut) {
      count("carried out")
      return Effect.void
    }
    if (exit._tag === "Success" && hasRun) {
      const { headers, status } = exit.value
      // A client that is told to try again must not get the same reply then.
      if (status < 500 && headers["retry-after"] === undefined) {
        count("carried out")
        return keep(attempt, exit.value)
      }
    }
    count("freed")
    return release(attempt)
  }

  /** Runs uninterruptibly, so that a key that was claimed is settled. `next` may be interrupted. */
  const carryOut = (next: Middleware.Next, attempt: Attempt): Middleware.Next =>
    Effect.suspend(() => {
      const run: Run = { attempt, hasRun: false, isCarriedOut: false }
      const served = Effect.provideService(next, CurrentRun, run)
      const { renew } = store
      if (renew === undefined) return Effect.onExit(served, (exit) => settle(run, exit))
      const renewed = Effect.forever(
        Effect.andThen(
          Effect.sleep(lease / 3),
          Effect.ignore(Effect.retry(renew(attempt, lease), renewedAgain))
        )
      )
      return Effect.flatMap(Effect.forkChild(renewed), (renewal) =>
        Effect.onExit(served, (exit) => Effect.andThen(Fiber.interrupt(renewal), settle(run, exit)))
      )
    })

  const answer = (
    found: Exclude<Found, { readonly _tag: "Claimed" }>,
    { fingerprint }: Attempt,
    exchange: Exchange
  ): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
    if (found.fingerprint !== fingerprint) {
      return refused("reused", new Catalogue.IdempotencyKeyReused(), exchange)
    }
    if (found._tag === "Running") {
      return Effect.map(
        refused("in use", new Catalogue.IdempotencyKeyInUse(), exchange),
        HttpServerResponse.setHeaders(retryAfter)
      )
    }
    const response = KeptReply.toResponse(found.reply)
    if (response === undefined) {
      return refused("too large", new Catalogue.IdempotencyReplyTooLarge(), exchange)
    }
    count("replayed")
    exchange.annotate({ idempotency: "replayed" })
    return Effect.succeed(response)
  }

  const claimed = (
    next: Middleware.Next,
    attempt: Attempt,
    exchange: Exchange
  ): Middleware.Next => {
    const unknown = Effect.uninterruptibleMask((restore) =>
      Effect.matchEffect(
        // If it is interrupted, the store may have carried it out.
        Effect.onInterrupt(restore(store.claim(attempt, lease)), () => release(attempt)),
        {
          onFailure: (error) =>
            failed("claim", "Idempotency keys cannot be claimed", error).pipe(
              Effect.andThen(
                config.onOutage === "open"
                  ? restore(next)
                  : Effect.map(
                      Problem.render(new Catalogue.ServiceUnavailable(), exchange),
                      HttpServerResponse.setHeaders(retryAfter)
                    )
              ),
              // The store may carry the claim out, also later.
              Effect.ensuring(freeLater(attempt, error))
            ),
          onSuccess: (found) =>
            found._tag === "Claimed"
              ? carryOut(restore(next), attempt)
              : Effect.suspend(() => answer(found, attempt, exchange))
        }
      )
    )
    return Effect.flatMap(unsettled.find(attempt.id), (known) =>
      known === undefined ? unknown : answer(known, attempt, exchange)
    )
  }

  const wrap: Middleware.Wrap = (next) =>
    Effect.withFiber((fiber) => {
      // The exchange provides itself to the fibers of its request.
      const exchange = Context.getUnsafe(
        fiber.context as Context.Context<CurrentExchange>,
        CurrentExchange
      )
      const value = exchange.header(SentKey.header)
      if (value === undefined) {
        return rules.required
          ? refused("missing", new Catalogue.IdempotencyKeyMissing(), exchange)
          : next
      }
      const key = KeyHeader.parse(value)
      if (key === undefined) {
        return refused("malformed", new Catalogue.IdempotencyKeyMalformed(), exchange)
      }
      // Behind middleware that wraps the request, the exchange itself does not know the caller.
      const caller = fiber.getRef(CurrentCaller)
      const identity = caller?.identity
      if (caller === undefined || identity === undefined) return Effect.die(new Error(anonymous))
      const id = digests.id(key, { chain: caller.chain, identity })
      return Effect.flatMap(readsBody ? bodyOf(exchange) : Effect.succeed(noBytes), (body) =>
        body === undefined
          ? next
          : claimed(
              next,
              {
                fingerprint: digests.fingerprint(exchange, body),
                id,
                owner: crypto.randomUUID()
              },
              exchange
            )
      )
    })

  return { before: () => Before.pass, inside, wrap }
}

const anonymous =
  "A request with an idempotency key has no caller, so its reply could be sent to another one. Put the endpoint behind Route.protected."

/** Carries out requests with a key once. */
export const middleware = Middleware.aroundReply("idempotency", {
  build: Effect.gen(function* () {
    const config = yield* IdempotencyConfig
    const runtime = yield* AppRuntime
    const prefix = config.prefix ?? runtime.id
    const store = yield* KeyStore
    const unsettled = new Unsettled(store)
    yield* Effect.forkScoped(unsettled.run)
    const warnings = {
      claim: new Warning(),
      forget: new Warning(),
      keep: new Warning(),
      lose: new Warning(),
      release: new Warning()
    }
    const counter = Metering.counter(
      yield* Effect.context<never>(),
      "flange.idempotency.requests",
      "Requests with an idempotency key, and those that lack a required one"
    )
    return (route: Middleware.RouteInfo) => {
      const rules = IdempotentRoute.find(route)
      const { endpoint, group } = route
      if (rules === undefined || endpoint === undefined) return undefined
      const counts = new Map<Outcome, () => void>()
      const count = (outcome: Outcome) => {
        const known =
          counts.get(outcome) ??
          counter({
            "flange.idempotency.outcome": outcome.replace(" ", "_"),
            "http.route": route.path
          })
        counts.set(outcome, known)
        known()
      }
      return around(
        { config, count, runtime, store, unsettled, warnings },
        Fingerprint.make(prefix, { endpoint, group }),
        rules,
        endpoint.payload.size > 0
      )
    }
  }),
  describe: IdempotentRoute.describe
})
