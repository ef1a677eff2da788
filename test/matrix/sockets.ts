// Loaded in each test file of a run on sockets: apps that would be in memory listen too.
import { tracingChannel } from "node:diagnostics_channel"
import Http2 from "node:http2"
import { connect, type Server } from "node:net"
import { Agent, fetch as undiciFetch } from "undici"
import { vi } from "vitest"
import type * as TestApp from "../../src/Testing/TestApp.ts"
import { h2c, runtime } from "./combination.ts"

vi.mock("../../src/Testing/TestApp.ts", async (original) => {
  const real = await original<typeof TestApp>()
  return { ...real, layer: real.layerListening, make: real.listening }
})

/** What a client of HTTP/2 sends first: the preface and an empty SETTINGS frame. */
const hello = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])
])

/** Asks a server whether it speaks HTTP/2: a test may have named another listener. */
const speaksHttp2 = ({ hostname, port, protocol }: URL): Promise<boolean> =>
  new Promise((resolve) => {
    if (protocol !== "http:") return resolve(false)
    const socket = connect(Number(port), hostname.replace(/^\[|\]$/g, ""), () =>
      socket.write(hello)
    )
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.on("data", (bytes) => end(bytes[3] === 4))
    socket.on("close", () => end(false))
    socket.on("error", () => end(false))
  })

if (h2c) {
  const own = globalThis.fetch
  const answers = new Map<string, Promise<boolean>>()
  // A server may get a port that an earlier one of another protocol had.
  tracingChannel("net.server.listen").asyncEnd.subscribe((message) => {
    const address = (message as { readonly server: Server }).server.address()
    if (typeof address !== "object" || address === null) return
    for (const origin of answers.keys()) {
      if (new URL(origin).port === String(address.port)) answers.delete(origin)
    }
  })
  // Several connections, because some tests have more requests at once than a connection may. The pool
  // reads the option, and its types do not have it.
  const options = {
    allowH2: true,
    keepAliveMaxTimeout: 1,
    keepAliveTimeout: 1,
    pipelining: 100,
    useH2c: true
  }
  const dispatcher = new Agent(options)
  const { connect: connectHttp2 } = Http2
  // What a client has not sent of its requests counts, and beyond 10 MB it refuses its own next ones.
  Http2.connect = ((authority: string, options: Http2.SecureClientSessionOptions) =>
    connectHttp2(authority, { ...options, maxSessionMemory: 1000 })) as typeof connectHttp2
  const overHttp2 = async (input: Request | string | URL, init?: RequestInit) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    let answer = answers.get(url.origin)
    if (answer === undefined) answers.set(url.origin, (answer = speaksHttp2(url)))
    // The signal of a request follows the one that it was made with only until the request is collected.
    const signal = init?.signal ?? request.signal
    if (!(await answer)) return own(request, { signal })
    const sent = await undiciFetch(request.url, {
      // The streams of both packages are those of the process.
      body: request.body as never,
      dispatcher,
      duplex: "half",
      headers: [...request.headers],
      method: request.method,
      redirect: request.redirect,
      signal
    })
    // Tests read members that the responses of both packages have.
    return sent as unknown as Response
  }
  globalThis.fetch = overHttp2 as typeof fetch
}

const { Deno } = globalThis as {
  readonly Deno?: { readonly createHttpClient: (options: object) => unknown }
}

if (runtime !== undefined && Deno !== undefined) {
  const own = globalThis.fetch
  // On a connection that had a request before, Deno sends a request again whose reply was cut.
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 })
  globalThis.fetch = ((input, init) =>
    own(input, { ...init, client } as RequestInit)) as typeof fetch
}
