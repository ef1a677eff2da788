import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Logging from "flange/Logging"
import { describe, expect, it } from "vitest"
import { defaultNames, RedactedFields, Redaction } from "../../../src/Server/Exchange/Redaction.ts"

const secret = "hunter2-hunter2-hunter2"

const logged = (effect: Effect.Effect<void>, names = defaultNames): string => {
  const lines: Array<string> = []
  const json = Logging.json({ environment: "test", service: "shop", version: "1.0.0" })
  const capture = Logger.map(json, (line) => void lines.push(line))
  const services = Context.make(Logger.CurrentLoggers, new Set([capture])).pipe(
    Context.add(RedactedFields, names)
  )
  Effect.runSync(Effect.provideContext(effect, services))
  expect(lines).toHaveLength(1)
  return lines[0]!
}

const dataOf = (value: unknown): any =>
  JSON.parse(logged(Effect.logInfo("x", { value }))).data.value

describe("a field", () => {
  const redaction = new Redaction([...defaultNames, "iban"])

  it.each([
    "API-KEY",
    "api key",
    "api.key",
    "api_key",
    "apiKey",
    "apikey",
    "ACCESS-TOKEN",
    "accesstoken",
    "dbPassword",
    "IBAN",
    "MyJWTToken",
    "PASSWORD",
    "pass\u200bword",
    "ｐａｓｓｗｏｒｄ",
    "Set-Cookie",
    "user.password",
    "X-Api-Key",
    `${"x".repeat(1000)}_token`
  ])("with the name %s is hidden", (name) => {
    expect(redaction.isHidden(name)).toBe(true)
    // A second time, from what is remembered.
    expect(redaction.isHidden(name)).toBe(true)
  })

  it.each([
    "",
    "broken",
    "hasTokens",
    "keyboard",
    "passwordLength",
    "secretary",
    "tokenCount",
    "---"
  ])("with the name %j is shown", (name) => {
    expect(redaction.isHidden(name)).toBe(false)
  })

  it("is hidden wherever it is", () => {
    const names = { "API-KEY": secret, nested: [{ deep: { authToken: secret } }] }
    const error = Object.assign(new Error("failed"), { password: secret })
    const cause = new Error("outer", { cause: Object.assign(new Error("in"), { api_key: secret }) })
    const lines = [
      logged(Effect.annotateLogs(Effect.logInfo("x"), { clientSecret: secret, inner: names })),
      logged(Effect.logInfo("x", names)),
      logged(Effect.logError("x", error)),
      logged(Effect.logError("x", Cause.fail(cause))),
      logged(Effect.logInfo(new Map([["token", secret]]))),
      logged(
        Effect.logInfo(
          new Map<unknown, unknown>([
            ["token", secret],
            [1, secret.length]
          ])
        )
      ),
      logged(Effect.logInfo(Object.entries({ token: secret }))),
      logged(Effect.logInfo(new Headers({ "x-api-key": secret }))),
      logged(Effect.logInfo(new URLSearchParams({ refresh_token: secret }))),
      logged(Effect.logInfo({ toJSON: () => ({ pwd: secret }) })),
      logged(Effect.logInfo({ rawHeaders: ["host", "shop.test", "Authorization", secret] })),
      logged(Effect.logInfo({ [`https://shop.test/?token=${secret}`]: 1 }))
    ]
    for (const line of lines) {
      expect(line).toContain("<redacted>")
      expect(line).not.toContain(secret)
    }
  })

  it("is hidden without its value being read", () => {
    let reads = 0
    const value = Object.defineProperty({}, "password", {
      enumerable: true,
      get: () => {
        reads++
        throw new Error(secret)
      }
    })
    expect(dataOf(value)).toEqual({ password: "<redacted>" })
    expect(reads).toBe(0)
  })

  it("is hidden in a proxy, in a cycle and in a huge object", () => {
    const target: Record<string, unknown> = { password: secret, user: "ada" }
    expect(dataOf(new Proxy(target, {}))).toEqual({ password: "<redacted>", user: "ada" })
    const circle: Record<string, unknown> = { token: secret }
    circle["self"] = circle
    expect(dataOf(circle)).toEqual({ self: "<circular>", token: "<redacted>" })
    const huge = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, i) => [`token${i}`, secret])
    )
    const named = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, i) => [`x${i}.token`, secret])
    )
    expect(Object.keys(dataOf(huge))).toHaveLength(101)
    expect(JSON.stringify(dataOf(named))).not.toContain(secret)
  })

  it("is hidden by the names that an app adds", () => {
    const line = logged(Effect.logInfo({ iban: secret, "I-BAN": secret }), ["iban"])
    expect(line).not.toContain(secret)
  })
})

describe("a text", () => {
  it.each([
    [
      `https://shop.test/a?api_key=${secret}&page=2`,
      "https://shop.test/a?api_key=<redacted>&page=2"
    ],
    [`failed for password=${secret}, user=ada`, "failed for password=<redacted>, user=ada"],
    [`token="${secret} x" y`, "token=<redacted> y"],
    [`a=1; sessionId=${secret}; b=2`, "a=1; sessionId=<redacted>; b=2"],
    [
      JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ password: `"\\${secret}\\` }) }) }),
      JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ password: "<redacted>" }) }) })
    ],
    [
      JSON.stringify({ a: JSON.stringify({ secrets: ["]", secret], x: 1 }) }),
      JSON.stringify({ a: JSON.stringify({ secrets: "<redacted>", x: 1 }) })
    ],
    [
      JSON.stringify({
        credentials: { deep: [{ user: '}"', word: secret }] },
        page: 2,
        token: null
      }),
      '{"credentials":"<redacted>","page":2,"token":null}'
    ],
    [`{"body":"{\\"password\\":\\"${secret}"}`, '{"body":"{\\"password\\":\\"<redacted>\\""}'],
    [`{"secrets":["${secret}`, '{"secrets":"<redacted>"'],
    [`user[name]=ada&user[password]=${secret}`, "user[name]=ada&user[password]=<redacted>"],
    [`token=\\"${secret} x\\" y`, "token=<redacted> y"],
    [`https://a@b:p@${secret}@host/x`, "https://a@b:<redacted>@host/x"],
    [`{"user":"ada","password" : "${secret}\\" x"}`, '{"user":"ada","password" : "<redacted>"}'],
    [`{"otp":123456,"n":1}`, '{"otp":"<redacted>","n":1}'],
    [`postgres://ada:${secret}@db:5432/shop`, "postgres://ada:<redacted>@db:5432/shop"],
    [`Authorization: Bearer ${secret}`, "Authorization: Bearer <redacted>"],
    [`{"password":"${secret}`, '{"password":"<redacted>"'],
    ["Bearer authentication failed", "Bearer authentication failed"],
    ["where id = $1 and tokenCount=3", "where id = $1 and tokenCount=3"],
    ["file:///app/main.ts:3:4", "file:///app/main.ts:3:4"]
  ])("%s is written without its secrets", (text, shown) => {
    const line = JSON.parse(logged(Effect.logError(text, { text }, Cause.fail(new Error(text)))))
    expect(line.message).toBe(shown)
    expect(line.data.text).toBe(shown)
    expect(line.error.message).toBe(shown)
    if (text.includes(secret)) expect(line.error.stack).not.toContain(secret)
  })

  it("that is cut inside a secret does not show the rest of it", () => {
    const text = `${"x".repeat(16_380 - 12)} {"password":"${secret}${"y".repeat(100)}"}`
    expect(JSON.stringify(dataOf(text))).not.toContain("hunter2")
  })
})
