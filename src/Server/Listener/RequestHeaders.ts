/** The headers of a request of `node:http`. */
import type * as Http from "node:http"
import * as Semantics from "../Exchange/Semantics.ts"

/** Returns the value of a header; several lines are joined. `name` is in lower case. */
export const headerOf = (
  { headers }: Pick<Http.IncomingMessage, "headers">,
  name: string
): string | undefined => {
  const value = headers[name]
  return Array.isArray(value)
    ? value.reduce((before, line) => Semantics.joined(name, before, line))
    : value
}

/** Returns the header lines, names and values, as they were sent. */
export function* pairs(raw: ReadonlyArray<string>): Generator<readonly [string, string]> {
  for (let i = 0; i < raw.length; i += 2) yield [raw[i]!, raw[i + 1]!]
}

/** Whether a request has a body. */
export const hasBody = ({ headers }: Http.IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0
