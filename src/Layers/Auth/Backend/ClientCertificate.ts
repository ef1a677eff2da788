/** Certificates of clients, which TLS has verified. */
import type { X509Certificate } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { type BackendUnavailable, CredentialsRejected } from "../Failure.ts"
import { identity, type IdentityInput } from "../Identity.ts"
import * as Backend from "./Backend.ts"

/** Returns the identity of a certificate; `Option.none()` for one that is not known. */
export type ValidateCertificate<R = never> = (
  certificate: X509Certificate
) => Effect.Effect<Option.Option<IdentityInput>, BackendUnavailable, R>

/**
 * A backend for client certificates (mutual TLS) of the listener `node`. Set `server.tls.clientCa` to the
 * authorities whose certificates are accepted: TLS has verified the certificate before `validate` sees
 * it. A request without such a certificate has no credentials, so the chain asks the next backend. Behind
 * a proxy that ends TLS there is no certificate. OpenAPI describes the backend as `mutualTLS`.
 *
 * Browsers add certificates by themselves, so requests that pages of other origins start are refused
 * (see `acceptsCrossSite` of `Auth.chain`).
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Auth from "flange/Auth"
 *
 * const services = new Map([["CN=billing", "billing"]])
 * const backend = Auth.clientCertificate({
 *   validate: ({ subject }) =>
 *     Effect.succeed(
 *       Option.map(Option.fromUndefinedOr(services.get(subject)), (name) => ({
 *         isServiceAccount: true,
 *         subject: name
 *       }))
 *     )
 * })
 * backend.name // => "certificate"
 * ```
 */
export const clientCertificate = <E = never, R = never>(options: {
  /** Default `certificate`. */
  readonly name?: string | undefined
  /** Returns the caller of a certificate, or refuses it. An effect builds the function once, at start. */
  readonly validate: Effect.Effect<ValidateCertificate<R>, E, R> | ValidateCertificate<R>
}): Backend.Backend<E, Exclude<R, Scope.Scope>> => {
  const name = options.name ?? "certificate"
  return {
    isMutualTls: true,
    make: Effect.map(
      Backend.bindValidator(options.validate),
      (validate): Backend.Authenticate =>
        ({ tls }) => {
          const certificate = tls?.clientCertificate
          if (certificate === undefined) return skip
          return Effect.flatMapEager(
            validate(certificate),
            Option.match({
              onNone: () =>
                Effect.fail(
                  new CredentialsRejected({
                    reason: `The certificate with the fingerprint ${certificate.fingerprint256} is not known`
                  })
                ),
              onSome: (found) => Effect.succeed(identity(found, name))
            })
          )
        }
    ),
    name,
    scheme: undefined,
    source: undefined
  }
}

const skip = Effect.succeed(Backend.Skip)
