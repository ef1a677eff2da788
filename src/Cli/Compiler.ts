/** The TypeScript compiler of a project, and the one that finds Effects that are never run. */
import { join } from "node:path"
import * as Packages from "./Bundle/Packages.ts"

/** Returns the program `tsc` that modules in a folder find; undefined without TypeScript. */
export const find = (folder: string): string | undefined => {
  const typescript = Packages.find(folder, "typescript")
  return typescript && join(typescript.folder, "bin/tsc")
}

/** Returns the program `effect-tsgo` that modules in a folder find; undefined if it is not installed. */
export const findEffects = (folder: string): string | undefined => {
  const effects = Packages.find(folder, "@effect/tsgo")
  return effects && join(effects.folder, "dist/effect-tsgo.cjs")
}
