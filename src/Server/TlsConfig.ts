/** The part `tls` of the configuration section `server`. */
import * as Schema from "effect/Schema"
import * as Config from "../Config/index.ts"

const Certificate = Schema.Struct({
  /** The certificate, followed by its intermediate certificates: a PEM file, or the PEM text itself. */
  cert: Schema.NonEmptyString,
  /** Its private key: a PEM file, or the PEM text itself. */
  key: Config.Secret
})

/** The keys below `server.tls`. */
export const TlsConfig = Schema.Struct({
  certificates: Schema.Array(Certificate).pipe(Config.withDefault([])),
  clientCa: Schema.optionalKey(Schema.NonEmptyString),
  requireClientCertificate: Schema.Boolean.pipe(Config.withDefault(false)),
  selfSigned: Schema.Array(Schema.NonEmptyString).pipe(Config.withDefault([]))
})

/** The decoded keys below `server.tls`. */
export type TlsConfig = (typeof TlsConfig)["Type"]

/** The keys of the section that have to agree with each other. */
interface Keys {
  readonly h2c?: boolean
  readonly listener: string
  readonly tls?: TlsConfig
}

/** Returns the reasons why the values cannot be used together. */
export const issues = ({
  h2c = false,
  listener,
  tls
}: Keys): ReadonlyArray<Config.SectionIssue> => {
  const found: Array<Config.SectionIssue> = []
  if (listener === "proxied" && (h2c || tls !== undefined)) {
    found.push({
      expected:
        tls === undefined
          ? 'false, or set server.listener = "node"'
          : 'no server.tls, or set server.listener = "node"',
      key: tls === undefined ? "h2c" : "tls",
      reason: "the listener proxied speaks HTTP/1.1 without TLS"
    })
  }
  if (tls === undefined) return found
  if (h2c) {
    found.push({
      expected: "false, or no server.tls",
      key: "h2c",
      reason: "it is HTTP/2 without TLS; clients of TLS get HTTP/2 without it"
    })
  }
  if (tls.certificates.length > 0 === tls.selfSigned.length > 0) {
    found.push({
      expected: "either certificates, or selfSigned with the names of the server",
      key: "tls",
      reason: tls.certificates.length > 0 ? "it has both" : "it has no certificate"
    })
  }
  if (tls.requireClientCertificate && tls.clientCa === undefined) {
    found.push({
      expected: "the certificates of the authorities, as a PEM file or text",
      key: "tls.clientCa",
      reason: "requireClientCertificate needs to know whose certificates to accept"
    })
  }
  return found
}
