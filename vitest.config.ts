import { defineConfig } from "vitest/config"

// The condition makes `flange` and `flange/...` mean the sources, so no build is needed.
const conditions = ["flange-source", "module", "node", "import", "default"]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000
  }
})
