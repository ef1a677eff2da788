/** The audit log, and one in memory for tests. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Plugin from "../../Plugin/Plugin.ts"
import { type AuditEvent, AuditLog } from "../../Server/Exchange/Audit.ts"

export {
  type AuditEvent,
  AuditLog,
  type AuditLogShape,
  type Outcome
} from "../../Server/Exchange/Audit.ts"

/** An audit log in memory. */
export interface Memory {
  /** The events so far, oldest first. */
  readonly events: ReadonlyArray<AuditEvent>
  readonly layer: Layer.Layer<never>
  /** For the list of an app's plugins. */
  readonly plugin: Plugin.Plugin<"flange:audit-memory">
}

/**
 * An audit log that keeps its events, for tests. It keeps all of them.
 *
 * @example
 * ```ts
 * import * as Auth from "flange/Auth"
 *
 * const audit = Auth.AuditLog.memory()
 * audit.events // => []
 * ```
 */
export const memory = (): Memory => {
  const events: Array<AuditEvent> = []
  const layer = Layer.succeed(AuditLog, {
    record: (event) =>
      Effect.sync(() => {
        events.push(event)
      })
  })
  return { events, layer, plugin: Plugin.make("flange:audit-memory", { layer }) }
}
