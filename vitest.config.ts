import { tmpdir } from "node:os"
import { join } from "node:path"
import { configDefaults, defineConfig } from "vitest/config"
import { codec, listener, runtime } from "./test/matrix/combination.ts"
import * as differences from "./test/matrix/differences.ts"

// The condition makes `flange` and `flange/...` mean the sources, so no build is needed. The
// conditions hold for `require` too, so `import` is not among them. Nor is `module`: under it
// packages have files for bundlers, which Node cannot load.
const conditions = ["flange-source", "node"]

// The workers and the processes that tests start load the same modules again and again: Node keeps
// what it has compiled, and the sources without their types.
process.env["NODE_COMPILE_CACHE"] ??= join(tmpdir(), "node-compile-cache")

const { NODE_OPTIONS = "" } = process.env

const isUsual = codec === "compiled" && listener === "web"
const preload = new URL("test/matrix/preload.ts", import.meta.url)
const file = (path: string) => new URL(path, import.meta.url).pathname

/** The modules in whose place this run has others. */
const replaced: Readonly<Record<string, string>> = {
  ...(!isUsual && { "src/Server/Defaults.ts": "test/matrix/Defaults.ts" }),
  ...(runtime !== undefined && {
    "src/Server/Listener/Node/NodeListener.ts": `src/Server/Listener/Fetch/${runtime === "bun" ? "Bun" : "Deno"}Listener.ts`,
    "src/Server/Runtime.ts": "test/matrix/Runtime.ts"
  })
}
const resolving = file("test/matrix/resolve.ts")
const modules = new Map(
  Object.entries(replaced).map(([module, other]) => [
    file(module),
    `export * from ${JSON.stringify(file(other))}`
  ])
)

export default defineConfig({
  // The cache of Vitest tells configurations apart by the names of their plugins, not by what they load.
  plugins:
    modules.size === 0
      ? []
      : [
          {
            enforce: "pre",
            load: (id) => modules.get(id),
            name: `flange-replaced-${runtime ?? "node"}`,
            transform: (code) =>
              runtime === "deno" && /import\.meta\.resolve\(/.test(code)
                ? `import { resolveFrom } from ${JSON.stringify(resolving)}; import.meta.resolve = resolveFrom(import.meta.url); ${code}`
                : undefined
          }
        ],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    env:
      isUsual || runtime !== undefined
        ? {}
        : { NODE_OPTIONS: `${NODE_OPTIONS} --import=${preload.href}` },
    exclude: [
      ...configDefaults.exclude,
      // All of a file or a folder.
      ...differences
        .of(runtime)
        .filter(({ tests }) => tests === undefined)
        .map(({ path }) => `test/${path}${path.endsWith(".ts") ? "" : "/**"}`)
    ],
    hookTimeout: 600_000,
    include: ["test/**/*.test.ts"],
    // Vitest leaves one core free, which is half of a machine with two.
    maxWorkers: "100%",
    setupFiles: [
      "test/idle.ts",
      ...(listener === "web" ? [] : ["test/matrix/sockets.ts"]),
      ...(runtime === "deno" ? ["test/matrix/signals.ts"] : [])
    ],
    // Bun has no part of what forks need, and Deno no part of what threads need.
    pool: runtime === "bun" ? "threads" : "forks",
    server: { deps: { external: [/\/test\/matrix\/resolve\.ts$/] } },
    ...(runtime !== undefined && { runner: file("test/matrix/Runner.ts") }),
    // Only for what never ends: no test may fail because the machine is slow.
    testTimeout: 600_000
  }
})
