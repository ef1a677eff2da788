/** How numbers, booleans and dates are written in requests, with both codecs. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as Model from "effect/schema/Model"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { App, Plugin, Route } from "flange"
import { assert, describe, it } from "vitest"
import { both, type Place, type Running } from "./codecs.ts"

const dates = {
  date: Schema.Date,
  dateFromString: Schema.DateFromString,
  days: Schema.Array(Schema.Date),
  maybe: Schema.NullOr(Schema.Date),
  model: Model.Date,
  own: Schema.String.pipe(Schema.decodeTo(Schema.Date, SchemaTransformation.dateFromString)),
  own2: Schema.String.pipe(
    Schema.decodeTo(Schema.DateTimeUtc, SchemaTransformation.dateTimeUtcFromString)
  ),
  utc: Schema.DateTimeUtc,
  utcFromDate: Schema.DateTimeUtcFromDate,
  utcFromString: Schema.DateTimeUtcFromString
} as const

const numbers = {
  big: Schema.BigInt,
  bigText: Schema.BigIntFromString,
  branded: Schema.Int.pipe(Schema.brand("Id")),
  decimal: Schema.BigDecimal,
  finite: Schema.Finite,
  finiteText: Schema.FiniteFromString,
  flag: Schema.Boolean,
  int: Schema.Int,
  intText: Schema.FiniteFromString.check(Schema.isInt()),
  intText2: Schema.NumberFromString.pipe(Schema.decodeTo(Schema.Int)),
  int32: Schema.Number.check(Schema.isInt32()),
  list: Schema.Array(Schema.Int),
  number: Schema.Number,
  numberText: Schema.NumberFromString,
  ownNumber: Schema.String.pipe(
    Schema.decodeTo(Schema.Finite, { decode: SchemaGetter.Number(), encode: SchemaGetter.String() })
  ),
  union: Schema.Union([Schema.Int, Schema.Null])
} as const

const all = {
  ...dates,
  ...numbers,
  zoned: Schema.DateTimeZoned,
  zonedText: Schema.DateTimeZonedFromString
}

type Name = keyof typeof all

const optional = (fields: Readonly<Record<string, Schema.Top>>) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, schema]) => [name.toLowerCase(), Schema.optionalKey(schema)])
  )

const single = Object.fromEntries(
  Object.entries(all).filter(([name]) => name !== "days" && name !== "list")
)

const success = Schema.String

// The declared types need the names of the fields.
const declare = (fields: object) => fields as { a: typeof Schema.String }

const paths = Object.entries(single).map(([name, schema]) =>
  HttpApiEndpoint.get(name, `/path/${name.toLowerCase()}/:value`, {
    params: declare({ value: schema }) as never,
    success
  })
)

const group = HttpApiGroup.make("notations").add(
  HttpApiEndpoint.post("form", "/form", {
    payload: Schema.Struct(declare(optional(all))).pipe(HttpApiSchema.asFormUrlEncoded()),
    success
  }),
  HttpApiEndpoint.get("header", "/header", { headers: declare(optional(single)), success }),
  HttpApiEndpoint.post("json", "/json", {
    payload: Schema.Struct(declare(optional(all))),
    success
  }),
  HttpApiEndpoint.post("multipart", "/multipart", {
    payload: Schema.Struct(declare(optional(all))).pipe(HttpApiSchema.asMultipart()),
    success
  }),
  HttpApiEndpoint.get("query", "/query", { query: declare(optional(all)), success }),
  ...paths
)

const show = (part: "headers" | "params" | "payload" | "query") => (request: object) =>
  Effect.succeed(
    JSON.stringify((request as Readonly<Record<string, unknown>>)[part], (_, value) =>
      typeof value === "bigint"
        ? String(value)
        : DateTime.isDateTime(value)
          ? DateTime.formatIso(value)
          : value
    )
  )

const app = () =>
  App.make("notations", [
    Plugin.make("test:notations", {
      routes: [
        Route.public(group, (handlers) =>
          handlers.handleAll({
            form: show("payload"),
            header: show("headers"),
            json: show("payload"),
            multipart: show("payload"),
            query: show("query"),
            ...Object.fromEntries(paths.map(({ identifier }) => [identifier, show("params")]))
          } as never)
        ) as Route.Route<never, never>
      ]
    })
  ])

type Send = Running["send"]

/** Sends a text in a part of a request. */
type Sender = (send: Send, name: string, text: string) => ReturnType<Send>

const multipart = (name: string, text: string) => {
  const body = new FormData()
  body.append(name, text)
  return { body, method: "POST" }
}

const parts: Readonly<Record<string, Sender>> = {
  form: (send, name, text) =>
    send("/form", { body: new URLSearchParams([[name, text]]), method: "POST" }),
  header: (send, name, text) => send("/header", { headers: { [name]: text } }),
  json: (send, name, text) =>
    send("/json", {
      body: JSON.stringify({ [name]: name === "days" || name === "list" ? [text] : text }),
      headers: { "content-type": "application/json" },
      method: "POST"
    }),
  multipart: (send, name, text) => send("/multipart", multipart(name, text)),
  path: (send, name, text) => send(`/path/${name}/${encodeURIComponent(text)}`),
  query: (send, name, text) => send(`/query?${name}=${encodeURIComponent(text)}`)
}

