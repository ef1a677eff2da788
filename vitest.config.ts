import { defineConfig } from "vitest/config"
import { lane, listener } from "./test/lanes/combination.ts"

// The condition makes `flange` and `flange/...` mean the sources, so no build is needed.
const conditions = ["flange-source", "module", "node", "import", "default"]

const { NODE_OPTIONS = "" } = process.env

const isUsual = lane === "compiled" && listener === "web"
const preload = new URL("test/lanes/preload.ts", import.meta.url)

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    env: isUsual ? {} : { NODE_OPTIONS: `${NODE_OPTIONS} --import=${preload.href}` },
    include: ["test/**/*.test.ts"],
    setupFiles: [
      ...(isUsual ? [] : ["test/lanes/preload.ts"]),
      ...(listener === "web" ? [] : ["test/lanes/sockets.ts"])
    ],
    testTimeout: 30_000
  }
})
