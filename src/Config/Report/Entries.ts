/** Lists where every value of a section comes from, and the keys that no section reads. */
import { nearest } from "../Nearest.ts"
import type { Entry } from "../Resolved.ts"
import { child, descend, isOpen, keysOf, type Nodes } from "../SchemaTree.ts"
import type { Compiled } from "../Section.ts"
import { getPath, isPlain, type KeyPath, type Source } from "../Tree.ts"
import { render, type Scrubber } from "./Render.ts"

/** Returns the sources that have a value at the path, the highest precedence first. */
export const sourcesAt = (sources: ReadonlyArray<Source>, path: KeyPath): ReadonlyArray<Source> =>
  sources.filter((source) => getPath(source.values, path) !== undefined).toReversed()

/** Returns the paths of all leaves that the schema reads; a list or an empty object is a leaf. */
const leaves = (nodes: Nodes, value: unknown): ReadonlyArray<KeyPath> => {
  if (!isPlain(value) || Object.keys(value).length === 0) return value === undefined ? [] : [[]]
  const open = isOpen(nodes)
  return Object.keys(value).flatMap((key) => {
    const inner = child(nodes, key)
    if (inner.length === 0 && !open) return []
    return leaves(inner, value[key]).map((path) => [key, ...path])
  })
}

/** Returns the paths and values that decoding added: the schema's defaults for keys that are not set. */
const added = (
  nodes: Nodes,
  given: unknown,
  decoded: unknown
): ReadonlyArray<{ readonly path: KeyPath; readonly value: unknown }> => {
  if (typeof decoded !== "object" || decoded === null) return []
  return keysOf(nodes).flatMap((key) => {
    const before = isPlain(given) ? given[key] : undefined
    const after = getPath(decoded, [key])
    if (after === undefined || (before !== undefined && !isPlain(before))) return []
    const inner = child(nodes, key)
    if (isPlain(before) || (isPlain(after) && keysOf(inner).length > 0)) {
      return added(inner, before, after).map(({ path, value }) => ({ path: [key, ...path], value }))
    }
    return [{ path: [key], value: after }]
  })
}

/** Whether a dotted key is the other one or is below it. */
const isAt = (above: string, key: string): boolean => key === above || key.startsWith(`${above}.`)

/** Returns one entry for each value that the section reads. */
export const entriesOf = (
  section: Compiled,
  sources: ReadonlyArray<Source>,
  given: unknown,
  decoded: unknown,
  scrubber: Scrubber
): ReadonlyArray<Entry> => {
  const show = (path: KeyPath, value: unknown): string =>
    render(section.nodes, path, value, scrubber)
  const key = (path: KeyPath): string => [section.name, ...path].join(".")
  const overridden = (replaced: ReadonlyArray<Source>, path: KeyPath): Entry["overridden"] =>
    replaced.map((source) => ({
      source: source.label,
      value: show(path, getPath(source.values, [section.name, ...path]))
    }))
  const fromSources = leaves(section.encoded, given).map((path): Entry => {
    const full = [section.name, ...path]
    const [top, ...rest] = sourcesAt(sources, full)
    return {
      key: key(path),
      overridden: overridden(rest, path),
      source: top?.label ?? "schema default",
      value: show(path, getPath(given, path))
    }
  })
  const fromSchema = added(section.encoded, given, decoded).map(({ path, value }): Entry => {
    const full = [section.name, ...path]
    const remover = sources.findLast(({ removed = [] }) =>
      removed.some((one) => isAt(one, key(path)))
    )
    return {
      key: key(path),
      overridden: overridden(sourcesAt(sources, full), path),
      source: remover === undefined ? "schema default" : `schema default after ${remover.label}`,
      value: show(path, value)
    }
  })
  return [...fromSources, ...fromSchema]
}

const unreadBelow = (nodes: Nodes, value: unknown, path: KeyPath): ReadonlyArray<KeyPath> => {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) =>
      unreadBelow(child(nodes, String(index)), item, [...path, String(index)])
    )
  }
  if (!isPlain(value) || nodes.length === 0) return []
  const open = isOpen(nodes)
  return Object.keys(value).flatMap((key) => {
    const inner = child(nodes, key)
    if (inner.length === 0) return open ? [] : [[...path, key]]
    return unreadBelow(inner, value[key], [...path, key])
  })
}

/**
 * Returns the keys that are set in a section and that its schema does not have, as paths from the
 * section.
 */
export const unreadKeys = (section: Compiled, given: unknown): ReadonlyArray<KeyPath> =>
  unreadBelow(section.encoded, given, [])

/** Writes the warning for a key that nothing reads. */
export const unreadWarning = (
  path: KeyPath,
  sources: ReadonlyArray<Source>,
  candidates: ReadonlyArray<string>
): string => {
  const key = path.join(".")
  const source = sourcesAt(sources, path)[0]?.label ?? "unknown"
  const close = nearest(path.at(-1) ?? "", candidates)
  const hint =
    close === undefined
      ? "remove it, or add the plugin that reads it."
      : `did you mean ${[...path.slice(0, -1), close].join(".")}?`
  return `${key} (${source}) is read by no section: ${hint}`
}

/** Returns the known keys beside an unread one. */
export const siblings = (section: Compiled, path: KeyPath): ReadonlyArray<string> =>
  keysOf(descend(section.encoded, path.slice(0, -1)))
