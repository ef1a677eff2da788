import { runInNewContext } from "node:vm"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Logging from "flange/Logging"
import { assert, describe, it } from "vitest"

const loggers = {
  json: Logging.json({ environment: "test", service: "shop", version: "1.0.0" }),
  pretty: Logging.pretty()
}

const logged = (effect: Effect.Effect<void>, format: keyof typeof loggers): string => {
  const lines: Array<string> = []
  const capture = Logger.map(loggers[format], (line) => void lines.push(line))
  const exit = Effect.runSyncExit(
    Effect.provideContext(effect, Context.make(Logger.CurrentLoggers, new Set([capture])))
  )
  assert.isTrue(Exit.isSuccess(exit))
  assert.lengthOf(lines, 1)
  return lines[0]!
}

const json = (effect: Effect.Effect<void>): Record<string, any> =>
  JSON.parse(logged(effect, "json"))
const pretty = (effect: Effect.Effect<void>): string => logged(effect, "pretty")

const errorOf = (error: unknown): Record<string, any> =>
  json(Effect.logError("failed", Cause.fail(error)))["error"]
const dataOf = (value: unknown): any => json(Effect.logInfo("data", { value }))["data"].value

const refused = (port: number) =>
  Object.assign(new Error(`connect ECONNREFUSED 127.0.0.1:${port}`), {
    code: "ECONNREFUSED",
    errno: -111,
    port
  })

const nested = (depth: number): unknown => {
  let value: unknown = "bottom"
  for (let i = 0; i < depth; i++) value = { value }
  return value
}

describe("an error in the log", () => {
  it("has the members of an AggregateError, with code, errno and own fields", () => {
    const { errors, type } = errorOf(new AggregateError([refused(1), refused(2)], "all failed"))
    assert.strictEqual(type, "AggregateError")
    assert.deepStrictEqual(
      errors.map(({ code, errno, message, port }: any) => [code, errno, message, port]),
      [
        ["ECONNREFUSED", -111, "connect ECONNREFUSED 127.0.0.1:1", 1],
        ["ECONNREFUSED", -111, "connect ECONNREFUSED 127.0.0.1:2", 2]
      ]
    )
    const text = pretty(
      Effect.logError("x", new AggregateError([refused(1), "text"], "all failed"))
    )
    assert.include(text, "\n  AggregateError: all failed\n")
    assert.include(
      text,
      `\n  error 1: Error: connect ECONNREFUSED 127.0.0.1:1 {"code":"ECONNREFUSED","errno":-111,"port":1}\n`
    )
    assert.match(text, /\n {2}error 2: text$/)
  })

  it("has them in a cause, in a cause of a cause, and in a field", () => {
    const inner = new AggregateError([refused(3)], "inner")
    const outer = new Error("outer", { cause: new Error("middle", { cause: inner }) })
    assert.strictEqual(errorOf(outer)["cause"].cause.errors[0].port, 3)
    assert.include(pretty(Effect.logError("x", outer)), '{"code":"ECONNREFUSED"')
    const wrapped = Object.assign(new Error("wrapped"), { reason: refused(4) })
    assert.strictEqual(errorOf(wrapped)["reason"].port, 4)
    assert.include(pretty(Effect.logError("x", wrapped)), '"port":4')
  })

  it("has no reason that says the same as the error, whose cause stays", () => {
    const request = HttpClientRequest.get("http://stock/lamp")
    const reason = new HttpClientError.TransportError({ cause: refused(6), request })
    const error = errorOf(new HttpClientError.HttpClientError({ reason }))
    assert.notProperty(error, "reason")
    assert.include(error["message"], "http://stock/lamp")
    assert.strictEqual(error["cause"].port, 6)
  })

  it("has the parts of a SuppressedError, the code of a DOMException, and those of another realm", () => {
    const suppressed = Object.assign(new Error("late"), {})
    Object.defineProperty(suppressed, "suppressed", { enumerable: false, value: refused(5) })
    assert.strictEqual(errorOf(suppressed)["suppressed"].port, 5)
    assert.strictEqual(errorOf(new DOMException("stop", "AbortError"))["code"], 20)
    assert.strictEqual(
      dataOf(runInNewContext("Object.assign(new Error('far'), { code: 'FAR' })")).code,
      "FAR"
    )
  })

  it("has a cause that is no error, and fields that are named as fixed ones", () => {
    assert.strictEqual(errorOf(new Error("x", { cause: "text" }))["cause"], "text")
    assert.deepStrictEqual(errorOf(new Error("x", { cause: { id: 7 } }))["cause"], { id: 7 })
    const { "field.type": field, type } = errorOf(Object.assign(new Error("x"), { type: "mine" }))
    assert.deepStrictEqual([type, field], ["Error", "mine"])
  })

  it("has the fields of a tagged error and of a thrown object", () => {
    class NoStock extends Data.TaggedError("NoStock")<{ readonly sku: string }> {}
    assert.deepInclude(errorOf(new NoStock({ sku: "a1" })), { sku: "a1", type: "NoStock" })
    assert.deepInclude(errorOf({ _tag: "Plain", id: 7 }), { id: 7, type: "Plain" })
    assert.deepInclude(errorOf("text"), { message: "text", type: "Error" })
    assert.deepInclude(errorOf(undefined), { type: "Error" })
  })

  it("does not show the inside of a schema issue", () => {
    const exit = Schema.decodeUnknownExit(Schema.Struct({ a: Schema.Number }))({ a: "text" })
    const line = logged(
      Effect.logError("x", (exit as Exit.Failure<unknown, unknown>).cause),
      "json"
    )
    assert.isBelow(line.length, 5000)
  })

  it("does not show what is redacted, nor headers with credentials", () => {
    const error = Object.assign(new Error("x"), {
      config: { headers: { Authorization: "Bearer s3cret", accept: "text/plain" } },
      key: Redacted.make("s3cret"),
      sent: new Headers({ cookie: "s3cret", host: "a" })
    })
    assert.deepStrictEqual(errorOf(error)["config"].headers, {
      accept: "text/plain",
      Authorization: "<redacted>"
    })
    assert.deepStrictEqual(errorOf(error)["sent"], { cookie: "<redacted>", host: "a" })
    for (const format of ["json", "pretty"] as const) {
      assert.notInclude(logged(Effect.logError("x", error), format), "s3cret")
    }
  })
})

