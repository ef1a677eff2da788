/** The metrics of outgoing calls. */
import type * as Context from "effect/Context"
import * as Metering from "../../Plugin/Metering.ts"
import * as Methods from "../../Server/Exchange/Methods.ts"
import type { Limit } from "./Errors.ts"

/** How an attempt ended: with a status, or with an error. */
export type Ending = { readonly error: string } | { readonly status: number }

/** The metrics of one upstream. */
export interface Meters {
  /** Records an attempt that was sent, in seconds. */
  readonly attempt: (method: string, ending: Ending, seconds: number) => void
  /** Counts a request that is sent a second time without a failure of the first. */
  readonly hedged: () => void
  /** Counts a call that a limit has refused or ended. */
  readonly refused: (limit: Limit) => void
  /** Counts a request that is sent again. */
  readonly retried: () => void
  /** Counts a request that is not sent again because the budget has none left. */
  readonly spent: () => void
}

/** What can be read of one upstream, or of all those without a name. */
export interface Readings {
  readonly running: () => number
  readonly state: () => number
  readonly waiting: () => number
}

/** An upstream may answer with any number of three digits. */
const statusOf = (status: number): string =>
  status >= 100 && status <= 599 ? String(status) : "_OTHER"

/** Returns a function that keeps what another one returns for a text. Its texts are few. */
const kept = <A>(make: (text: string) => A): ((text: string) => A) => {
  const known = new Map<string, A>()
  return (text) => {
    let found = known.get(text)
    if (found === undefined) known.set(text, (found = make(text)))
    return found
  }
}

/** Creates the metrics of an upstream: the series of the attribute `flange.upstream`. */
export const make = (upstream: string, context: Context.Context<never>): Meters => {
  const own = { "flange.upstream": upstream }
  const duration = Metering.duration(
    context,
    "http.client.request.duration",
    "Duration of HTTP client requests, until the head of the response"
  )
  const retries = Metering.counter(
    context,
    "flange.outgoing.retries",
    "Outgoing requests that were sent again, or not because the retry budget was used up"
  )
  const refusals = Metering.counter(
    context,
    "flange.outgoing.refusals",
    "Outgoing calls that a limit of the app refused or ended"
  )
  const hedges = Metering.counter(
    context,
    "flange.outgoing.hedges",
    "Outgoing requests that were sent a second time because the first was slow"
  )
  const series = kept((key) => {
    const [method, status, error] = key.split(" ")
    return duration({
      ...own,
      "http.request.method": method!,
      ...(status === "" ? {} : { "http.response.status_code": status! }),
      ...(error === "" ? {} : { "error.type": error! })
    })
  })
  const refused = kept((limit) => refusals({ ...own, "flange.limit": limit }))
  return {
    attempt: (sent, ending, seconds) => {
      const method = Methods.isKnown(sent) ? sent : Methods.other
      const status = "status" in ending ? statusOf(ending.status) : ""
      const error = "error" in ending ? ending.error : ending.status >= 400 ? status : ""
      series(`${method} ${status} ${error}`)(seconds)
    },
    hedged: hedges(own),
    refused: (limit) => refused(limit)(),
    retried: retries({ ...own, "flange.outcome": "sent" }),
    spent: retries({ ...own, "flange.outcome": "over_budget" })
  }
}

/** Registers the gauges of an upstream. */
export const register = (
  upstream: string,
  { running, state, waiting }: Readings,
  context: Context.Context<never>
): void => {
  const attributes = { "flange.upstream": upstream }
  for (const reading of [
    {
      description: "State of the circuit breaker: 0 is closed, 1 tries the upstream, 2 is open",
      id: "flange.outgoing.breaker",
      read: state
    },
    {
      description: "Outgoing requests that wait for the head of a response",
      id: "flange.outgoing.running",
      read: running
    },
    {
      description: "Outgoing requests that wait for their turn",
      id: "flange.outgoing.waiting",
      read: waiting
    }
  ]) {
    Metering.register({ ...reading, attributes, type: "gauge" }, context)
  }
}
