/** The certificates of a TLS server: read from files or settings, chosen by name, read again. */
import { X509Certificate } from "node:crypto"
import { readFile } from "node:fs/promises"
import type { SecureContext, SecureContextOptions } from "node:tls"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Thrown from "../../../../Config/Thrown.ts"
import type { TlsConfig } from "../../../TlsConfig.ts"
import * as SelfSigned from "./SelfSigned.ts"

/**
 * The ciphers: forward secrecy and authenticated encryption only. Source: Mozilla's intermediate
 * configuration; HTTP/2 forbids the others (RFC 9113, section 9.2.2).
 */
const ciphers = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305"
].join(":")

/** A certificate that is ready to use. */
interface Ready {
  readonly context: SecureContext
  readonly leaf: X509Certificate
}

/** Certificates that are ready to use. */
export interface Certificates {
  /** Returns the certificate for the name that a client asks for, or else the first one. */
  readonly find: (name: string) => SecureContext
  /** The options of a server whose clients ask for no name. */
  readonly first: SecureContextOptions
  /** All that was read: if it is the same, nothing has changed. */
  readonly text: string
  /** Returns a sentence for each certificate that clients refuse at a time, or within 7 days after it. */
  readonly warnings: (now: number) => ReadonlyArray<string>
}

const isInline = (value: string): boolean => value.trimStart().startsWith("-----BEGIN ")

/** Returns the files that settings name. */
export const filesOf = ({ certificates, clientCa }: TlsConfig): ReadonlyArray<string> =>
  [
    ...certificates.flatMap(({ cert, key }) => [cert, Redacted.value(key)]),
    ...(clientCa === undefined ? [] : [clientCa])
  ].filter((value) => !isInline(value))

/** Returns the pairs of settings. Those that are made for names are made once. */
export const pairsOf = ({
  certificates,
  selfSigned
}: TlsConfig): Effect.Effect<ReadonlyArray<SelfSigned.Pair>> =>
  selfSigned.length === 0
    ? Effect.succeed(certificates)
    : Effect.map(SelfSigned.selfSigned(selfSigned), (pair) => [pair])

/**
 * Reads certificates. Fails with the reason, which names the file or the position: a file cannot be
 * read, a text is not PEM, or a key is not that of its certificate.
 */
export const read = (
  pairs: ReadonlyArray<SelfSigned.Pair>,
  clientCa: string | undefined
): Effect.Effect<Certificates, string> =>
  Effect.gen(function* () {
    // The import statement would also load TLS for apps without it.
    const { createSecureContext } = process.getBuiltinModule("node:tls")
    const ca = clientCa === undefined ? undefined : yield* authoritiesOf(clientCa)
    const all: Array<
      Ready & {
        readonly options: SecureContextOptions
        readonly place: string
        readonly text: string
      }
    > = []
    for (const [i, pair] of pairs.entries()) {
      const at = `server.tls.certificates[${i}]`
      const cert = yield* textOf(pair.cert, `${at}.cert`)
      const key = yield* textOf(Redacted.value(pair.key), `${at}.key`)
      const options: SecureContextOptions = {
        ...(ca !== undefined && { ca }),
        cert,
        ciphers,
        key,
        minVersion: "TLSv1.2",
        // Sessions of clients with a certificate cannot go on without it.
        sessionIdContext: "flange"
      }
      const ready = yield* Effect.try({
        // OpenSSL does not repeat the texts.
        catch: (cause) =>
          `${at} cannot be used: ${Thrown.messageOf(cause)}. Write a PEM certificate as cert, and as key the PEM private key of that certificate.`,
        try: () => {
          // Node takes an empty text for no key, and every handshake would fail.
          if (key === "") throw new Error("the key is empty")
          return { context: createSecureContext(options), leaf: new X509Certificate(cert) }
        }
      })
      const place = isInline(pair.cert) ? `${at}.cert` : pair.cert
      all.push({ ...ready, options, place, text: `${cert}\n${key}` })
    }
    // The section refuses settings without a certificate.
    const [first] = all as [(typeof all)[number]]
    return {
      find: (name) => {
        // Some clients send the name of a URL as it is, and certificates have names without the dot.
        const host = name.replace(/\.$/, "")
        return (all.find(({ leaf }) => leaf.checkHost(host) !== undefined) ?? first).context
      },
      first: first.options,
      text: [...all.map(({ text }) => text), ca].join("\n"),
      warnings: (now) => all.flatMap(({ leaf, place }) => warningOf(leaf, place, now) ?? [])
    }
  })

/** How long before its end a certificate is a warning, in milliseconds: 7 days. */
const soonMillis = 7 * 24 * 3600 * 1000

/** Returns what is wrong with the dates of a certificate; undefined if nothing is. */
const warningOf = (leaf: X509Certificate, place: string, now: number): string | undefined => {
  const [from, to] = [new Date(leaf.validFrom), new Date(leaf.validTo)]
  const subject = `The TLS certificate in ${place} (${leaf.subjectAltName ?? leaf.subject.replaceAll("\n", ", ")})`
  if (now < from.getTime())
    return `${subject} is valid from ${from.toISOString()} on, and clients refuse it until then. Write one that is valid now, or set the clock of this machine.`
  if (now > to.getTime())
    return `${subject} expired at ${to.toISOString()}, and clients refuse it. Replace it and its key.`
  return now > to.getTime() - soonMillis
    ? `${subject} expires at ${to.toISOString()}, in less than 7 days. Replace it and its key before that.`
    : undefined
}

/**
 * Reads the certificates of authorities. Node takes a text without a certificate for no authority, and an
 * empty text for all public ones.
 */
const authoritiesOf = (clientCa: string): Effect.Effect<string, string> =>
  Effect.flatMap(textOf(clientCa, "server.tls.clientCa"), (text) =>
    Effect.try({
      catch: (cause) =>
        `server.tls.clientCa cannot be used: ${Thrown.messageOf(cause)}. Write the certificates of the authorities in PEM, and nothing else in PEM.`,
      try: () => {
        const [, ...blocks] = text.split("-----BEGIN ")
        const authorities = blocks.map((block) => new X509Certificate(`-----BEGIN ${block}`))
        if (authorities.length === 0) throw new Error("it has no certificate")
        return text
      }
    })
  )

const textOf = (value: string, at: string): Effect.Effect<string, string> =>
  isInline(value)
    ? Effect.succeed(value)
    : Effect.tryPromise({
        catch: (cause) =>
          `${at} cannot be read: ${Thrown.messageOf(cause)}. Write the path of a PEM file, or the PEM text.`,
        try: () => readFile(value, "utf8")
      })