describe("a value in the log", () => {
  const table: ReadonlyArray<readonly [name: string, value: unknown, data: unknown]> = [
    ["a map of texts", new Map([["a", 1]]), { a: 1 }],
    [
      "a map of other keys",
      new Map<unknown, unknown>([
        [{ id: 1 }, "x"],
        [2, "y"]
      ]),
      [
        [{ id: 1 }, "x"],
        [2, "y"]
      ]
    ],
    ["a set", new Set([1, "b"]), [1, "b"]],
    ["a map in a set", new Set([new Map([["a", new Set([1])]])]), [{ a: [1] }]],
    ["an empty map", new Map(), {}],
    ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["a date that is none", new Date(Number.NaN), "Invalid Date"],
    ["numbers that JSON lacks", [Number.NaN, Infinity, 10n], ["NaN", "Infinity", "10n"]],
    ["bytes", new Uint8Array(3), "<Uint8Array: 3 bytes>"],
    ["a URL", new URL("http://a/b"), "http://a/b"],
    ["a regular expression", /a/g, "/a/g"],
    ["boxed values", [Object(1), Object("a"), Object(false)], [1, "a", false]],
    ["what JSON leaves out", { a: undefined, b: () => 1, c: [undefined] }, { c: [null] }],
    ["an object without prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }]
  ]
  it.each(table)("is written as data: %s", (_name, value, data) => {
    assert.deepStrictEqual(dataOf(value), data)
    assert.strictEqual(
      json(Effect.annotateLogs(Effect.logInfo("x"), { value }))["value"]?.toString(),
      dataOf(value)?.toString()
    )
    pretty(Effect.logInfo("x", { value }))
  })

  it("has the message and fields of errors within it", () => {
    assert.deepInclude(dataOf([refused(6)])[0], { code: "ECONNREFUSED", port: 6 })
    assert.deepInclude(dataOf(new Map([["e", refused(7)]])).e, { port: 7 })
    assert.include(pretty(Effect.logInfo("x", { error: refused(8) })), '"port":8')
    assert.deepInclude(
      json(Effect.annotateLogs(Effect.logInfo("x"), { error: refused(9) }))["error"] ??
        json(Effect.annotateLogs(Effect.logInfo("x"), { error: refused(9) }))["annotation.error"],
      { port: 9 }
    )
  })
})

const circle: { self?: unknown } = {}
circle.self = [circle]
const mapCircle = new Map<string, unknown>()
mapCircle.set("self", new Set([mapCircle]))
const errorCircle = new Error("circle")
errorCircle.cause = errorCircle
const aggregateCircle = new AggregateError([], "circle")
aggregateCircle.errors.push(aggregateCircle)
const throwing = (name: string, base: object = {}) =>
  Object.defineProperty(base, name, {
    enumerable: true,
    get() {
      throw new Error("getter")
    }
  })
const { proxy, revoke } = Proxy.revocable({}, {})
revoke()
const chain = Array.from({ length: 20_000 }).reduce<Error>(
  (cause, _, i) => new Error(`cause ${i}`, { cause }),
  new Error("first")
)
class Endless {
  toJSON() {
    return new Endless()
  }
}

const hostile: ReadonlyArray<readonly [name: string, value: unknown]> = [
  ["an object in itself", circle],
  ["a map in itself", mapCircle],
  ["an error that is its own cause", errorCircle],
  ["an AggregateError that is its own member", aggregateCircle],
  ...["cause", "code", "errors", "message", "name", "stack", "_tag", "own"].map(
    (name) => [`an error whose ${name} throws`, throwing(name, new Error("x"))] as const
  ),
  ["a function whose text throws", throwing("toString", () => {})],
  ["an object whose getter throws", throwing("a")],
  ["an array whose item throws", throwing("0", [1, 2])],
  [
    "a getter that throws what cannot be read",
    Object.defineProperty({}, "a", {
      enumerable: true,
      get() {
        throw proxy
      }
    })
  ],
  [
    "toJSON that throws",
    {
      toJSON() {
        throw new Error("x")
      }
    }
  ],
  ["toJSON without end", new Endless()],
  ["a revoked proxy", [proxy]],
  [
    "an error with a message that is no text",
    Object.defineProperty(new Error(), "message", { value: { a: 10n } })
  ],
  ["an error with a name that is no text", Object.assign(new Error("x"), { name: Symbol("x") })],
  ["20 000 causes", chain],
  ["10 000 levels", nested(10_000)],
  [
    "an AggregateError of 100 000",
    new AggregateError(
      Array.from({ length: 100_000 }, (_, i) => refused(i)),
      "many"
    )
  ],
  ["100 000 items", Array.from({ length: 100_000 }, (_, i) => i)],
  ["an array of 4 000 000 000", Object.assign([], { length: 4_000_000_000 })],
  ["a map of 100 000", new Map(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]))],
  [
    "a tree",
    Array.from({ length: 90 }, () => Array.from({ length: 90 }, () => ({ a: "x".repeat(1000) })))
  ],
  ["a text of 5 MB", "x".repeat(5_000_000)],
  ["an error with a message of 5 MB", new Error("x".repeat(5_000_000))],
  ["a name of 1 MB", { ["n".repeat(1_000_000)]: 1 }],
  ["__proto__", JSON.parse('{"__proto__":{"a":1}}')]
]

