/** The audit: who was let in, who was not, and why. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import type { Identity } from "../../Contract/Authentication.ts"
import type { Incoming } from "./Before.ts"
import * as ClientIp from "./ClientIp.ts"
import { logFailure } from "./FailureLog.ts"
import type * as RequestFields from "./RequestFields.ts"
import { clean } from "./Text.ts"

/** What became of a request at one decision. */
export type Outcome = "anonymous" | "denied" | "error" | "success"

/** One decision. Texts have no control characters and at most 512 bytes. */
export interface AuditEvent {
  /** The authentication chain. */
  readonly chain: string
  /** Derived with `server.trustedProxies`; undefined where the listener knows no peer. */
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
  /** Never fails; what it throws is logged and does not change the reply. */
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
 * Where audit events go. By default to the log with the annotation `tag:
 * "security"`: `denied` as warning, `error` as error, the others as debug, because
 * the access line of their request says who called already. Another one is a plugin
 * that provides this service and gets every event; it needs no place in an order.
 *
 * The request is answered after the event is recorded, so a slow one makes
 * requests slow.
 */
export const AuditLog: Context.Reference<AuditLogShape> = Context.Reference<AuditLogShape>(
  "flange/Auth/AuditLog",
  { defaultValue: () => log }
)

/** Whether anything comes of an event, so that it is worth making: the log may leave it out. */
const isHeard = (audit: AuditLogShape, outcome: Outcome, minimum: LogLevel.LogLevel): boolean =>
  audit !== log || LogLevel.isGreaterThanOrEqualTo(lines[outcome][0], minimum)

/** What is known of a decision. */
export interface Decision {
  readonly chain: string
  readonly identity?: Identity | undefined
  readonly method?: string | undefined
  readonly outcome: Outcome
  readonly reason?: string | undefined
  readonly route: string
}

/** Writes a decision to the audit log and into the fields of the request's access line. */
export const report = (request: Incoming, decision: Decision): Effect.Effect<void> => {
  const { chain, identity, outcome } = decision
  const method = decision.method ?? identity?.method
  const reason = decision.reason === undefined ? undefined : clean(decision.reason)
  const subject = identity === undefined ? undefined : clean(identity.subject)
  const fields: RequestFields.Fields = { authOutcome: outcome }
  if (method !== undefined) fields["authMethod"] = method
  if (reason !== undefined) fields["authReason"] = reason
  if (identity !== undefined && subject !== undefined) {
    const client = identity.attributes["clientId"]
    if (typeof client === "string") fields["clientId"] = clean(client)
    else if (identity.isServiceAccount) fields["clientId"] = subject
    if (!identity.isServiceAccount) fields["userId"] = subject
  }
  request.annotate(fields)
  const audit = request.get(AuditLog)
  if (!isHeard(audit, outcome, request.get(References.MinimumLogLevel))) return Effect.void
  return record(audit, {
    chain,
    clientIp: ClientIp.of(request),
    method,
    outcome,
    reason,
    requestId: request.requestId,
    route: decision.route,
    subject
  })
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
