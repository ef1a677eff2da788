/** Replies that are sent many times: their header lines are made once for each route. */
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { Plan } from "./Plan.ts"
import * as ReplyHeaders from "./ReplyHeaders.ts"
import * as RequestId from "./RequestId.ts"
import { linesOf } from "./WireReply.ts"

/** The lines of a reply with the constant ones of a route. */
interface Prepared {
  readonly constant: ReadonlyArray<string>
  readonly lines: ReadonlyArray<string>
  readonly names: ReadonlySet<string>
}

const key = Symbol("flange/PreparedReply")

/** A copy of a response, as Effect makes one to change it, is not prepared. */
interface Keyed extends HttpServerResponse {
  [key]?: Prepared | undefined
}

const unmade: Prepared = { constant: [], lines: [], names: new Set() }

/** Prepares a response that has no cookies, and returns it. */
export const prepare = (response: HttpServerResponse): HttpServerResponse => {
  const keyed: Keyed = response
  keyed[key] = unmade
  return response
}

/**
 * Returns the header lines of a prepared response, the constant ones of the route included. Undefined
 * if the response is not prepared, or if its lines have to be merged with `changes`.
 */
export const linesFor = (
  response: HttpServerResponse,
  { headers: constant }: Pick<Plan, "headers">,
  changes: ReadonlyArray<string>
): ReadonlyArray<string> | undefined => {
  const keyed: Keyed = response
  let prepared = keyed[key]
  if (prepared === undefined) return undefined
  if (prepared.constant !== constant) keyed[key] = prepared = made(response, constant)
  const { lines, names } = prepared
  if (names.has(RequestId.header)) return undefined
  for (let i = 0; i < changes.length; i += 2) if (names.has(changes[i]!)) return undefined
  return lines
}

const made = (response: HttpServerResponse, constant: ReadonlyArray<string>): Prepared => {
  const lines = ReplyHeaders.merge(linesOf(response), { added: [], set: [] }, constant)
  ReplyHeaders.encodeLocation(lines)
  return { constant, lines, names: new Set(lines.filter((_, i) => i % 2 === 0)) }
}
