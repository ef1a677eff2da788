// What a codec costs: nanoseconds for one decode or encode, by Effect's interpreter, by its compiler
// of schemas (JIT), and by Flange. For ten endpoints in turn and for a thousand of their own schemas.
// Run: node --conditions=flange-source bench/decoders.ts
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import * as SchemaAST from "effect/SchemaAST"
import * as Decoding from "../src/Server/Codec/Decoding.ts"
import * as Strict from "../src/Server/Codec/Strict.ts"
import { table } from "./lib/Table.ts"

type Decode = (input: unknown) => Effect.Effect<unknown, unknown>

const interpreter = (ast: SchemaAST.AST): Decode =>
  Schema.decodeUnknownEffect(Schema.make<Schema.Codec<unknown>>(ast))

const variants = {
  flange: (ast: SchemaAST.AST): Decode => Decoding.make(Strict.of(100)(ast)).first,
  interpreter,
  jit: (ast: SchemaAST.AST): Decode => {
    SchemaJITCompiler.enable(ast)
    return interpreter(ast)
  }
}

type Variant = keyof typeof variants

/** An endpoint of which every name but `id` is its own. */
const endpointOf = (i: number) => {
  const Item = Schema.Struct({
    id: Schema.Int,
    [`name${i}`]: Schema.String.pipe(Schema.check(Schema.isMaxLength(100))),
    [`active${i}`]: Schema.Boolean,
    tags: Schema.Array(Schema.String),
    [`since${i}`]: Schema.optionalKey(Schema.DateTimeUtcFromString)
  })
  return HttpApiEndpoint.post(`e${i}`, "/:id", {
    params: { id: Schema.Int },
    payload: Item,
    query: {
      [`verbose${i}`]: Schema.optionalKey(Schema.Boolean),
      [`page${i}`]: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(1)))
    },
    success: Item
  } as never) as unknown as HttpApiEndpoint.Top
}

/** The parts of an endpoint: its AST and inputs for it. */
const parts = {
  params: (endpoint: HttpApiEndpoint.Top) => ({
    ast: endpoint.params!.ast,
    inputs: (i: number) => [{ id: String(i) }]
  }),
  query: (endpoint: HttpApiEndpoint.Top) => ({
    ast: Schema.toCodecArrayFromSingle(endpoint.query!).ast,
    inputs: (i: number) => [{}, { [`page${i}`]: "3", [`verbose${i}`]: "true" }]
  }),
  payload: (endpoint: HttpApiEndpoint.Top) => ({
    ast: [...endpoint.payload.values()][0]!.schemas[0].ast,
    inputs: (i: number) => [
      { [`active${i}`]: true, id: 7, [`name${i}`]: "a name", tags: ["a", "b"] }
    ]
  }),
  success: (endpoint: HttpApiEndpoint.Top) => ({
    ast: SchemaAST.flip([...endpoint.success][0]!.ast),
    inputs: (i: number) => [
      { [`active${i}`]: true, id: 7, [`name${i}`]: "a name", tags: ["a", "b"] }
    ]
  })
}

const rounds = 7

/** The first call's microseconds, and the best round's nanoseconds for a call. */
const measure = (variant: Variant, count: number, part: keyof typeof parts) => {
  const calls = Array.from({ length: count }, (_, i) => {
    const { ast, inputs } = parts[part](endpointOf(i))
    return { decode: variants[variant](ast), inputs: inputs(i) }
  })
  let done = 0
  const run = (times: number): number => {
    // The thread's own time: other programs use the same cores.
    const start = process.threadCpuUsage()
    for (let i = 0; i < times; i++) {
      const { decode, inputs } = calls[i % count]!
      const exit = decode(inputs[i % inputs.length])
      if (Exit.isExit(exit) && exit._tag === "Success") done++
    }
    const { system, user } = process.threadCpuUsage(start)
    return ((system + user) * 1000) / times
  }
  const first = run(count) / 1000
  const best = Math.min(...Array.from({ length: rounds }, () => run(200_000)))
  if (done !== count + rounds * 200_000) throw new Error(`${variant} refused a ${part}`)
  return { best, first }
}

const [variant, count, part] = process.argv.slice(2)

if (part === undefined) {
  const rows: Array<ReadonlyArray<string>> = []
  for (const part of Object.keys(parts)) {
    for (const variant of Object.keys(variants)) {
      const row = [part, variant]
      for (const count of [10, 1000]) {
        const self = [
          ...process.execArgv,
          fileURLToPath(import.meta.url),
          variant,
          `${count}`,
          part
        ]
        const { best, first } = JSON.parse(
          execFileSync(process.execPath, self, { encoding: "utf8" })
        ) as ReturnType<typeof measure>
        row.push(best.toFixed(0), first.toFixed(1))
      }
      rows.push(row)
    }
  }
  console.log(
    table(["part", "by", "10: ns", "10: first call, us", "1000: ns", "1000: first call, us"], rows)
  )
} else {
  console.log(
    JSON.stringify(measure(variant as Variant, Number(count), part as keyof typeof parts))
  )
}
