/** Puts a limit in front of a chain: a client that sends too many wrong credentials has to wait. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { Incoming } from "../../Server/Exchange/Before.ts"
import * as ClientIp from "../../Server/Exchange/ClientIp.ts"
import type { Made, Verdict } from "./Chain.ts"
import { Guesses } from "./Guesses.ts"
import { GuessingConfig } from "./GuessingConfig.ts"

/** A verdict, or how many seconds an address has to wait before its credentials are checked. */
export type Guarded = Verdict | { readonly _tag: "Limited"; readonly seconds: number }

/** Decides about a request. */
export type Decide = (request: Incoming) => Effect.Effect<Guarded>

/** The parts of a chain that the limit needs. */
type Checking = Pick<Made, "carries" | "decide">

/** Returns the function that puts the limit in front of a chain; all chains share the counts. */
export const make = Effect.map(
  GuessingConfig,
  ({ enabled, limit, maxAddresses, window }): ((chain: Checking) => Decide) => {
    if (!enabled) return ({ decide }) => decide
    const guesses = new Guesses({ limit, maxAddresses, windowMillis: Duration.toMillis(window) })
    let isWarned = false
    const warning = Effect.suspend(() => {
      if (isWarned) return Effect.void
      isWarned = true
      return Effect.logWarning(
        "Wrong credentials are not counted: the address of their client is unknown. Let the proxy send X-Forwarded-For."
      )
    })
    return (chain) => guarded(chain, guesses, warning)
  }
)

const guarded = (
  { carries, decide }: Checking,
  guesses: Guesses,
  warning: Effect.Effect<void>
): Decide => {
  /** Returns the verdict of an asynchronous check. */
  const inTurn = (
    request: Incoming,
    address: string,
    check: Effect.Effect<Verdict>
  ): Effect.Effect<Guarded> => {
    const counted = Effect.tap(check, (verdict) => {
      if (isGuess(verdict)) guesses.refuse(address, request.now())
      return Effect.void
    })
    const turn = Effect.callback<void>((resume) => {
      const leave = guesses.queue(address, () => resume(Effect.void))
      return Effect.sync(leave)
    })
    const begin: Effect.Effect<Guarded> = Effect.suspend(() => {
      const seconds = guesses.wait(address, request.now())
      if (seconds > 0) {
        guesses.wake(address)
        return limited(seconds)
      }
      const end = guesses.begin(address, request.now())
      if (end === undefined) return Effect.andThen(turn, begin)
      // A client that goes away does not end the check: its guess would not count.
      return Effect.flatMap(
        Effect.forkDetach(Effect.ensuring(counted, Effect.sync(end)), { startImmediately: true }),
        Fiber.join
      )
    })
    return begin
  }

  return (request) => {
    const address = guesses.isIdle ? undefined : addressOf(request)
    const seconds = address === undefined ? 0 : guesses.wait(address, request.now())
    if (seconds > 0) {
      if (carries(request)) return limited(seconds)
      // Only a backend that reads the whole request knows whether the request has credentials.
      return Effect.flatMapEager(decide(request), (verdict) =>
        verdict._tag === "Anonymous" ? Effect.succeed(verdict) : limited(seconds)
      )
    }
    if (address !== undefined && guesses.isBusy(address, request.now())) {
      return inTurn(
        request,
        address,
        Effect.suspend(() => decide(request))
      )
    }
    const check = decide(request)
    if (!Exit.isExit(check)) {
      const own = addressOf(request)
      return own === undefined
        ? Effect.tap(check, (verdict) => (isGuess(verdict) ? warning : Effect.void))
        : inTurn(request, own, check)
    }
    const exit = check as Exit.Exit<Verdict>
    if (Exit.isFailure(exit) || !isGuess(exit.value)) return check
    const own = addressOf(request)
    if (own === undefined) return Effect.as(warning, exit.value)
    guesses.refuse(own, request.now())
    return check
  }
}

const limited = (seconds: number): Effect.Effect<Guarded> =>
  Effect.succeed({ _tag: "Limited", seconds })

const isGuess = (verdict: Verdict): boolean => verdict._tag === "Refused" && !verdict.isGenuine

const addressOf = (request: Incoming): string | undefined => {
  const address = ClientIp.resolve(request)
  return address && ClientIp.networkOf(address)
}
