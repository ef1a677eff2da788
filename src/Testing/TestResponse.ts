/** Replies with assertions. The message of a failed assertion shows the received reply. */
import { AssertionError } from "node:assert"
import { isDeepStrictEqual } from "node:util"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as OwnKeys from "../Contract/OwnKeys.ts"
import { differences, excerpt, lines, show } from "./Differences.ts"
import { type LogEntry, toText } from "./TestLogs.ts"

/** The data of an exchange whose reply has been read. */
export interface Exchanged {
  readonly bytes: Uint8Array
  readonly headers: Headers
  /** The log of the app. */
  readonly logs: ReadonlyArray<LogEntry>
  readonly method: string
  readonly path: string
  readonly status: number
}

/**
 * A reply whose body has been read.
 *
 * The assertions throw an `AssertionError` of `node:assert`, which every test runner understands,
 * and otherwise return the response, so that calls can be chained. The message of the error has
 * method, path, status, request id, the start of the body, the places at which the body differs, and
 * the errors that the app logged while it handled the request.
 */
export class TestResponse {
  /** The bytes of the body. */
  readonly bytes: Uint8Array
  readonly headers: Headers
  readonly method: string
  /** Path and query of the request. */
  readonly path: string
  readonly status: number
  readonly #logs: ReadonlyArray<LogEntry>

  constructor({ bytes, headers, logs, method, path, status }: Exchanged) {
    this.bytes = bytes
    this.headers = headers
    this.method = method
    this.path = path
    this.status = status
    this.#logs = logs
  }

  /** The body as JSON. Throws an `AssertionError` if it is not JSON. */
  get json(): unknown {
    try {
      return JSON.parse(this.text)
    } catch {
      return this.#fail("a JSON body", "something else", this.#report)
    }
  }

  /** The body as text. */
  get text(): string {
    return new TextDecoder().decode(this.bytes)
  }

  /** The body as JSON, decoded with a schema. Throws an `AssertionError` if it does not fit. */
  decode<A>(schema: Schema.ConstraintDecoder<A>): A {
    const decoded = Schema.decodeUnknownResult(OwnKeys.decoding(Schema.toCodecJson(schema)))(
      this.json
    )
    return Result.isSuccess(decoded)
      ? decoded.success
      : this.#throw(
          `the body does not fit the schema:\n${excerpt(decoded.failure.message, shownOfBody)}`,
          "a body that fits the schema",
          this.json,
          this.decode
        )
  }

  /** Asserts that the header equals the value or matches the pattern. */
  expectHeader(name: string, expected: RegExp | string): this {
    const actual = this.headers.get(name)
    const fits =
      typeof expected === "string" ? actual === expected : actual !== null && expected.test(actual)
    return fits ? this : this.#fail(expected, actual, this.expectHeader, `header ${name}`)
  }

  /** Asserts that the body is JSON and deeply equals the value. */
  expectJson(expected: unknown): this {
    const actual = this.json
    return isDeepStrictEqual(actual, expected)
      ? this
      : this.#differs(expected, actual, this.expectJson, "the body")
  }

  /**
   * Asserts that the body is JSON and matches the value: objects of the body may have more keys,
   * and lists must have the same length.
   */
  expectJsonMatch(expected: unknown): this {
    const actual = this.json
    return matches(actual, expected)
      ? this
      : this.#differs(expected, actual, this.expectJsonMatch, "the body")
  }

  /**
   * Asserts that the reply is a problem document (RFC 9457) with this code. If `status` or
   * `members` are given, the document must match them as in `expectJsonMatch`. The `status` of the
   * document must be that of the reply, and its `correlationId` the request id, if the reply has
   * one.
   */
  expectProblem(code: string, status?: number, members: object = {}): this {
    const type = this.headers.get("content-type") ?? "none"
    if (!type.startsWith("application/problem+json")) {
      return this.#fail("application/problem+json", type, this.expectProblem, "content type")
    }
    const requestId = this.headers.get("x-request-id")
    const expected = {
      code,
      status: status ?? this.status,
      ...(requestId === null ? {} : { correlationId: requestId }),
      ...members
    }
    const actual = this.json
    if (!matches(actual, expected)) {
      return this.#differs(expected, actual, this.expectProblem, "the problem")
    }
    return this.status === expected.status
      ? this
      : this.#fail(expected.status, this.status, this.expectProblem, "status")
  }

  /** Asserts that the reply has this status. */
  expectStatus(expected: number): this {
    return this.status === expected
      ? this
      : this.#fail(expected, this.status, this.expectStatus, "status")
  }

  #fail(expected: unknown, actual: unknown, from: Function, what = ""): never {
    const subject = what === "" ? "" : `${what} `
    const message = `expected ${subject}${show(expected)}, received ${show(actual)}`
    return this.#throw(message, expected, actual, from)
  }

  #differs(expected: unknown, actual: unknown, from: Function, what: string): never {
    const isPartial = from !== this.expectJson
    const found = lines(differences(actual, expected, isPartial))
    const message = [`${what} differs from what was expected:`, ...found].join("\n")
    return this.#throw(message, expected, actual, from)
  }

  #throw(message: string, expected: unknown, actual: unknown, from: Function): never {
    throw new AssertionError({
      actual,
      expected,
      message: `${this.method} ${excerpt(this.path, 200)}: ${message}\n\n${this.#report()}`,
      operator: from.name,
      // The type of a method is narrower than what the option declares.
      stackStartFn: from as (...args: ReadonlyArray<unknown>) => unknown
    })
  }

  #report(): string {
    const requestId = this.headers.get("x-request-id")
    const logged = this.#logs.filter(
      ({ annotations, cause, level }) =>
        annotations["requestId"] === requestId && (cause !== undefined || level === "Error")
    )
    return [
      `${this.method} ${excerpt(this.path, 200)} -> ${this.status}`,
      ...(requestId === null ? [] : [`x-request-id: ${requestId}`]),
      "",
      this.#shownBody(),
      ...(requestId === null || logged.length === 0
        ? []
        : [
            "",
            "Logged by the app:",
            ...logged.map((entry) => `  ${excerpt(toText(entry), shownOfLog)}`)
          ])
    ].join("\n")
  }

  #shownBody(): string {
    const { bytes, text } = this
    if (text === "") return "(empty body)"
    // Text has neither of these characters.
    return /[\0\ufffd]/.test(text)
      ? `(${bytes.length} bytes that are no text)`
      : excerpt(text, shownOfBody)
  }
}

/** How many characters of the body a message shows. */
const shownOfBody = 1000

/** How many characters of a line of the log, with its cause, a message shows. */
const shownOfLog = 2000

const matches = (actual: unknown, expected: unknown): boolean =>
  differences(actual, expected, true).next().done === true