it("upstream: Effect still throws when a revoked proxy itself is logged", () => {
  assert.throws(() => Effect.logError("x", proxy), /revoked/)
})

describe.each(["json", "pretty"] as const)(
  "a log call in %s never throws, loops or grows",
  (format) => {
    it.each(hostile)("for %s", (_name, value) => {
      for (const effect of [
        Effect.logError("x", value),
        Effect.logError(value),
        Effect.logError("x", { value }),
        Effect.logError("x", Cause.fail(value)),
        Effect.logError("x", Cause.die({ value })),
        Effect.annotateLogs(Effect.logError("x"), { value })
      ]) {
        const line = logged(effect, format)
        assert.isBelow(line.length, 400_000)
        if (format === "json") JSON.parse(line)
      }
    })
  }
)

describe("control characters", () => {
  const bad = "\u0000\u0007\u001b[2J\r\n\t\u007f\u0085\u009b31m\u2028\u2029\u202e\u2066\u200f\u061c"
  const raw =
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/

  const places: ReadonlyArray<readonly [name: string, effect: Effect.Effect<void>, lines: number]> =
    [
      ["a message", Effect.logInfo(bad), 1],
      ["several parts", Effect.logInfo("a", bad, Symbol(bad)), 1],
      ["data", Effect.logInfo("a", { [bad]: bad }), 1],
      ["the name of an annotation", Effect.annotateLogs(Effect.logInfo("a"), { [bad]: 1 }), 1],
      ["an annotation", Effect.annotateLogs(Effect.logInfo("a"), { a: bad, b: [bad] }), 1],
      ["the name of a span", Effect.withLogSpan(Effect.logInfo("a"), bad), 1]
    ]
  it.each(places)("in %s are escaped", (_name, effect, lines) => {
    const text = pretty(effect)
    assert.notMatch(text, raw)
    assert.lengthOf(text.split("\n"), lines)
    assert.include(text, String.raw`\u001b[2J\r\n\t\u007f\u0085\u009b31m\u2028\u2029\u202e`)
    const line = logged(effect, "json")
    assert.notMatch(line, raw)
    assert.lengthOf(line.split("\n"), 1)
    JSON.parse(line)
  })

  it("in errors are escaped: message, name, fields, cause, members and stack", () => {
    const forged = `${bad}\n    at forged (file.js:1:1)\n14:28:57.508 INFO  forged`
    const make = () => Object.assign(new Error(forged), { [bad]: bad, name: `N${bad}` })
    const error = Object.assign(new AggregateError([make(), bad], forged), { cause: make() })
    const text = pretty(Effect.logError(error))
    assert.notMatch(text, raw)
    // Every line but the first is indented, and none is of the message.
    for (const line of text.split("\n").slice(1)) {
      assert.match(line, /^ {2}/)
      assert.notMatch(line, /^\s*(at forged|14:28)/)
    }
    assert.notMatch(logged(Effect.logError(error), "json"), raw)
  })
})
