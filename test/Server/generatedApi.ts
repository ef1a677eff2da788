/** An API of many shapes, and requests for it, from a seed. For tests that compare. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { ApiError, Plugin, Route } from "flange"

/** A small generator of numbers that are the same for a seed. Source: mulberry32. */
export const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

export class Teapot extends ApiError.make<Teapot>()(
  "Teapot",
  { code: "TEAPOT", detail: ({ size }) => `A teapot of ${size}`, status: 418 },
  { size: Schema.Int }
) {}

class Plain extends Schema.TaggedError<Plain>()(
  "Plain",
  { why: Schema.String },
  { httpApiStatus: 409 }
) {}

const fields: ReadonlyArray<() => Schema.Top> = [
  () => Schema.String,
  () => Schema.Int,
  () => Schema.Boolean,
  () => Schema.NullOr(Schema.String),
  () => Schema.Literals(["a", "b", "c"]),
  () => Schema.Array(Schema.Int),
  () => Schema.DateTimeUtcFromString,
  () => Schema.String.pipe(Schema.check(Schema.isMinLength(1), Schema.isMaxLength(5))),
  () => Schema.Struct({ deep: Schema.Struct({ id: Schema.Int, "odd/key~": Schema.String }) }),
  () => Schema.Union([Schema.Struct({ n: Schema.Int }), Schema.Struct({ s: Schema.String })]),
  () => Schema.FiniteFromString
]

const struct = (next: () => number, size: number) => {
  const shape: Record<string, Schema.Top> = {}
  for (let i = 0; i < size; i++) {
    const field = fields[Math.floor(next() * fields.length)]!()
    shape[`f${i}`] = next() < 0.4 ? Schema.optionalKey(field) : field
  }
  // What decodes needs no services.
  return Schema.Struct(shape) as unknown as Schema.Struct<{ readonly f0: Schema.String }>
}

/** A plugin whose endpoints echo, fail in every way, and answer with every kind of reply. */
export const plugin = (seed: number, endpoints: number) => {
  const next = random(seed)
  const echoes = Array.from({ length: endpoints }, (_, i) => {
    const schema = struct(next, 1 + Math.floor(next() * 5))
    return HttpApiEndpoint.post(`echo${i}`, `/echo/${i}/:id`, {
      error: [Plain, Teapot],
      params: { id: Schema.Int },
      payload: schema,
      query: {
        flag: Schema.optionalKey(Schema.Boolean),
        list: Schema.optionalKey(Schema.Array(Schema.Int))
      },
      success: schema
    })
  })
  class Echo extends HttpApiGroup.make("echo").add(
    ...(echoes as [(typeof echoes)[number], ...typeof echoes])
  ) {}
  class Kinds extends HttpApiGroup.make("kinds").add(
    HttpApiEndpoint.get("created", "/created", {
      success: Schema.Struct({ ok: Schema.Boolean }).pipe(HttpApiSchema.status(201))
    }),
    HttpApiEndpoint.get("dies", "/dies", { success: Schema.Int }),
    HttpApiEndpoint.get("either", "/either/:n", {
      params: { n: Schema.Int },
      success: [
        Schema.Struct({ even: Schema.Int }),
        Schema.Struct({ odd: Schema.Int }).pipe(HttpApiSchema.status(202))
      ]
    }),
    HttpApiEndpoint.get("headers", "/headers", {
      headers: { "x-number": Schema.Int },
      success: Schema.Struct({ number: Schema.Int })
    }),
    HttpApiEndpoint.get("later", "/later", { success: Schema.String }),
    HttpApiEndpoint.get("nothing", "/nothing"),
    HttpApiEndpoint.get("response", "/response", { success: Schema.String }),
    HttpApiEndpoint.get("throws", "/throws", { success: Schema.Int }),
    HttpApiEndpoint.get("wrong", "/wrong", { success: Schema.Int })
  ) {}
  return Plugin.make("test:generated", {
    routes: [
      Route.public(Echo, (handlers) =>
        handlers.handleAll(
          Object.fromEntries(
            echoes.map(({ identifier }, i) => [
              identifier,
              ({ params, payload }: { params: { id: number }; payload: unknown }) =>
                params.id === 418
                  ? Effect.fail(new Teapot({ size: i }))
                  : params.id === 409
                    ? Effect.fail(new Plain({ why: "asked" }))
                    : Effect.succeed(payload)
            ])
          ) as never
        )
      ) as never,
      Route.public(Kinds, (handlers) =>
        handlers.handleAll({
          created: () => Effect.succeed({ ok: true }),
          dies: () => Effect.die(new Error("secret inside")),
          either: ({ params }) =>
            Effect.succeed(params.n % 2 === 0 ? { even: params.n } : { odd: params.n }),
          headers: ({ headers }) => Effect.succeed({ number: headers["x-number"] }),
          later: () => Effect.as(Effect.sleep(1), "later"),
          nothing: () => Effect.void,
          response: () =>
            Effect.succeed(
              HttpServerResponse.text("made by hand", { headers: { "x-own": "1" }, status: 203 })
            ),
          throws: (): Effect.Effect<number> => {
            throw new Error("secret inside")
          },
          wrong: () => Effect.succeed("no number" as never)
        })
      )
    ]
  })
}

