import { tmpdir } from "node:os"
import { join } from "node:path"
import { defineConfig } from "vitest/config"
import { codec, listener } from "./test/matrix/combination.ts"

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
const defaults = new URL("src/Server/Defaults.ts", import.meta.url).pathname

export default defineConfig({
  plugins: isUsual
    ? []
    : [
        {
          enforce: "pre",
          load: (id) =>
            id === defaults
              ? `export * from ${JSON.stringify(new URL("test/matrix/Defaults.ts", import.meta.url).pathname)}`
              : undefined,
          name: "flange-defaults"
        }
      ],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    env: isUsual ? {} : { NODE_OPTIONS: `${NODE_OPTIONS} --import=${preload.href}` },
    hookTimeout: 600_000,
    include: ["test/**/*.test.ts"],
    // Vitest leaves one core free, which is half of a machine with two.
    maxWorkers: "100%",
    setupFiles: ["test/idle.ts", ...(listener === "web" ? [] : ["test/matrix/sockets.ts"])],
    // Only for what never ends: no test may fail because the machine is slow.
    testTimeout: 600_000
  }
})
