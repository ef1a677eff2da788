import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Config from "../../../src/Config/index.ts"
import { inspect } from "../../../src/Config/Load.ts"
import { row } from "../fixtures.ts"

const Mail = Config.section(
  "mail",
  {
    host: Schema.optionalKey(Schema.String),
    login: Schema.optionalKey(Schema.Struct({ password: Config.Secret, user: Schema.String })),
    password: Schema.optionalKey(Config.Secret),
    pin: Schema.optionalKey(Schema.RedactedFromValue(Schema.Int)),
    tokens: Schema.optionalKey(Schema.Array(Config.Secret)),
    url: Schema.optionalKey(
      Schema.RedactedFromValue(Schema.String.check(Schema.isPattern(/^smtp:/)))
    )
  },
  {
    check: ({ password }) =>
      password !== undefined && Redacted.value(password).includes("secret:")
        ? [{ key: "password", reason: "it is the name of a secret" }]
        : [],
    variables: { MAIL_PASSWORD: "password" }
  }
)

const secrets: Readonly<Record<string, string>> = {
  "mail-password": "p@ss: word#",
  pin: "1234",
  token: "t-1",
  url: "smtp://ada@mail"
}

const reads: Array<string> = []

const secret: Config.ReadSecret = (name) => {
  reads.push(name)
  const text = secrets[name]
  return text === undefined
    ? Effect.fail({ message: `The secret "${name}" does not exist in the test: write it.` })
    : Effect.succeed(Redacted.make(text))
}

const load = (mail: object, options: object = {}) =>
  Config.load({ secret, sections: [Mail], values: { mail }, ...options })

layer(NodeServices.layer)("Values that name secrets", (it) => {
  it.effect(
    "a secret key, one in a struct, a list and a number get the value of their secret",
    () =>
      Effect.gen(function* () {
        const resolved = yield* load({
          login: { password: "secret:mail-password", user: "ada" },
          password: "secret:mail-password",
          pin: "secret:pin",
          tokens: ["secret:token", "own"],
          url: "secret:url"
        })
        const mail = Context.get(resolved.context, Mail)
        assert.strictEqual(Redacted.value(mail.password!), "p@ss: word#")
        assert.strictEqual(Redacted.value(mail.login!.password), "p@ss: word#")
        assert.strictEqual(Redacted.value(mail.pin!), 1234)
        assert.deepStrictEqual(mail.tokens!.map(Redacted.value), ["t-1", "own"])
        assert.strictEqual(Redacted.value(mail.url!), "smtp://ada@mail")
        assert.deepStrictEqual(resolved.warnings, [])
        assert.strictEqual(
          row(resolved, "mail.password"),
          "<redacted> from secret mail-password named by code"
        )
        assert.deepStrictEqual(
          [...resolved.secretNames],
          [
            ["mail.login.password", "mail-password"],
            ["mail.password", "mail-password"],
            ["mail.pin", "pin"],
            ["mail.tokens.0", "token"],
            ["mail.url", "url"]
          ]
        )
      })
  )

  it.effect("a variable names a secret, and the highest source decides", () =>
    Effect.gen(function* () {
      const named = { variables: { MAIL_PASSWORD: "secret:mail-password" } }
      const resolved = yield* load({ password: "x" }, named)
      assert.strictEqual(
        Redacted.value(Context.get(resolved.context, Mail).password!),
        "p@ss: word#"
      )
      const own = yield* load({ password: "secret:no-such" }, { variables: { MAIL_PASSWORD: "x" } })
      assert.strictEqual(Redacted.value(Context.get(own.context, Mail).password!), "x")
    })
  )

  it.effect("a key that is no secret keeps its text", () =>
    Effect.gen(function* () {
      const resolved = yield* load({ host: "secret:token" })
      assert.strictEqual(Context.get(resolved.context, Mail).host, "secret:token")
    })
  )

  it.effect("a secret is read once, however many keys name it", () =>
    Effect.gen(function* () {
      reads.length = 0
      yield* load({ password: "secret:token", tokens: ["secret:token", "secret:token"] })
      assert.deepStrictEqual(reads, ["token"])
    })
  )

  it.effect(
    "secrets that do not exist are problems with key, provider and remedy, all at once",
    () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          load({ password: "secret:no-such", pin: "secret:gone", url: "secret:none" })
        )
        assert.deepStrictEqual(
          error.problems.map(({ key, message, source }) => [key, source, message]),
          [
            ["mail.password", "no-such"],
            ["mail.pin", "gone"],
            ["mail.url", "none"]
          ].map(([key, name]) => [
            key,
            "code",
            `${key} names a secret. The secret "${name}" does not exist in the test: write it.`
          ])
        )
      })
  )

  it.effect("a secret that the schema refuses is a problem without its value", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(load({ pin: "secret:token", url: "secret:mail-password" }))
      assert.deepStrictEqual(
        error.problems.map(({ key }) => key),
        ["mail.pin", "mail.url"]
      )
      assert.notInclude(JSON.stringify(error.problems) + error.message, "word#")
      assert.notInclude(JSON.stringify(error.problems) + error.message, "t-1")
      assert.include(error.message, "secret mail-password named by code")
    })
  )

  it.effect("without something that reads secrets the value is refused", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(load({ password: "secret:token" }, { secret: undefined }))
      assert.include(error.message, "list Secrets.plugin of flange/Secrets")
    })
  )

  it.effect("the check of a section does not see the name of a secret in place of its value", () =>
    Effect.gen(function* () {
      const values = { mail: { password: "secret:no-such" } }
      const found = yield* inspect({ secret: "keep", sections: [Mail], values })
      assert.deepStrictEqual(found.problems, [])
    })
  )

  it.effect("an inspection reads no secret and reports no problem of one", () =>
    Effect.gen(function* () {
      reads.length = 0
      const found = yield* inspect({
        secret: "keep",
        sections: [Mail],
        values: {
          mail: {
            password: "secret:no-such",
            pin: "secret:pin",
            tokens: ["secret:a"],
            url: "secret:b"
          }
        }
      })
      assert.deepStrictEqual(found.problems, [])
      assert.deepStrictEqual(reads, [])
      assert.deepStrictEqual(
        found.entries.map(({ key, value }) => [key, value]),
        [
          ["mail.password", "<redacted>"],
          ["mail.pin", "<redacted>"],
          ["mail.tokens", "<redacted>"],
          ["mail.url", "<redacted>"]
        ]
      )
    })
  )
})
