// Loaded in each test file of a run on sockets: apps that would be in memory listen too.
import { vi } from "vitest"
import type * as TestApp from "../../src/Testing/TestApp.ts"

vi.mock("../../src/Testing/TestApp.ts", async (original) => {
  const real = await original<typeof TestApp>()
  return { ...real, layer: real.layerListening, make: real.listening }
})
