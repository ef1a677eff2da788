/** The text of lines. It is the same for every target. */
import type * as Logger from "effect/Logger"
import type { AccessRecord } from "../../Server/Exchange/LogOutputs.ts"
import type { RouteName } from "../../Server/Exchange/ServerSpan.ts"

/** How lines are written. */
export interface Format {
  /** Returns the function that makes the access lines of a route. */
  readonly access: (route: RouteName) => (record: AccessRecord) => string
  readonly logger: Logger.Logger<unknown, string>
  /** Returns a warning of the log itself. */
  readonly notice: (message: string, fields: Readonly<Record<string, number | string>>) => string
}
