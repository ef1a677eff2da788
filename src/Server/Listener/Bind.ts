/** Binds a listener to a TCP address or a unix socket. */
import { chmodSync, existsSync, lstatSync, unlinkSync } from "node:fs"
import {
  type AddressInfo,
  connect,
  createServer,
  isIPv6,
  type ListenOptions,
  type Server
} from "node:net"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { BindError } from "../../Plugin/Errors.ts"

/** Makes a server listen. Returns its address, or fails with the error of the operating system. */
export type Listen = (
  server: Server,
  options: ListenOptions
) => Effect.Effect<AddressInfo | string | null, NodeJS.ErrnoException>

/**
 * How servers listen. By default the process itself accepts connections. `flange dev` accepts them
 * in a process that outlives the app.
 */
export const Listen: Context.Reference<Listen> = Context.Reference<Listen>("flange/Listen", {
  defaultValue: () => (server, options) =>
    Effect.callback((resume) => {
      const onError = (cause: NodeJS.ErrnoException) => resume(Effect.fail(cause))
      server.once("error", onError)
      server.listen(options, () => {
        server.off("error", onError)
        resume(Effect.succeed(server.address()))
      })
    })
})

/**
 * Listens on a TCP address, and returns it as a URL that a person can open.
 * Fails with `BindError`.
 */
export const tcp = (
  server: Server,
  host: string,
  port: number,
  scheme: Scheme = "http"
): Effect.Effect<string, BindError> =>
  Effect.map(listen(server, { host, port }, urlOf(host, port, scheme)), (bound) => {
    // A server that listens on TCP has such an address.
    const { address, port } = bound as AddressInfo
    return addressOf(address, port, scheme)
  })

type Scheme = "http" | "https"

/** Returns the address of a server that listens on TCP, as a URL that a person can open. */
export const addressOf = (host: string, port: number, scheme: Scheme): string =>
  // A browser cannot open a wildcard address.
  urlOf(host === "0.0.0.0" || host === "::" ? "localhost" : host, port, scheme)

/** Listens with a function that throws the error of the operating system. Fails with `BindError`. */
export const withRuntime = <A>(
  host: string,
  port: number,
  listen: (host: string, port: number) => A
): Effect.Effect<A, BindError> =>
  Effect.try({
    catch: (cause) => bindError(urlOf(host, port, "http"), cause),
    try: () => listen(host, port)
  })

/** The hosts to listen on by default: behind a proxy, only processes of this machine connect. */
export const defaultHosts = { auto: "0.0.0.0", node: "0.0.0.0", proxied: "127.0.0.1" } as const

/** Listens on a TCP address and stops at once. Fails with `BindError`. */
export const probeTcp = (
  host: string,
  port: number,
  scheme: Scheme
): Effect.Effect<void, BindError> =>
  Effect.suspend(() => {
    const server = createServer((socket) => socket.destroy())
    return Effect.andThen(
      tcp(server, host, port, scheme),
      Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
    )
  })

/** Fails with `BindError` if a process listens on the unix socket, or if the path is a file. */
export const probeUnix = (path: string): Effect.Effect<void, BindError> =>
  Effect.suspend(() =>
    existsSync(path)
      ? Effect.flatMap(isAbandoned(path), (abandoned) =>
          abandoned ? Effect.void : Effect.fail(bindError(`unix:${path}`, { code: "EADDRINUSE" }))
        )
      : Effect.void
  )

/** Returns the URL of a TCP address. */
export const urlOf = (host: string, port: number, scheme: Scheme): string =>
  `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}`

/**
 * Listens on a unix socket, and returns it as `unix:<path>`. Replaces the socket file of a
 * process that was killed, but not one on which a process listens.
 * Fails with `BindError`.
 */
export const unix = (
  server: Server,
  path: string,
  mode: string
): Effect.Effect<string, BindError> => {
  const address = `unix:${path}`
  const bound = Effect.andThen(listen(server, { path }, address), () =>
    Effect.try({
      catch: (cause) => bindError(address, cause),
      try: () => chmodSync(path, Number.parseInt(mode, 8))
    })
  )
  return bound.pipe(
    Effect.catchIf(
      ({ code }) => code === "EADDRINUSE",
      (error) =>
        Effect.flatMap(isAbandoned(path), (abandoned) =>
          abandoned
            ? Effect.andThen(
                Effect.sync(() => unlinkSync(path)),
                bound
              )
            : Effect.fail(error)
        )
    ),
    Effect.as(address)
  )
}

const listen = (server: Server, options: ListenOptions, address: string) =>
  Listen.pipe(
    Effect.flatMap((listen) => listen(server, options)),
    Effect.mapError((cause) => bindError(address, cause))
  )

const bindError = (address: string, cause: unknown) =>
  new BindError({ address, cause, code: (cause as NodeJS.ErrnoException).code })

/** Checks whether a path is a socket on which no process listens. */
const isAbandoned = (path: string) =>
  Effect.callback<boolean>((resume) => {
    if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) {
      return resume(Effect.succeed(false))
    }
    const probe = connect(path)
    const end = (abandoned: boolean) => {
      probe.destroy()
      resume(Effect.succeed(abandoned))
    }
    probe.once("connect", () => end(false))
    probe.once("error", ({ code }: NodeJS.ErrnoException) => end(code === "ECONNREFUSED"))
  })
