/** One line per request. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import { ParentSpan } from "effect/Tracer"
import * as ClientIp from "../../Server/Exchange/ClientIp.ts"
import {
  type AccessRecord,
  annotationsOf,
  LogOutputs,
  messageOf
} from "../../Server/Exchange/LogOutputs.ts"
import { LogRules, type LogRulesShape, lower } from "../../Server/Exchange/LogRules.ts"
import * as Redaction from "../../Server/Exchange/Redaction.ts"
import type { Fields } from "../../Server/Exchange/RequestFields.ts"
import { clean } from "../../Server/Exchange/Text.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import { ServerConfig } from "../../Server/ServerConfig.ts"
import { LoggingConfig, toEffect } from "./LoggingConfig.ts"

/**
 * Middleware of the slot `Logging`: writes one line of level info for each
 * request, such as `GET /v1/items/:id 200 3ms`, with the fields of `Access` and
 * those that anybody put into `RequestFields`. Outputs of the log take the line without
 * a fiber; any other logger gets it as an entry.
 * Bare routes have no slots, so they have no line.
 */
export const accessLog = Middleware.observe("access-log", {
  build: Effect.gen(function* () {
    const { level } = yield* LoggingConfig
    const isHeard = !LogLevel.isGreaterThan(toEffect(level), "Info")
    const rules = yield* LogRules
    const context = yield* Effect.context<never>()
    const loggers = yield* Logger.CurrentLoggers
    const outputs = (yield* LogOutputs).filter(({ logger }) => loggers.has(logger))
    const others = new Set(loggers)
    for (const { logger } of outputs) others.delete(logger)
    // An access line is no event of a span.
    others.delete(Logger.tracerLogger)
    if (outputs.length + others.size === 0) return () => undefined
    const redaction = Redaction.of((reference) => Context.get(context, reference))
    const record = recorder(context, redaction)
    // It is decided before whether a line is written.
    const always = Context.add(context, References.MinimumLogLevel, "All")
    return (route: Middleware.RouteInfo): Middleware.Observe => {
      const writes = outputs.map(({ access }) => access(route))
      if (others.size > 0) writes.push(entries(route, others, always))
      const isWritten = (request: Middleware.Observed): boolean =>
        rules.isEmpty ? isHeard : isHeardBy(rules, route, request.fields)
      const [write] = writes
      if (write !== undefined && writes.length === 1) {
        return (request, status) => {
          if (isWritten(request)) write(record(request, status))
        }
      }
      return (request, status) => {
        if (!isWritten(request)) return
        const written = record(request, status)
        for (const write of writes) write(written)
      }
    }
  })
})

/** Checks whether a rule lets an access line through, or the level of the app if no rule holds. */
const isHeardBy = (
  rules: LogRulesShape,
  route: Middleware.RouteInfo,
  { clientId, userId }: Fields
): boolean => {
  const subject = userId ?? clientId
  const level = lower(
    rules.forRoute(route, route.plugin),
    subject === undefined ? undefined : rules.forIdentity(String(subject))
  )
  return !LogLevel.isGreaterThan(level ?? rules.base, "Info")
}

/** Returns the function that logs the lines of a route with loggers that belong to no output. */
const entries = (
  route: Middleware.RouteInfo,
  loggers: ReadonlySet<Logger.Logger<unknown, unknown>>,
  context: Context.Context<never>
) => {
  const run = Effect.runForkWith(Context.add(context, Logger.CurrentLoggers, loggers))
  return (record: AccessRecord): void => {
    const line = Effect.annotateLogs(
      Effect.logInfo(messageOf(route, record)),
      annotationsOf(route, record)
    )
    run(record.trace === undefined ? line : Effect.provideService(line, ParentSpan, record.trace))
  }
}

/** Returns the function that makes the record of a request. */
const recorder = (context: Context.Context<never>, redaction: Redaction.Redaction) => {
  // The app may have none.
  const all = context as Context.Context<(typeof ServerConfig)["Identifier"]>
  const clientIp = ClientIp.resolver(Context.getOrUndefined(all, ServerConfig))
  return (request: Middleware.Observed, status: number): AccessRecord => {
    const agent = request.header("user-agent")
    const { fields } = request
    return {
      clientIp: clientIp(request),
      code: request.code,
      durationMs: Math.round(request.elapsed() * 10) / 10,
      fields: shown(fields, redaction),
      // Authentication sets it for the callers whom it knows.
      isPrivileged: fields["isPrivileged"] === true,
      method: request.method,
      path: pathOf(request.target),
      requestId: request.requestId,
      status,
      time: Date.now(),
      trace: request.trace,
      userAgent: agent === undefined ? undefined : cleaned(agent)
    }
  }
}

/** Texts of user agents that were cleaned before. A client sends the same one with each request. */
const known = new Map<string, string>()
const maxKnown = 1024

const cleaned = (agent: string): string => {
  let text = known.get(agent)
  if (text === undefined) {
    text = clean(agent)
    if (known.size >= maxKnown) known.clear()
    // A text that was cut is not kept: it may be long.
    if (agent.length <= 512) known.set(agent, text)
  }
  return text
}

/** Returns the fields, or a copy of them if a value is hidden. */
const shown = (fields: Fields, redaction: Redaction.Redaction): Fields => {
  let copy = fields
  for (const name in fields) {
    if (!redaction.isHidden(name)) continue
    if (copy === fields) copy = { ...fields }
    copy[name] = Redaction.hidden
  }
  return copy
}

const pathOf = (url: string): string => {
  const query = url.indexOf("?")
  const path = query === -1 ? url : url.slice(0, query)
  const fragment = path.indexOf("#")
  return fragment === -1 ? path : path.slice(0, fragment)
}
