/** The audit of changes: who changed what through the admin port, and how it ended. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import { CurrentCaller } from "../../Contract/Authentication.ts"
import { CurrentExchange, type Exchange } from "../../Server/Exchange/Exchange.ts"
import { clean } from "../../Server/Exchange/Text.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import { changes, isJson } from "./Gate.ts"

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Returns the keys of a value, and those of the objects in it with a dot: never a value. */
const keysOf = (value: unknown): ReadonlyArray<string> =>
  isObject(value)
    ? Object.entries(value).flatMap(([key, inner]) => [
        clean(key),
        ...(isObject(inner) ? Object.keys(inner).map((name) => clean(`${key}.${name}`)) : [])
      ])
    : []

/** The most keys in one line. */
const mostKeys = 50

const payloadKeys = Effect.gen(function* () {
  const { headers, json } = yield* HttpServerRequest
  if (!isJson(headers["content-type"])) return []
  return keysOf(yield* json).slice(0, mostKeys)
}).pipe(
  // The handler answers to a body that cannot be read.
  Effect.orElseSucceed((): ReadonlyArray<string> => [])
)

const outcomeOf = (status: number): "done" | "failed" | "refused" =>
  status < 400 ? "done" : status < 500 ? "refused" : "failed"

const record = (
  route: string,
  payloadKeys: ReadonlyArray<string>,
  exit: Exit.Exit<HttpServerResponse>
) =>
  Effect.gen(function* () {
    // Middleware runs within an exchange.
    const { peer, target } = yield* CurrentExchange as unknown as Effect.Effect<Exchange>
    const caller = yield* CurrentCaller
    const outcome = Exit.isSuccess(exit) ? outcomeOf(exit.value.status) : "interrupted"
    const log = outcome === "done" ? Effect.logInfo : Effect.logWarning
    yield* Effect.annotateLogs(log(`Admin change: ${route}`), {
      ...(peer === undefined ? {} : { clientIp: peer }),
      outcome,
      payloadKeys,
      route,
      ...(Exit.isSuccess(exit) ? { status: exit.value.status } : {}),
      ...(caller?.identity === undefined ? {} : { subject: clean(caller.identity.subject) }),
      tag: "security",
      // A query may have a secret.
      target: clean(target.split("?", 1)[0]!)
    })
  })

/**
 * Middleware that logs each change with the annotation `tag: "security"`: its route and target, the
 * caller, the address of the client, the keys of its payload, and its outcome. Reads are not logged.
 */
export const middleware = Middleware.make("admin-changes", {
  build: Effect.succeed(({ method, path }) => {
    // No route takes a request with the path `*`, so it changes nothing.
    if (!changes(method) || path === "*") return undefined
    return (next) =>
      // Before the handler: a client that has disconnected sends no body.
      Effect.flatMap(payloadKeys, (keys) =>
        Effect.onExit(next, (exit) => record(`${method} ${path}`, keys, exit))
      )
  }),
  slot: "Custom"
})