const values: ReadonlyArray<unknown> = [
  "text",
  "",
  "a",
  1,
  1.5,
  -0,
  true,
  null,
  [],
  [1, 2],
  ["x"],
  {},
  { deep: { id: 1, "odd/key~": "v" } },
  { deep: { id: "x" } },
  { n: 1 },
  { s: "s" },
  "2020-01-01T00:00:00.000Z",
  "12.5",
  "toolong"
]

/** A request, as data. */
export interface Sent {
  readonly body: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly method: string
  readonly path: string
}

/** Requests for the plugin of the same size: good ones, bad ones, and broken ones. */
export const requests = (seed: number, endpoints: number, count: number): ReadonlyArray<Sent> => {
  const next = random(seed)
  const pick = <A>(list: ReadonlyArray<A>): A => list[Math.floor(next() * list.length)]!
  const json = { "content-type": "application/json" }
  const generated = Array.from({ length: count }, (): Sent => {
    const body: Record<string, unknown> = {}
    for (let i = 0; i < 6; i++) if (next() < 0.8) body[`f${i}`] = pick(values)
    if (next() < 0.1) body["extra"] = 1
    const text = JSON.stringify(body)
    return {
      body:
        next() < 0.06
          ? text.slice(0, -1)
          : next() < 0.04
            ? ""
            : next() < 0.04
              ? `{"f0":{"__proto__":{"x":1}}}`
              : text,
      headers:
        next() < 0.05
          ? { "content-type": "text/plain" }
          : next() < 0.1
            ? { "content-type": "application/json; charset=utf-8" }
            : json,
      method: "POST",
      path: `/echo/${Math.floor(next() * endpoints)}/${pick(["1", "-7", "418", "409", "x", "1.5", ""])}${pick(["", "", "?flag=true", "?flag=maybe", "?list=1&list=2", "?list=1", "?list=x&flag=0", "?unknown=%20"])}`
    }
  })
  const plain = (method: string, path: string, headers: Record<string, string> = {}): Sent => ({
    body: undefined,
    headers,
    method,
    path
  })
  return [
    ...generated,
    ...[
      "nothing",
      "created",
      "either/2",
      "either/3",
      "either/x",
      "response",
      "wrong",
      "dies",
      "throws",
      "later"
    ].map((name) => plain("GET", `/${name}`)),
    plain("HEAD", "/created"),
    plain("HEAD", "/later"),
    plain("DELETE", "/created"),
    plain("OPTIONS", "/created"),
    plain("GET", "/created/"),
    plain("GET", "/Created"),
    plain("GET", "/nowhere"),
    plain("GET", "/headers"),
    plain("GET", "/headers", { "x-number": "7" }),
    plain("GET", "/headers", { "x-number": "seven" }),
    plain("GET", "/either/%ff"),
    {
      body: "{}",
      headers: { ...json, "content-encoding": "br" },
      method: "POST",
      path: "/echo/0/1"
    },
    { body: '{"f0":"\\u005f_proto__"}', headers: json, method: "POST", path: "/echo/0/1" },
    { body: '{"\\u005f_proto__":1}', headers: json, method: "POST", path: "/echo/0/1" }
  ]
}
