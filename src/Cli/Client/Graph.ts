/** What the modules of an app import, and the chain of imports that leads to a module. */
import { isBuiltin } from "node:module"
import { nameOf } from "../Bundle/Packages.ts"
import { shown } from "../Bundle/Warnings.ts"

/** An import of a module. */
export interface Import {
  /** The file that it leads to; undefined for a package. */
  readonly file: string | undefined
  /** The text in the source. */
  readonly specifier: string
}

/** The imports of modules by their absolute paths. */
export type Graph = ReadonlyMap<string, ReadonlyArray<Import>>

/** Returns modules, and all that they lead to. */
export const reached = (graph: Graph, from: Iterable<string>): ReadonlySet<string> => {
  const found = new Set(from)
  // A set is iterated also over what is added meanwhile.
  for (const file of found) {
    for (const { file: next } of graph.get(file) ?? []) if (next !== undefined) found.add(next)
  }
  return found
}

/** Returns the shortest chain from a module to an import, such as `a.ts → b.ts → flange`. */
export const chain = (graph: Graph, from: string, wanted: (one: Import) => boolean): string => {
  const paths = new Map([[from, shown(from)]])
  for (const [file, path] of paths) {
    for (const one of graph.get(file) ?? []) {
      if (wanted(one)) return `${path} → ${one.specifier}`
      if (one.file !== undefined && !paths.has(one.file)) {
        paths.set(one.file, `${path} → ${shown(one.file)}`)
      }
    }
  }
  return shown(from)
}

/** Whether an import is server code. */
export const leadsToServer = ({ file, specifier }: Import): boolean =>
  file === undefined && isServer(specifier)

/** Whether a package is server code: one of Node, or of Flange or Effect that browsers do not load. */
export const isServer = (specifier: string): boolean => {
  if (isBuiltin(specifier)) return true
  const name = nameOf(specifier)
  if (name === "flange") {
    return !/^flange\/(?:types\/(?:Contract\/.*|Layers\/\w+\/Contract)|(?:\w+\/)?Contract)$/.test(
      specifier
    )
  }
  return /^@effect\/(?:platform-(?:bun|node)|sql)/.test(name)
}
