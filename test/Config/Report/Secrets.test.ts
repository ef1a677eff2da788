import { inspect } from "node:util"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Config from "../../../src/Config/index.ts"
import { directoryWith } from "../fixtures.ts"

const secret = "hunter2-s3cr3t"

const talkative = Schema.makeFilter<string>((value) => value === "good" || `bad value ${value}`)

const Vault = Config.section("vault", {
  alternatives: Schema.optionalKey(Schema.Union([Schema.Number, Config.Secret])),
  checked: Schema.optionalKey(Schema.RedactedFromValue(Schema.String.check(talkative))),
  declared: Schema.optionalKey(Schema.Redacted(Schema.String.check(talkative))),
  items: Schema.optionalKey(Schema.Array(Config.Secret)),
  nested: Schema.optionalKey(Schema.Struct({ key: Config.Secret, public: Schema.Int })),
  plain: Schema.optionalKey(Schema.String.check(talkative)),
  records: Schema.optionalKey(Schema.Record(Schema.String, Config.Secret)),
  renamed: Schema.optionalKey(
    Schema.Struct({ apiKey: Config.Secret }).pipe(Schema.encodeKeys({ apiKey: "api_key" }))
  ),
  split: Schema.optionalKey(
    Schema.String.pipe(
      Schema.decodeTo(
        Schema.Struct({ password: Schema.Redacted(Schema.String) }),
        SchemaTransformation.transform({
          decode: (text: string) => JSON.parse(JSON.stringify({ password: text })),
          encode: () => ""
        })
      )
    )
  ),
  structured: Schema.optionalKey(Schema.RedactedFromValue(Schema.Struct({ a: Schema.Int }))),
  url: Config.Secret
})

const everything = (exit: Exit.Exit<Config.Resolved<never>, Config.ConfigError>): string => {
  if (Exit.isSuccess(exit)) {
    return [...exit.value.warnings, JSON.stringify(Config.explain(exit.value))].join("\n")
  }
  const errors = exit.cause.reasons.filter(Cause.isFailReason).map((reason) => reason.error)
  return [
    Cause.pretty(exit.cause),
    inspect(exit, { depth: 20 }),
    ...errors.flatMap((error) => [
      error.message,
      String(error),
      JSON.stringify(error),
      error.stack ?? ""
    ])
  ].join("\n")
}

layer(NodeServices.layer)("Config secrets", (it) => {
  const values: ReadonlyArray<readonly [string, object]> = [
    ["of the right type", { url: secret }],
    ["in a wrong place", { url: { inner: secret } }],
    ["in a list of a wrong type", { url: [secret] }],
    ["instead of the section's object", { nested: secret, url: "x" }],
    ["in a list", { items: [secret, 5], url: "x" }],
    ["in a list that is fine", { items: [secret], url: "x" }],
    ["in a nested object", { nested: { key: secret, public: "x" }, url: "x" }],
    ["in a nested object that is fine", { nested: { key: secret, public: 1 }, url: "x" }],
    ["in a nested object of a wrong type", { nested: [{ key: secret }], url: "x" }],
    ["in a record", { records: { a: secret, b: 5 }, url: "x" }],
    ["in a record that is fine", { records: { a: secret }, url: "x" }],
    ["under a renamed key", { renamed: { api_key: secret }, url: "x" }],
    ["under a renamed key of a wrong type", { renamed: { api_key: [secret] }, url: "x" }],
    ["in a union", { alternatives: secret, url: "x" }],
    ["in a union of a wrong type", { alternatives: [secret], url: "x" }],
    ["in the message of a check", { checked: secret, url: "x" }],
    ["in the message of a check on a Redacted", { declared: secret, url: "x" }],
    ["repeated in a public field whose check quotes it", { plain: `x ${secret} y`, url: secret }],
    ["in the password of a URL in a public field", { plain: `amqp://u:${secret}@h/`, url: "x" }],
    ["decoded from a string", { split: secret, url: "x" }],
    ["in a structure", { structured: { a: secret }, url: "x" }],
    ["under a misspelled key", { ulr: secret, url: "x" }],
    ["under a misspelled key of an invalid section", { ulr: secret }]
  ]
  for (const [place, vault] of values) {
    it.effect(`a secret ${place} is never printed, from any source`, () =>
      Effect.gen(function* () {
        const directory = yield* directoryWith({ "flange.json": JSON.stringify({ vault }) })
        const base = { sections: [Vault] }
        const runs = [
          Config.load({ ...base, directory }),
          Config.load({ ...base, values: { vault } }),
          Config.load({ ...base, values: { environments: { local: { vault } } } }),
          Config.load({ ...base, defaults: [{ plugin: "p", values: { vault } }], values: {} }),
          Config.load({ ...base, overrides: { vault }, values: {} }),
          Config.load({ ...base, overrides: { vault: { url: "x" } }, values: { vault } }),
          Config.load({
            ...base,
            values: {},
            variables: Object.fromEntries(
              Object.entries(vault).map(([key, value]) => [
                `FLANGE__VAULT__${key}`,
                typeof value === "string" ? value : JSON.stringify(value)
              ])
            )
          }),
          Config.load({ ...base, values: {}, variables: { FLANGE__VAULT: JSON.stringify(vault) } })
        ]
        for (const run of runs) {
          const text = everything(yield* Effect.exit(run))
          assert.isAbove(text.length, 0)
          assert.notInclude(text, secret)
        }
      })
    )
  }

  const urls = [
    `amqp://u:${secret}@h/`,
    `amqp:u:${secret}@h/`,
    `amqp:u:a ${secret}@h/`,
    `amqp//u:${secret}@h/`,
    `amqp://u:a ${secret}@h/`,
    `amqp://u:a/${secret}#?x@h/`,
    `amqp://ada@example.com:${secret}@h/`,
    `amqp://h1 amqp://u:${secret}@h2/`,
    `u:${secret}@h`
  ]
  for (const url of urls) {
    it.effect(`the password of a URL in a public field is never printed: ${url}`, () =>
      Effect.gen(function* () {
        const Public = Config.section(
          "public",
          { good: Schema.String, list: Schema.Array(Schema.String), plain: Schema.String },
          {
            check: ({ good }, environment) =>
              environment === "test" ? [{ key: "good", reason: `got ${good}` }] : []
          }
        )
        for (const environment of ["local", "test"]) {
          for (const plain of [url, 5]) {
            const exit = yield* Effect.exit(
              Config.load({
                environment,
                sections: [Public],
                values: { public: { good: url, list: [url], plain } }
              })
            )
            assert.notInclude(everything(exit), secret)
          }
        }
      })
    )
  }

  it.effect("an address of mail does not hide its name in other texts", () =>
    Effect.gen(function* () {
      const Contact = Config.section("contact", { mail: Schema.String, town: Schema.Int })
      const error = yield* Effect.flip(
        Config.load({
          sections: [Contact],
          values: { contact: { mail: "mailto:ada@example.com", town: "Canada: x@y" } }
        })
      )
      assert.include(error.message, "Canada: x@y")
    })
  )

  it.effect("the whole section given as a string is not printed", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(Config.load({ sections: [Vault], values: { vault: secret } }))
      assert.isTrue(Exit.isFailure(exit))
      assert.notInclude(everything(exit), secret)
    })
  )

  it.effect("the problem of a secret field still describes what the field takes", () =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(
        Config.load({ sections: [Vault], values: { vault: { url: 5 } } })
      )
      assert.strictEqual(
        problems[0]?.message,
        "<redacted> from code is refused for vault.url: write a string (secret)."
      )
    })
  )
})
