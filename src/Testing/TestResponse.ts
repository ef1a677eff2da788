/** Replies with assertions. The message of a failed assertion shows the received reply. */
import { AssertionError } from "node:assert"
import { isDeepStrictEqual } from "node:util"
import { format } from "effect/Formatter"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
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
 * method, path, status, request id and body, and the errors that the app logged while it handled
 * the request.
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
    const decoded = Schema.decodeUnknownResult(Schema.toCodecJson(schema))(this.json)
    return Result.isSuccess(decoded)
      ? decoded.success
      : this.#fail("a body that fits the schema", decoded.failure.message, this.decode)
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
      : this.#fail(expected, actual, this.expectJson, "the body")
  }

  /**
   * Asserts that the body is JSON and matches the value: objects of the body may have more keys,
   * and lists must have the same length.
   */
  expectJsonMatch(expected: unknown): this {
    const actual = this.json
    return matches(actual, expected)
      ? this
      : this.#fail(expected, actual, this.expectJsonMatch, "a body that matches")
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
      return this.#fail(expected, actual, this.expectProblem, "a problem that matches")
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
    throw new AssertionError({
      actual,
      expected,
      message: `${this.method} ${this.path}: expected ${subject}${show(expected)}, received ${show(actual)}\n\n${this.#report()}`,
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
      `${this.method} ${this.path} -> ${this.status}`,
      ...(requestId === null ? [] : [`x-request-id: ${requestId}`]),
      "",
      this.text === "" ? "(empty body)" : this.text,
      ...(requestId === null || logged.length === 0
        ? []
        : ["", "Logged by the app:", ...logged.map((entry) => `  ${toText(entry)}`)])
    ].join("\n")
  }
}

const show = (value: unknown): string =>
  typeof value === "number" || value instanceof RegExp ? String(value) : format(value)

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const matches = (actual: unknown, expected: unknown): boolean => {
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((each, i) => matches(actual[i], each))
    )
  }
  if (isRecord(expected)) {
    return (
      isRecord(actual) && Object.keys(expected).every((key) => matches(actual[key], expected[key]))
    )
  }
  return isDeepStrictEqual(actual, expected)
}
