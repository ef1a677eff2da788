/** The TLS server of the listener: its certificates now and after a change of their files. */
import type {
  SecureContextOptions,
  Server as TlsSocketServer,
  TlsOptions,
  TLSSocket
} from "node:tls"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Environment } from "../../../../Config/Environment.ts"
import { BindError } from "../../../../Plugin/Errors.ts"
import * as Metering from "../../../../Plugin/Metering.ts"
import type { Serving } from "../../../Exchange/Serving.ts"
import type { TlsConfig } from "../../../TlsConfig.ts"
import * as Certificates from "./Certificates.ts"
import * as Reload from "./Reload.ts"

/** The certificates of a listener. */
export interface TlsCredentials {
  /** Keeps a server up to date with the files, and counts the handshakes that fail. Call it once. */
  readonly keep: (server: TlsSocketServer) => Effect.Effect<void, never, Scope.Scope>
  /** The options of the server. */
  readonly options: SecureContextOptions & TlsOptions
}

/**
 * Reads the certificates of settings. Fails with `BindError` if one cannot be used. `address` is
 * that of the listener, for the error.
 */
export const make = (
  config: TlsConfig,
  address: string,
  serving: Serving
): Effect.Effect<TlsCredentials, BindError> =>
  Effect.gen(function* () {
    const pairs = yield* Certificates.pairsOf(config)
    const read = Certificates.read(pairs, config.clientCa)
    let current = yield* Effect.mapError(
      read,
      (cause) => new BindError({ address, cause, code: "TLS" })
    )
    const environment = Context.get(serving.context as Context.Context<never>, Environment)
    if (config.selfSigned.length > 0 && environment !== "local") {
      yield* Effect.logWarning(
        `server.tls.selfSigned makes another certificate at each start, and no client trusts it. Set server.tls.certificates in the environment ${environment}.`
      )
    }
    // Clients look at the real clock.
    const warn = Effect.suspend(() =>
      Effect.forEach(current.warnings(Date.now()), (text) => Effect.logWarning(text), {
        discard: true
      })
    )
    yield* warn
    const run = Effect.runPromiseWith(serving.context as Context.Context<never>)
    /** Why the certificates in the files cannot be used; undefined if they can. */
    let refused: string | undefined
    const reload = (server: TlsSocketServer) =>
      Effect.flatMap(read, (next) => {
        refused = undefined
        if (next.text === current.text) return Effect.void
        current = next
        server.setSecureContext(next.first)
        return Effect.andThen(Effect.logInfo("The TLS certificates were replaced"), warn)
      }).pipe(
        Effect.catch((reason) => {
          // Other files of the folder may change all the time, such as that of the log.
          if (reason === refused) return Effect.void
          refused = reason
          return Effect.logError(
            `The TLS certificates were not replaced, the old ones stay: ${reason}`
          )
        })
      )
    return {
      keep: (server) => {
        const failed = Metering.counter(
          serving.context as Context.Context<never>,
          "flange.server.tls_failures",
          "TLS handshakes that failed"
        )({})
        // Node's own listener would take the socket for one of HTTP/1.1.
        server.removeAllListeners("tlsClientError")
        server.on("tlsClientError", (_, socket: TLSSocket) => {
          failed()
          socket.destroy()
        })
        return Effect.andThen(
          Effect.forkScoped(Effect.forever(Effect.delay(warn, "1 day"))),
          Reload.onChange(Certificates.filesOf(config), () => run(reload(server)))
        )
      },
      options: {
        ...current.first,
        rejectUnauthorized: config.requireClientCertificate,
        requestCert: config.clientCa !== undefined,
        SNICallback: (name, choose) => choose(null, current.find(name))
      }
    }
  })
