/**
 * Stands in the place of `import.meta.resolve` in a run for Deno, which refuses that of Vitest: it has two arguments.
 * Deno loads this file itself.
 */

/** Returns the `import.meta.resolve` of the module with this URL. */
export const resolveFrom =
  (url: string) =>
  (specifier: string): string =>
    /^\.{0,2}\//.test(specifier) ? new URL(specifier, url).href : import.meta.resolve(specifier)