const isSent = (part: string, name: Name, text: string): boolean =>
  // Spaces around a header are not part of it, and it has other characters than ASCII in no charset.
  (part !== "header" || (text.trim() === text && /^[\x20-\x7e]*$/.test(text))) &&
  ((part !== "header" && part !== "path") || name in single) &&
  (part !== "path" || text !== "") &&
  // In JSON a number is a number.
  (part !== "json" || !inJson.has(name))

const inJson: ReadonlySet<Name> = new Set([
  "branded",
  "finite",
  "flag",
  "int",
  "int32",
  "list",
  "number",
  "union"
])

type Check = (reply: Awaited<ReturnType<Send>>, at: string) => void

/**
 * Sends texts of these schemas in every part that may have them: all texts for the first schema,
 * and one for each other.
 */
const each = async (
  send: Send,
  names: ReadonlyArray<Name>,
  texts: ReadonlyArray<string>,
  check: Check
) => {
  for (const [i, [part, sender]] of Object.entries(parts).entries()) {
    for (const [j, name] of names.entries()) {
      const some = j === 0 ? texts : [texts[(i + j) % texts.length]!]
      for (const text of some) {
        if (!isSent(part, name, text)) continue
        check(await sender(send, name.toLowerCase(), text), `${part} ${name} ${text}`)
      }
    }
  }
}

const taken: Check = ({ body, status }, at) => assert.strictEqual(status, 200, `${at}: ${body}`)

const refused =
  (detail: string): Check =>
  ({ body, status }, at) => {
    assert.strictEqual(status, 400, `${at}: ${body}`)
    const { code, errors } = JSON.parse(body)
    assert.deepStrictEqual(
      [code, errors.map(({ detail }: { detail: string }) => detail)],
      ["VALIDATION_FAILED", [detail]],
      at
    )
  }

const date =
  "Expected a date or date-time of RFC 3339, such as 2026-02-03, 2026-02-03T10:00:00Z or 2026-02-03T10:00:00.000+01:00"
const zoned =
  "Expected a date-time of RFC 3339 that may end with a time zone, such as 2026-02-03T10:00:00+01:00[Europe/Berlin]"
const integer = "Expected an integer in decimal digits, such as 42 or -7"
const finite = "Expected a number as JSON writes it, such as 42, -1.5 or 1e3"
const bigInteger = "Expected an integer of at most 1000 decimal digits, such as 42 or -7"
const decimal = `${finite}, of at most 1000 digits before and after the point and 3 in the exponent`
const number = `${finite}, or Infinity, -Infinity or NaN`

const impossible =
  "2026-02-30|2026-02-29|1900-02-29|2026-13-01|2026-00-10|2026-01-00|2026-04-31|2026-02-30T10:00:00Z|2026-02-03T24:00:00Z|2026-02-03T25:00:00Z|2026-02-03T10:60:00Z|2026-02-03T10:00:60Z|2026-02-03T10:00:00+24:00|2026-02-03T10:00:00+01:60".split(
    "|"
  )

const otherNotations =
  "|0|1|12|2026|1770112800000|2026-2-3|2026-02|02/03/2026|Feb 30 2026|Feb 3 2026|3 Feb 2026|Tue, 03 Feb 2026 10:00:00 GMT|2026-02-03T10:00:00|2026-02-03T10:00|2026-02-03 10:00:00Z|2026-02-03T10:00:00 Z|2026-02-03Z|20260203|2026-W06-2|2026-034|+002026-02-03|now|2026-02-03T10:00:00+0100|٢٠٢٦-٠٢-٠٣".split(
    "|"
  )

const possible: Readonly<Record<string, string>> = {
  "0001-01-01": "0001-01-01T00:00:00.000Z",
  "2000-02-29": "2000-02-29T00:00:00.000Z",
  "2024-02-29T23:59:59Z": "2024-02-29T23:59:59.000Z",
  "2026-02-03": "2026-02-03T00:00:00.000Z",
  "2026-02-03T10:00:00+01:00": "2026-02-03T09:00:00.000Z",
  "2026-02-03T10:00:00-00:00": "2026-02-03T10:00:00.000Z",
  "2026-02-03T10:00:00.5Z": "2026-02-03T10:00:00.500Z",
  "2026-02-03T10:00:00.123456Z": "2026-02-03T10:00:00.123Z",
  "2026-12-31T23:59:59.999-12:00": "2027-01-01T11:59:59.999Z"
}

const odd = [
  "",
  "+5",
  "05",
  "-05",
  "00",
  "0x10",
  "0b1",
  " 5",
  "5 ",
  "\n5",
  "١",
  "1_000",
  "1,000",
  "5.",
  "--5",
  "5n"
]

