/** Certificates that the server signs itself. */
import { isIP } from "node:net"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

/** A certificate and its private key, both as PEM text. */
export interface Pair {
  readonly cert: string
  readonly key: Redacted.Redacted
}

/** How long a certificate is valid, in milliseconds: 90 days. */
const validMillis = 90 * 24 * 3600 * 1000

/** Clocks of clients may be a little behind, in milliseconds. */
const skewMillis = 60_000

/**
 * Creates a certificate for these names and addresses, valid for 90 days, with a new P-256 key. No client
 * trusts it by itself: it is for development and tests. Needs the package `selfsigned`, and dies if that
 * is not installed. `server.tls.selfSigned` makes one at each start.
 *
 * @example
 * ```ts
 * import { X509Certificate } from "node:crypto"
 * import * as Effect from "effect/Effect"
 * import { Tls } from "flange"
 *
 * const { cert } = await Effect.runPromise(Tls.selfSigned(["localhost", "127.0.0.1"]))
 * new X509Certificate(cert).subjectAltName // => "DNS:localhost, IP Address:127.0.0.1"
 * ```
 */
export const selfSigned = (names: ReadonlyArray<string>): Effect.Effect<Pair> =>
  Effect.promise(async () => {
    const { generate } = await import("selfsigned").catch((cause: unknown) => {
      throw new Error(
        "The package selfsigned, which makes certificates, cannot be loaded. Run: npm install selfsigned",
        { cause }
      )
    })
    const now = Date.now()
    const { cert, private: key } = await generate(
      [{ name: "commonName", value: names[0] ?? "localhost" }],
      {
        algorithm: "sha256",
        extensions: [
          { cA: false, name: "basicConstraints" },
          {
            altNames: names.map((name) =>
              isIP(name) === 0 ? { type: 2 as const, value: name } : { ip: name, type: 7 as const }
            ),
            name: "subjectAltName"
          }
        ],
        keyType: "ec",
        notAfterDate: new Date(now + validMillis),
        notBeforeDate: new Date(now - skewMillis)
      }
    )
    return { cert, key: Redacted.make(key) }
  })
