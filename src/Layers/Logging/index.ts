/** The log: JSON for programs, short lines for people, one line per request. */

export type { Access } from "../../Server/Exchange/LogOutputs.ts"
export type { Data, ErrorRecord } from "../../Server/Exchange/PlainData.ts"
export { accessLog } from "./AccessLog.ts"
export type { Origin } from "./JsonFields.ts"
export { json } from "./JsonLogger.ts"
export { type Level, LoggingConfig } from "./LoggingConfig.ts"
export { plugin } from "./LoggingPlugin.ts"
export { LogLevelError, LogLevels, type LogLevelsShape } from "./LogLevels.ts"
export { module } from "./Module.ts"
export { pretty } from "./PrettyLogger.ts"
export type { LogRule, LogTarget } from "./Rules.ts"
