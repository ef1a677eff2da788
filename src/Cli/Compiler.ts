/** The TypeScript compiler of a project. */
import { join } from "node:path"
import * as Packages from "./Bundle/Packages.ts"

/** Returns the program `tsc` that modules in a folder find; undefined without TypeScript. */
export const find = (folder: string): string | undefined => {
  const typescript = Packages.find(folder, "typescript")
  return typescript && join(typescript.folder, "bin/tsc")
}
