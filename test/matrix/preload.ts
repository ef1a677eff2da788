// Loaded before everything else in each process that a test starts: puts `Defaults.ts` of this
// folder in the place of the one in src.
import { registerHooks } from "node:module"

const replaced = new URL("../../src/Server/Defaults.ts", import.meta.url).href

registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context)
    return resolved.url === replaced
      ? { ...resolved, url: new URL("Defaults.ts", import.meta.url).href }
      : resolved
  }
})
