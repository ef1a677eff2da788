import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Config from "../../../src/Config/index.ts"
import { directoryWith, row } from "../fixtures.ts"

const Mail = Config.section(
  "mail",
  {
    host: Schema.String.pipe(Config.withDefault("localhost")),
    logFile: Schema.optionalKey(Schema.String),
    login: Schema.optionalKey(Schema.Struct({ password: Config.Secret, user: Schema.String })),
    password: Schema.optionalKey(Config.Secret),
    tokens: Schema.optionalKey(Schema.Array(Config.Secret))
  },
  { variables: { MAIL_HOST: "host", MAIL_PASSWORD: "password" } }
)

const files = {
  empty: "\n",
  secret: "p@ss: word#\n",
  tokens: '["a","b"]\n',
  two: "first\nsecond\r\n"
}

const given = Effect.fnUntraced(function* (options: object) {
  const directory = yield* directoryWith(files)
  return yield* Config.load({ directory, sections: [Mail], values: {}, ...options })
})

const password = (resolved: Config.Resolved<Config.Section<"mail", typeof Mail.Service>>) =>
  Redacted.value(Context.get(resolved.context, Mail).password ?? Redacted.make("none"))

layer(NodeServices.layer)("Files of secrets", (it) => {
  const places = [
    ["variable MAIL_PASSWORD_FILE", { variables: { MAIL_PASSWORD_FILE: "secret" } }],
    [
      "variable FLANGE__MAIL__PASSWORD_FILE",
      { variables: { FLANGE__MAIL__PASSWORD_FILE: "secret", MAIL_PASSWORD: "x" } }
    ],
    ["code", { values: { mail: { passwordFile: "secret" } } }],
    [
      "overrides",
      { overrides: { mail: { passwordFile: "secret" } }, values: { mail: { password: "x" } } }
    ]
  ] as const
  for (const [source, options] of places) {
    it.effect(`the file that ${source} names has the secret`, () =>
      Effect.gen(function* () {
        const resolved = yield* given(options)
        assert.strictEqual(password(resolved), "p@ss: word#")
        assert.strictEqual(
          row(resolved, "mail.password"),
          `<redacted> from file named by ${source}`
        )
        assert.deepStrictEqual(resolved.warnings, [])
      })
    )
  }

  it.effect(
    "a file replaces a secret of a lower source, and a higher source replaces the file",
    () =>
      Effect.gen(function* () {
        const values = { mail: { password: "low" } }
        const variables = { MAIL_PASSWORD_FILE: "secret" }
        assert.strictEqual(password(yield* given({ values, variables })), "p@ss: word#")
        const overrides = { mail: { password: "high" } }
        assert.strictEqual(password(yield* given({ overrides, values, variables })), "high")
      })
  )

  it.effect("one line break at the end is left out, and a list is read as in a variable", () =>
    Effect.gen(function* () {
      const resolved = yield* given({
        variables: {
          FLANGE__MAIL__LOGIN__PASSWORD_FILE: "two",
          FLANGE__MAIL__LOGIN__USER: "ada",
          FLANGE__MAIL__TOKENS_FILE: "tokens"
        }
      })
      const mail = Context.get(resolved.context, Mail)
      assert.strictEqual(Redacted.value(mail.login!.password), "first\nsecond")
      assert.deepStrictEqual(mail.tokens?.map(Redacted.value), ["a", "b"])
    })
  )

  it.effect("only secrets are read from files, and a declared key is never taken for one", () =>
    Effect.gen(function* () {
      const resolved = yield* given({
        variables: { FLANGE__MAIL__LOG_FILE: "secret", MAIL_HOST_FILE: "secret" }
      })
      const { host, logFile } = Context.get(resolved.context, Mail)
      assert.deepStrictEqual({ host, logFile }, { host: "localhost", logFile: "secret" })
      const { warnings } = yield* given({ values: { mail: { hostFile: "secret" } } })
      assert.match(warnings[0] ?? "", /^mail\.hostFile .* is read by no section/)
    })
  )

  const refusals = [
    ["hunter2", /cannot be read \(NotFound\): write the path of a file/],
    ["empty", /is empty/],
    [".", /cannot be read/]
  ] as const
  for (const [name, message] of refusals) {
    it.effect(`the file ${name} is refused without its name, which may be the secret`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(given({ variables: { MAIL_PASSWORD_FILE: name } }))
        assert.match(error.message, message)
        assert.include(error.message, "has 1 problem\n")
        assert.include(error.message, "variable MAIL_PASSWORD_FILE")
        assert.notInclude(error.message, "hunter2")
      })
    )
  }

  it.effect("a secret and its file in one place are refused", () =>
    Effect.gen(function* () {
      for (const options of [
        { variables: { MAIL_PASSWORD: "x", MAIL_PASSWORD_FILE: "secret" } },
        { variables: { FLANGE__MAIL__PASSWORD: "x", FLANGE__MAIL__PASSWORD_FILE: "secret" } },
        { values: { mail: { password: "x", passwordFile: "secret" } } }
      ]) {
        const error = yield* Effect.flip(given(options))
        assert.match(error.message, /both set|are set/)
        assert.include(error.message, "has 1 problem\n")
      }
    })
  )
})
