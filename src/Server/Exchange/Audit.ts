/**
 * The audit: which callers were let in, which were refused, and why. The server
 * records what guards decide; the Auth battery records what its chains decide.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import type { Identity } from "../../Contract/Authentication.ts"
import * as AuditMetrics from "./AuditMetrics.ts"
import type { Incoming } from "./Before.ts"
import * as ClientIp from "./ClientIp.ts"
import { logFailure } from "./FailureLog.ts"
import { combined, LogRules } from "./LogRules.ts"
import type * as RequestFields from "./RequestFields.ts"
import { clean } from "./Text.ts"

/** How one decision about a caller ended. */
export type Outcome = "anonymous" | "denied" | "error" | "success"

/** The record of one decision. Texts have no control characters and at most 512 bytes. */
export interface AuditEvent {
  /** The authentication chain. */
  readonly chain: string
  /** Derived with `server.trustedProxies`; undefined if the listener knows no peer. */
  readonly clientIp: string | undefined
  /** The backend that knew the caller or refused it. */
  readonly method: string | undefined
  readonly outcome: Outcome
  /** Why it was denied, or what went wrong. */
  readonly reason: string | undefined
  readonly requestId: string
  /** Method and path template, such as `GET /v1/orders/:orderId`. */
  readonly route: string
  readonly subject: string | undefined
}

/** Takes audit events. */
export interface AuditLogShape {
  /** Records an event. If it throws or dies, that is logged and the reply stays the same. */
  readonly record: (event: AuditEvent) => Effect.Effect<void>
}

const lines: Readonly<Record<Outcome, readonly [level: LogLevel.Severity, message: string]>> = {
  anonymous: ["Debug", "Caller without credentials"],
  denied: ["Warn", "Caller denied"],
  error: ["Error", "Caller could not be checked"],
  success: ["Debug", "Caller authenticated"]
}

const log: AuditLogShape = {
  record: ({ outcome, requestId: _, ...event }) => {
    const [level, message] = lines[outcome]
    return Effect.annotateLogs(Effect.logWithLevel(level)(message), {
      ...Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined)),
      outcome,
      tag: "security"
    })
  }
}

/**
 * Takes the audit events of an app. The default writes them to the log with the
 * annotation `tag: "security"`: `denied` as a warning, `error` as an error, the
 * others at debug, because the access line of their request already names the
 * caller. A plugin that provides this service gets every event, wherever it is in
 * the list of plugins.
 *
 * A request is answered after its event is recorded, so a slow audit log makes
 * requests slow.
 */
export const AuditLog: Context.Reference<AuditLogShape> = Context.Reference<AuditLogShape>(
  "flange/Auth/AuditLog",
  { defaultValue: () => log }
)

/**
 * Checks whether the audit log writes an event of this outcome. The default log does not if
 * the minimum log level is higher.
 */
const isHeard = (audit: AuditLogShape, outcome: Outcome, minimum: LogLevel.LogLevel): boolean =>
  audit !== log || LogLevel.isGreaterThanOrEqualTo(lines[outcome][0], minimum)

/** A decision about a caller. `report` turns it into an event. */
export interface Decision {
  readonly chain: string
  readonly identity?: Identity | undefined
  readonly method?: string | undefined
  readonly outcome: Outcome
  readonly reason?: string | undefined
  readonly route: string
}

/**
 * Records a decision in the audit log, in the fields of the request's access line and in the metrics
 * of the app.
 */
export const report = (request: Incoming, decision: Decision): Effect.Effect<void> => {
  const { chain, identity, outcome } = decision
  const method = decision.method ?? identity?.method
  const reason = decision.reason === undefined ? undefined : clean(decision.reason)
  const subject = identity === undefined ? undefined : clean(identity.subject)
  const fields: RequestFields.Fields = { authOutcome: outcome }
  if (method !== undefined) fields["authMethod"] = method
  if (reason !== undefined) fields["authReason"] = reason
  if (identity !== undefined && subject !== undefined) {
    if (identity.isPrivileged) fields["isPrivileged"] = true
    const client = identity.attributes["clientId"]
    if (typeof client === "string") fields["clientId"] = clean(client)
    else if (identity.isServiceAccount) fields["clientId"] = subject
    if (!identity.isServiceAccount) fields["userId"] = subject
  }
  request.annotate(fields)
  AuditMetrics.count(request, chain, outcome)
  const audit = request.get(AuditLog)
  const current = request.get(References.MinimumLogLevel)
  const level = identity === undefined ? current : levelFor(request, identity, current)
  if (!isHeard(audit, outcome, level)) return Effect.void
  const recorded = record(audit, {
    chain,
    clientIp: ClientIp.resolve(request),
    method,
    outcome,
    reason,
    requestId: request.requestId,
    route: decision.route,
    subject
  })
  // The fiber of the record may have begun before.
  return level === current
    ? recorded
    : Effect.provideService(recorded, References.MinimumLogLevel, level)
}

/** Returns the log level of a request whose caller is known, and gives it to the request. */
const levelFor = (
  request: Incoming,
  { subject }: Identity,
  current: LogLevel.LogLevel
): LogLevel.LogLevel => {
  const rules = request.get(LogRules)
  const level = rules.isEmpty ? undefined : rules.forIdentity(subject)
  if (level === undefined) return current
  const own = combined(rules, current, level)
  request.provide(References.MinimumLogLevel, own)
  return own
}

/** Records an event; a defect of the audit log is logged. */
const record = (audit: AuditLogShape, event: AuditEvent): Effect.Effect<void> => {
  try {
    const recorded = audit.record(event)
    return recorded === Effect.void ? recorded : Effect.catchCause(recorded, failed)
  } catch (defect) {
    return failed(Cause.die(defect))
  }
}

const failed = (cause: Cause.Cause<never>) => logFailure("The audit log failed", cause)
