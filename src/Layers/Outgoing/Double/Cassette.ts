/** Files of recorded requests and replies, without secrets. */
import { mkdirSync, readFileSync } from "node:fs"
import { dirname } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as WholeFile from "../../../Config/WholeFile.ts"
import { defaultNames, Redaction } from "../../../Server/Exchange/Redaction.ts"
import { type Asked, Exchange, type Reply, written } from "./Exchange.ts"

/** A cassette cannot be read. */
export class CassetteError extends Data.TaggedError("CassetteError")<{
  readonly file: string
  readonly reason: string
}> {
  override get message(): string {
    return `The cassette ${this.file} cannot be read: ${this.reason}. Run the test once with \`record: true\`.`
  }
}

const Cassette = Schema.fromJsonString(Schema.Array(Exchange))

/** Reads the exchanges of a cassette. */
export const read = (file: string): Effect.Effect<ReadonlyArray<Exchange>, CassetteError> =>
  Effect.flatMap(
    Effect.try({
      catch: (cause) => new CassetteError({ file, reason: String(cause) }),
      try: () => readFileSync(file, "utf8")
    }),
    (text) =>
      Effect.mapError(
        Schema.decodeEffect(Cassette)(text),
        ({ message }) => new CassetteError({ file, reason: message })
      )
  )

/** Writes a cassette. */
export const write = (file: string, exchanges: ReadonlyArray<Exchange>): void => {
  mkdirSync(dirname(file), { recursive: true })
  WholeFile.write(file, `${JSON.stringify(exchanges, undefined, 2)}\n`)
}

/** Creates the redaction of a cassette: that of the log, and of further names. */
export const redactionOf = (names: ReadonlyArray<string>): Redaction =>
  new Redaction([...defaultNames, ...names])

/** Returns a request without secrets: those in its query and in its body. */
export const redactAsked = (asked: Asked, redaction: Redaction): Asked => {
  const { body, url } = asked
  const shown = new URL(url)
  const query = new URLSearchParams(
    Array.from(shown.searchParams, ([name, value]): [string, string] => [
      name,
      redaction.shown(name, value)
    ])
  )
  query.sort()
  shown.search = query.toString()
  shown.password = ""
  shown.username = ""
  shown.hash = ""
  return {
    ...asked,
    ...(body === undefined ? {} : { body: redaction.text(body) }),
    url: shown.href
  }
}

/** Returns the headers of a response without secrets, and without those of its connection. */
const redactHeaders = (headers: Readonly<Record<string, string>>, redaction: Redaction) =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !ofConnection.has(name))
      .map(([name, value]) => [name, redaction.shown(name, value)])
  )

const ofConnection: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "transfer-encoding"
])

/** Returns a reply without secrets. Bytes that are no text stay as they are. */
export const replyOf = (
  status: number,
  headers: Readonly<Record<string, string>>,
  bytes: Uint8Array,
  redaction: Redaction
): Reply => {
  const shown = { headers: redactHeaders(headers, redaction), status }
  if (bytes.length === 0) return shown
  const text = written(bytes)
  return "body" in text ? { ...shown, body: redaction.text(text.body) } : { ...shown, ...text }
}
