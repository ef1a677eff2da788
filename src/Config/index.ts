/**
 * Typed configuration from files, environment overlays and variables.
 *
 * Declare sections with `section`, read them all with `load`: every problem is reported at once,
 * every value knows its source, and secrets are never printed.
 */

export { ByteSize, Duration, Port, Secret, withDefault } from "./Codecs.ts"
export { ConfigError, type Problem } from "./ConfigError.ts"
export { Environment } from "./Environment.ts"
export { expected } from "./Expected.ts"
export { load } from "./Load.ts"
export type { Change, Defaults, LoadOptions, ReadSecret, Values } from "./LoadOptions.ts"
export { public, Published } from "./Public.ts"
export { type Entry, explain, type Overridden, type Resolved } from "./Resolved.ts"
export {
  type AnySection,
  type Section,
  section,
  type SectionFields,
  type SectionIssue,
  type SectionKey,
  type SectionOptions
} from "./Section.ts"
