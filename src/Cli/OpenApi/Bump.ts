/** The version that a document should have after changes, by Semantic Versioning. */
import * as Result from "effect/Result"
import * as SemVer from "effect/SemVer"
import type { Kind } from "./Change.ts"

/** A step from one version to the next. */
export type Step = "major" | "minor" | "patch"

/** The version that a document should have. */
export interface Bump {
  /** Whether the new document has this version, a pre-release of it, or a later one. */
  readonly isDone: boolean
  readonly step: Step
  /** Such as `2.0.0`. */
  readonly version: string
}

const steps: Readonly<Record<Step, (version: SemVer.SemVer) => SemVer.SemVer>> = {
  major: SemVer.bumpMajor,
  minor: SemVer.bumpMinor,
  patch: SemVer.bumpPatch
}

/** Below 1.0.0 a minor version may break clients, which is how package managers read it. */
const stepOf = ({ major }: SemVer.SemVer, kind: Kind): Step => {
  if (kind === "breaking") return major === 0 ? "minor" : "major"
  return kind === "compatible" && major > 0 ? "minor" : "patch"
}

/**
 * Returns the version that follows `before` after changes of which `kind` is the gravest. Returns
 * undefined if one of the versions is not one of Semantic Versioning.
 */
export const of = (before: string, after: string, kind: Kind): Bump | undefined => {
  const [old, now] = [SemVer.parse(before), SemVer.parse(after)].map(Result.getOrUndefined)
  if (old === undefined || now === undefined) return undefined
  const step = stepOf(old, kind)
  const next = steps[step](old)
  const release = SemVer.make({ major: now.major, minor: now.minor, patch: now.patch })
  return {
    isDone: SemVer.Order(release, next) >= 0 && SemVer.Order(now, old) > 0,
    step,
    version: SemVer.format(next)
  }
}