describe("Notations", () => {
  const test = (use: (send: Send) => Promise<void>, place?: Place) => () =>
    both(app, ({ send }) => use(send), place)

  it(
    "a text that is no date or date-time of RFC 3339 is refused",
    test((send) =>
      each(
        send,
        Object.keys(dates) as Array<Name>,
        [...impossible, ...otherNotations],
        (reply, at) =>
          at.includes(" maybe ")
            ? assert.strictEqual(reply.status, 400, at)
            : refused(date)(reply, at)
      )
    )
  )

  it(
    "a date or date-time of RFC 3339 is taken",
    test(async (send) => {
      const names = Object.keys(dates) as Array<Name>
      for (const [text, instant] of Object.entries(possible)) {
        await each(send, names, [text], (reply, at) => {
          taken(reply, at)
          const day = `${instant.slice(0, 10)}T00:00:00.000Z`
          assert.include(JSON.parse(reply.body), at.includes(" model ") ? day : instant, at)
        })
      }
    })
  )

  it(
    "a zoned time has an offset, and a zone only in brackets",
    test(async (send) => {
      const names = ["zoned", "zonedText"] as const
      await each(
        send,
        names,
        [
          ...impossible.filter((text) => text.includes("T")),
          ...otherNotations,
          "2026-02-03",
          "2026-02-03T10:00:00[Europe/Berlin]",
          "2026-02-30T10:00:00+01:00[Europe/Berlin]"
        ],
        refused(zoned)
      )
      await each(
        send,
        names,
        ["2026-02-03T10:00:00+01:00", "2026-02-03T10:00:00.000+01:00[Europe/Berlin]"],
        taken
      )
      await each(send, names, ["2026-02-03T10:00:00+01:00[Mars/Base]"], ({ status }, at) =>
        assert.strictEqual(status, 400, at)
      )
    })
  )

  it(
    "an integer is written in decimal digits",
    test(async (send) => {
      const names = ["branded", "int", "int32", "intText", "intText2", "list"] as const
      const texts = [...odd, "1e1", "5.0", "1.5", "Infinity", "-Infinity", "NaN", "-0", "-"]
      await each(send, names, texts, refused(integer))
      await each(send, ["big", "bigText"], texts, refused(bigInteger))
      await each(send, ["union"], texts, ({ status }, at) => assert.strictEqual(status, 400, at))
      await each(send, [...names, "big", "bigText", "union"], ["0", "5", "-5", "1234567890"], taken)
      await each(send, ["int"], ["9007199254740992"], refused("Expected an integer"))
    })
  )

  it(
    "a number is written as in JSON",
    test(async (send) => {
      const infinite = ["Infinity", "-Infinity", "NaN"]
      const texts = [...odd, ".5", "+1.5", "1e", "1E1.5", "infinity", "+Infinity"]
      await each(
        send,
        ["finite", "finiteText", "ownNumber"],
        [...texts, ...infinite],
        refused(finite)
      )
      await each(send, ["decimal"], [...texts, ...infinite], refused(decimal))
      await each(send, ["number", "numberText"], texts, refused(number))
      const numbers = ["0", "-0", "1.5", "-1.5", "1e3", "1E+3", "1.5e-3"]
      await each(
        send,
        ["finite", "finiteText", "ownNumber", "number", "numberText"],
        numbers,
        taken
      )
      await each(send, ["decimal"], ["0", "1.5", "-1.5"], taken)
      await each(send, ["number", "numberText"], infinite, taken)
    })
  )

  it(
    "a number of any precision has a bounded length, because calculating with it costs more than its bytes",
    test(async (send) => {
      const digits = "9".repeat(1000)
      await each(send, ["big", "bigText"], [digits, `-${digits}`], taken)
      await each(send, ["big", "bigText"], [`1${digits}`, `-1${digits}`], refused(bigInteger))
      await each(send, ["decimal"], [digits, `-${digits}.5e-999`, `0.${digits}`, "1e999"], taken)
      await each(
        send,
        ["decimal"],
        [`1${digits}`, `0.1${digits}`, "1e1000", "1e-999999999", "0e0000"],
        refused(decimal)
      )
    })
  )

  it(
    "a boolean is true or false",
    test(async (send) => {
      await each(send, ["flag"], ["true", "false"], taken)
      await each(send, ["flag"], ["TRUE", "True", "1", "0", "", "yes", " true"], ({ status }, at) =>
        assert.strictEqual(status, 400, at)
      )
    })
  )

  it.each<Place>(["node", "proxied"])("they are the same on %s", (place) =>
    test(async (send) => {
      await each(send, ["date"], ["2026-02-30", "0"], refused(date))
      await each(send, ["int"], ["1e1", "05", "+5"], refused(integer))
      await each(send, ["date"], ["2026-02-03"], taken)
      await each(send, ["int"], ["5"], taken)
    }, place)()
  )
})
