// Loaded in each test file of a run on sockets: apps that would be in memory listen too.
import { Agent, fetch as undiciFetch } from "undici"
import { vi } from "vitest"
import type * as TestApp from "../../src/Testing/TestApp.ts"
import { h2c } from "./combination.ts"

vi.mock("../../src/Testing/TestApp.ts", async (original) => {
  const real = await original<typeof TestApp>()
  return { ...real, layer: real.layerListening, make: real.listening }
})

if (h2c) {
  // A client that begins with HTTP/2.
  const dispatcher = new Agent({ allowH2: true, h2Options: { useH2c: true } })
  // Requests and responses are those of the process, whose own fetch speaks no HTTP/2 without TLS.
  globalThis.fetch = (async (input: Request | string | URL, init?: RequestInit) => {
    const request = new Request(input, init)
    const sent = await undiciFetch(request.url, {
      body: request.body as never,
      dispatcher,
      duplex: "half",
      headers: [...request.headers],
      method: request.method,
      redirect: request.redirect,
      signal: request.signal
    })
    return sent as unknown as Response
  }) as typeof fetch
}
