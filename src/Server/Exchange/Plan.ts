/** What is known of a request before it is looked at: its route, and what its target led to. */
import type * as ByteSize from "effect/ByteSize"
import type * as Catalogue from "../../Contract/Catalogue.ts"
import type { Observe } from "./Observers.ts"
import type { Route } from "./ServerSpan.ts"

/** What the requests of one route have in common. */
export interface Plan {
  /** The longest body, in bytes. */
  readonly bodyLimit: number
  /** The names of `headers`. */
  readonly constant: ReadonlySet<string>
  /** Names and values in turn, of every reply that has no header of the same name. */
  readonly headers: ReadonlyArray<string>
  /** Whether replies have no request id and the request no span. */
  readonly isBare: boolean
  /** Whether the request is Effect's own, for handlers that stream, upgrade or read it themselves. */
  readonly isOpened: boolean
  readonly maxBodySize: ByteSize.ByteSize
  readonly observers: ReadonlyArray<Observe>
  readonly route: Route
}

/** What the target of a request led to. */
export interface Match {
  readonly params: Readonly<Record<string, string | undefined>>
  /** Why no route takes the request. */
  readonly refusal: Catalogue.Any | undefined
  readonly searchParams: Readonly<Record<string, Array<string> | string>>
}
