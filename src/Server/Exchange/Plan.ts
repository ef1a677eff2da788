/** The parts of a route that its exchanges read. */
import type * as ByteSize from "effect/ByteSize"
import type * as Catalogue from "../../Contract/Catalogue.ts"
import type { Observe } from "./Observers.ts"
import type { Transform } from "./ReplyTransform.ts"
import type { RouteName } from "./ServerSpan.ts"
import type { TimeRule } from "./TimeLimit.ts"

/** The parts of a route that all its requests share. */
export interface Plan {
  /** The longest body, in bytes. */
  readonly bodyLimit: number
  /** The names of `headers`. */
  readonly constant: ReadonlySet<string>
  /** The names of the group and of the endpoint; undefined for a raw route. */
  readonly endpoint: string | undefined
  /** The constant headers, names and values in turn. See `ReplyHeaders.merge`. */
  readonly headers: ReadonlyArray<string>
  /** Whether the route is bare: its replies have no request id, its requests no span. */
  readonly isBare: boolean
  /**
   * Whether the listener opens the request for Effect: the handler streams, upgrades or
   * reads the request itself.
   */
  readonly isOpened: boolean
  readonly maxBodySize: ByteSize.ByteSize
  readonly observers: ReadonlyArray<Observe>
  /** How many exchanges of the route have not ended. */
  open: number
  /** The plugin that contributed the route. */
  readonly plugin: string
  /** Whether the body is read and decoded before the handler runs. */
  readonly readsBody: boolean
  readonly route: RouteName
  /** The time limits; undefined if no plugin limits the time of the route. */
  readonly time: TimeRule | undefined
  /** Changes of finished replies, the first one first. */
  readonly transforms: ReadonlyArray<Transform>
  /** Whether the handler can upgrade the connection. */
  readonly upgrades: boolean
}

/** The result of the route table for a request. */
export interface Match {
  readonly params: Readonly<Record<string, string | undefined>>
  /** The error or the redirect to answer if no route takes the request. */
  readonly refusal: Catalogue.Any | Moved | undefined
  readonly searchParams: Readonly<Record<string, Array<string> | string>>
}

/** A redirect to the path with, or without, a slash at its end. */
export class Moved {
  /** Path and query. */
  readonly location: string

  constructor(location: string) {
    this.location = location
  }
}
