import { isPlain, type Tree, tree } from "./Tree.ts"

/** Merges two trees: objects merge key by key, everything else of `over` replaces what `base` has. */
export const merge = (base: Tree, over: Tree): Tree => {
  const pairs = new Map<string, unknown>(Object.entries(base))
  for (const [key, value] of Object.entries(over)) {
    const below = pairs.get(key)
    pairs.set(key, isPlain(below) && isPlain(value) ? merge(below, value) : value)
  }
  return tree(pairs)
}

/** Merges trees from the lowest precedence to the highest. */
export const mergeAll = (trees: Iterable<Tree>): Tree => {
  let output = tree([])
  for (const next of trees) output = merge(output, next)
  return output
}
