/** One line per request. */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as ClientIp from "../../Server/Exchange/ClientIp.ts"
import { clean } from "../../Server/Exchange/Text.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import { escaped } from "./Control.ts"
import { fieldName } from "./JsonLogger.ts"
import { LoggingConfig, toEffect } from "./LoggingConfig.ts"
import { CurrentOutput, type Output } from "./Output.ts"
import { Reader } from "./PlainData.ts"

/** The fields of an access line, as annotations of its log entry. `requestId` is there as on every line. */
export interface Access {
  /** Derived with `server.trustedProxies`; left out if the listener knows no peer. */
  readonly clientIp?: string
  /** The code of the problem document that was sent; left out for any other reply. */
  readonly code?: string
  /** Milliseconds from the slot on the way in until the reply's head is known, to a tenth. */
  readonly durationMs: number
  /** Whether the caller is privileged; false for a caller without credentials. */
  readonly isPrivileged: boolean
  readonly method: string
  /** The path that was asked for, without its query. */
  readonly path: string
  /** The path template; `*` where no route matched. */
  readonly route: string
  /** The reply's status; 499 where the client went away before it, 503 where the drain cut the request off. */
  readonly status: number
  /** Cut to 512 bytes, without control characters; left out if the request has none. */
  readonly userAgent?: string
}

/** Whether the annotations are those of an access line. */
export const isAccess = (annotations: Readonly<Record<string, unknown>>): boolean =>
  annotations["durationMs"] !== undefined && annotations["route"] !== undefined

/**
 * Middleware of the slot `Logging`: writes one line of level info for each
 * request, such as `GET /v1/items/:id 200 3ms`, with the fields of `Access` and
 * those that anybody put into `RequestFields`. In the JSON format the line is put
 * together without the logger and written with others at once.
 * Bare routes have no slots, so they have no line. When the level is above info,
 * nothing is put around the routes.
 */
export const accessLog = Middleware.observe("access-log", {
  build: Effect.gen(function* () {
    const { level } = yield* LoggingConfig
    if (LogLevel.isGreaterThan(toEffect(level), "Info")) return () => undefined
    const output = yield* CurrentOutput
    const loggers = yield* Logger.CurrentLoggers
    const context = yield* Effect.context<never>()
    return output !== undefined &&
      [...loggers].every((logger) => logger === output.logger || logger === Logger.tracerLogger)
      ? (route: Middleware.RouteInfo) => lines(output, route)
      : (route: Middleware.RouteInfo) => (request: Middleware.Observed, status: number) => {
          const access = accessOf(request, route, status)
          Effect.runForkWith(context)(
            Effect.annotateLogs(Effect.logInfo(messageOf(access)), {
              requestId: request.requestId,
              ...request.fields,
              ...access
            })
          )
        }
  })
})

/** Writes the lines of one route: what they have in common is put together once. */
const lines = ({ origin, write }: Output, route: Middleware.RouteInfo): Middleware.Observe => {
  const from = JSON.stringify({
    service: origin.service,
    version: origin.version,
    environment: origin.environment
  }).slice(1, -1)
  const template = inner(route.path)
  return (request, status) => {
    const durationMs = durationOf(request)
    const method = inner(request.method)
    const path = inner(pathOf(request.target))
    let fields = ""
    for (const name in request.fields) {
      if (!own.has(name)) fields += member(fieldName(name), request.fields[name])
    }
    const { clientIp, code, isPrivileged, userAgent } = aboutClient(request)
    write(
      `{"time":"${now()}","level":"info",` +
        `"message":"${method} ${template === "*" ? path : template} ${status} ${Math.round(durationMs)}ms",` +
        `${from},"requestId":"${request.requestId}"${fields}` +
        `${member("clientIp", clientIp)}${member("code", code)},"durationMs":${durationMs},` +
        `"isPrivileged":${isPrivileged},"method":"${method}","path":"${path}",` +
        `"route":"${template}","status":${status}${member("userAgent", userAgent)}}`
    )
  }
}

/** The names of `Access`. */
const own: ReadonlySet<string> = new Set<keyof Access>([
  "clientIp",
  "code",
  "durationMs",
  "isPrivileged",
  "method",
  "path",
  "route",
  "status",
  "userAgent"
])

/** A member of a JSON object with the comma before it; empty for what is undefined. */
const member = (name: string, value: unknown): string => {
  if (typeof value === "string") return `,"${inner(name)}":"${inner(value)}"`
  const data = new Reader().value(value)
  return data === undefined ? "" : `,"${inner(name)}":${escaped(JSON.stringify(data))}`
}

/** What most texts are made of: JSON has it as it is. */
const plain = /^[\w\-./:@~]*$/

/** A text as it stands between the quotes of JSON. */
const inner = (text: string): string =>
  plain.test(text) ? text : escaped(JSON.stringify(text).slice(1, -1))

let second = 0
let prefix = ""

/** The time in ISO form; what changes within a second is its end alone. */
const now = (): string => {
  const millis = Date.now()
  const rest = millis % 1000
  if (millis - rest !== second) {
    second = millis - rest
    prefix = new Date(second).toISOString().slice(0, -4)
  }
  return `${prefix}${String(rest).padStart(3, "0")}Z`
}

const accessOf = (
  request: Middleware.Observed,
  route: Middleware.RouteInfo,
  status: number
): Access => ({
  ...aboutClient(request),
  durationMs: durationOf(request),
  method: request.method,
  path: pathOf(request.target),
  route: route.path,
  status
})

const aboutClient = (request: Middleware.Observed) => {
  const agent = request.header("user-agent")
  const address = ClientIp.resolve(request)
  return {
    ...(address === undefined ? {} : { clientIp: address }),
    ...(request.code === undefined ? {} : { code: request.code }),
    // Authentication sets it for the callers whom it knows.
    isPrivileged: request.fields["isPrivileged"] === true,
    ...(agent === undefined ? {} : { userAgent: clean(agent) })
  }
}

const durationOf = (request: Middleware.Observed): number => Math.round(request.elapsed() * 10) / 10

const messageOf = ({ durationMs, method, path, route, status }: Access): string =>
  `${method} ${route === "*" ? path : route} ${status} ${Math.round(durationMs)}ms`

const pathOf = (url: string): string => {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}
