/**
 * The outputs of an app's log: where lines go, such as to stdout or to a collector. An output takes
 * entries from its logger, and the access line of a request without a fiber.
 */
import * as Context from "effect/Context"
import type * as Logger from "effect/Logger"
import type { AnySpan } from "effect/Tracer"
import type * as RequestFields from "./RequestFields.ts"
import type { RouteName } from "./ServerSpan.ts"

/** The access line of one request. It is made once for all outputs. */
export interface AccessRecord {
  /** Derived with `server.trustedProxies`; undefined if the listener knows no peer. */
  readonly clientIp: string | undefined
  /** The code of the problem document that was sent; undefined for any other reply. */
  readonly code: string | undefined
  /** Milliseconds until the head of the reply was known, to a tenth. */
  readonly durationMs: number
  /** What `RequestFields` has. A field with the name of a member of `Access` is not written. */
  readonly fields: Readonly<RequestFields.Fields>
  readonly isPrivileged: boolean
  readonly method: string
  /** The path of the request, without its query. */
  readonly path: string
  readonly requestId: string
  readonly status: number
  /** Unix milliseconds. */
  readonly time: number
  /** The span of the request; undefined if it has none. */
  readonly trace: AnySpan | undefined
  /** Cut to 512 bytes, without control characters; undefined if the request has none. */
  readonly userAgent: string | undefined
}

/** The fields of an access line, as annotations of its log entry. `requestId` is there as on every line. */
export interface Access extends Pick<
  AccessRecord,
  "durationMs" | "isPrivileged" | "method" | "path" | "status"
> {
  readonly clientIp?: string
  readonly code?: string
  /** The path template; `*` if no route matched. */
  readonly route: string
  readonly userAgent?: string
}

/** The names of `Access`. */
export const accessNames: ReadonlySet<string> = new Set<keyof Access>([
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

/** One output of an app's log. */
export interface LogOutput {
  /** Returns the function that writes the access lines of a route. It is called once for each route, at start. */
  readonly access: (route: RouteName) => (record: AccessRecord) => void
  /** The logger that writes here. */
  readonly logger: Logger.Logger<unknown, unknown>
}

/**
 * The outputs of an app's log. A plugin that adds one adds its logger to
 * `Logger.CurrentLoggers` too. An output gets access lines only if its logger is there.
 */
export const LogOutputs: Context.Reference<ReadonlyArray<LogOutput>> = Context.Reference(
  "flange/LogOutputs",
  { defaultValue: (): ReadonlyArray<LogOutput> => [] }
)

/** Returns the message of an access line, such as `GET /v1/items/:id 200 3ms`. */
export const messageOf = (
  { path: template }: RouteName,
  { durationMs, method, path, status }: AccessRecord
): string => `${method} ${template === "*" ? path : template} ${status} ${Math.round(durationMs)}ms`

/** Returns the annotations of an access line: the fields of `Access`, those of the request, and its id. */
export const annotationsOf = (
  { path: route }: RouteName,
  { clientIp, code, fields, requestId, time: _, trace: __, userAgent, ...rest }: AccessRecord
): Readonly<Record<string, unknown>> => {
  const access: Access = {
    ...rest,
    ...(clientIp === undefined ? {} : { clientIp }),
    ...(code === undefined ? {} : { code }),
    route,
    ...(userAgent === undefined ? {} : { userAgent })
  }
  return { requestId, ...fields, ...access }
}
