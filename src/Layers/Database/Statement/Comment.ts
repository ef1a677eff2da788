/**
 * Comments that name the app and the route of a statement, in the form of sqlcommenter. Slow-query
 * logs of the database show them.
 */
import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"
import { CurrentExchange } from "../../../Server/Exchange/Exchange.ts"

/** Returns the comment for the statements of a fiber. */
export type CommentOf = (fiber: Fiber.Fiber<unknown, unknown>) => string

/** Encodes a value. Source: sqlcommenter, "Value serialization"; RFC 3986 for the other characters. */
const encoded = (value: string): string =>
  encodeURIComponent(value.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  )

/** Returns a comment of fields that are in the order of their names. */
const comment = (fields: ReadonlyArray<readonly [name: string, value: string]>): string =>
  ` /*${fields.map(([name, value]) => `${name}='${encoded(value)}'`).join(",")}*/`

/** Creates the function of an app. A route has one comment, so that its statements have one text. */
export const make = (application: string): CommentOf => {
  const outside = comment([["application", application]])
  const known = new Map<string, string>()
  return (fiber) => {
    // A fiber outside requests has no exchange.
    const context = fiber.context as Context.Context<CurrentExchange>
    const path = Context.getOrUndefined(context, CurrentExchange)?.plan.route.path
    if (path === undefined || path === "*") return outside
    let found = known.get(path)
    if (found === undefined) {
      found = comment([
        ["application", application],
        ["route", path]
      ])
      known.set(path, found)
    }
    return found
  }
}
