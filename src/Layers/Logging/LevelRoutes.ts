/** The log levels on the admin port. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"
import { ValidationFailed } from "../../Contract/Catalogue.ts"
import * as AdminRoute from "../../Plugin/AdminRoute.ts"
import { Level } from "./LoggingConfig.ts"
import { LogLevels } from "./LogLevels.ts"
import { type LogRule, types } from "./Rules.ts"

const path = "/log-levels"

const Target = { name: Schema.String, type: Schema.Literals(types) }

/** A level without a time holds for a quarter of an hour. */
const SetLevel = Schema.Struct({
  ...Target,
  level: Level,
  time: Config.Duration.pipe(Config.withDefault("15 minutes"))
})

const shown = ({ expiresAt, ...rule }: LogRule) => ({
  ...rule,
  expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString()
})

const listed = Effect.gen(function* () {
  const { list } = yield* LogLevels
  return HttpServerResponse.jsonUnsafe((yield* list).map(shown))
})

/** Lists, sets and resets levels. A level that cannot be set is answered with 400. */
export const routes = [
  AdminRoute.make(
    "log-levels",
    { description: "Log levels of routes, modules and callers", method: "GET", path },
    listed
  ),
  AdminRoute.make(
    "reset-log-levels",
    { description: "Removes the log levels that were set", method: "DELETE", path },
    Effect.gen(function* () {
      const { reset } = yield* LogLevels
      yield* reset()
      return yield* listed
    })
  ),
  AdminRoute.make(
    "set-log-level",
    {
      description: "Sets the log level of a route, a module or a caller for a time",
      method: "PUT",
      path
    },
    Effect.gen(function* () {
      const { set } = yield* LogLevels
      const { level, time, ...target } = yield* HttpServerRequest.schemaBodyJson(SetLevel, {
        errors: "all"
      })
      yield* Effect.mapError(
        set(target, level, time),
        ({ message }) =>
          new ValidationFailed({ errors: [{ detail: message, location: "body", pointer: "" }] })
      )
      return yield* listed
    })
  )
] as const
