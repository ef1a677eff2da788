import { defineConfig } from "vitest/config"
import { codec, listener } from "./test/matrix/combination.ts"

// The condition makes `flange` and `flange/...` mean the sources, so no build is needed. The
// conditions hold for `require` too, so `import` is not among them.
const conditions = ["flange-source", "module", "node"]

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
    hookTimeout: 120_000,
    include: ["test/**/*.test.ts"],
    setupFiles: listener === "web" ? [] : ["test/matrix/sockets.ts"],
    // Only for what never ends: no test may fail because the machine is slow.
    testTimeout: 120_000
  }
})
