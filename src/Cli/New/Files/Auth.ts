/** Authentication of a new project: its configuration, its plugin, its test, and a token to try it. */
import type { Files, Project } from "../Project.ts"

const config = (fields: string, variables: string, before = "") =>
  `/** The configuration of authentication. Secrets have no default here: see flange.toml. */
import * as Schema from "effect/Schema"
import { Config } from "flange"
${before}
export const AuthConfig = Config.section(
  "auth",
  {
${fields}
  },
  { variables: { ${variables} } }
)
`

const jwt = (name: string): Files => ({
  "src/auth/AuthConfig.ts": config(
    `    /** The claim \`aud\` of the tokens. */
    audience: Schema.String.pipe(Config.withDefault(service)),
    /** The claim \`iss\` of the tokens. */
    issuer: Schema.String.pipe(Config.withDefault(service)),
    /** The secret with which the issuer signs tokens (HS256): 32 bytes or more. */
    jwtSecret: Config.Secret`,
    `JWT_AUDIENCE: "audience", JWT_ISSUER: "issuer", JWT_SECRET: "jwtSecret"`,
    `
const service = "${name}"
`
  ),
  "src/auth/AuthPlugin.ts": `/** Authentication: callers send a token in \`Authorization: Bearer\`. */
import * as Effect from "effect/Effect"
import * as Auth from "flange/Auth"
import { AuthConfig } from "./AuthConfig.ts"

const tokens = Auth.jwt(
  Effect.map(AuthConfig, ({ audience, issuer, jwtSecret }) => ({
    audience,
    issuer,
    keys: Auth.secret(jwtSecret)
  }))
)

export const AuthPlugin = Auth.plugin({ config: [AuthConfig], default: Auth.chain([tokens]) })
`,
  "test/auth.test.ts": `import { layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import { SignJWT } from "jose"
import { app } from "../src/app.ts"

const jwtSecret = "secret-of-the-tests-with-thirty-two-bytes"

/** The headers of a caller with a token that this secret signs. */
const bearer = (secret: string) =>
  Effect.promise(async () => {
    const token = await new SignJWT()
      .setProtectedHeader({ alg: "HS256" })
      .setAudience("tests")
      .setExpirationTime("5 minutes")
      .setIssuer("tests")
      .setSubject("alice")
      .sign(new TextEncoder().encode(secret))
    return { authorization: \`Bearer \${token}\` }
  })

const config = { auth: { audience: "tests", issuer: "tests", jwtSecret } }

// Tokens expire by the real clock.
const live = { excludeTestServices: true }

layer(TestApp.layer(app, { config }), live)("authentication", (it) => {
  it.effect("refuses callers without a token", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      ;(yield* api.get("/v1/items")).expectProblem("UNAUTHENTICATED", 401)
    })
  )

  it.effect("refuses a token of another issuer", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const headers = yield* bearer("another-secret-of-the-tests-with-32-bytes")
      ;(yield* api.get("/v1/items", { headers })).expectProblem("UNAUTHENTICATED", 401)
    })
  )

  it.effect("serves callers with a token", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const headers = yield* bearer(jwtSecret)
      ;(yield* api.get("/v1/items", { headers })).expectStatus(200)
    })
  )
})
`,
  "tools/token.ts": `// Prints a token of the environment \`local\`, valid for an hour:
// npm run -s token -- alice
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Config } from "flange"
import { SignJWT } from "jose"
import { AuthConfig } from "../src/auth/AuthConfig.ts"

const [subject = "alice"] = process.argv.slice(2)

const program = Effect.gen(function* () {
  // Without variables, so that the secret of no other environment signs a token.
  const { context } = yield* Config.load({
    envFiles: true,
    environment: "local",
    sections: [AuthConfig]
  })
  const { audience, issuer, jwtSecret } = yield* Effect.provide(AuthConfig, context)
  const token = yield* Effect.promise(() =>
    new SignJWT()
      .setProtectedHeader({ alg: "HS256" })
      .setAudience(audience)
      .setExpirationTime("1 hour")
      .setIssuedAt()
      .setIssuer(issuer)
      .setSubject(subject)
      .sign(new TextEncoder().encode(Redacted.value(jwtSecret)))
  )
  yield* Console.log(token)
})

NodeRuntime.runMain(Effect.provide(program, NodeServices.layer))
`
})

const apiKey: Files = {
  "src/auth/AuthConfig.ts": config(
    `    /** The key that callers send in \`X-Api-Key\`. */
    apiKey: Config.Secret`,
    `API_KEY: "apiKey"`
  ).replace(`import * as Schema from "effect/Schema"\n`, ""),
  "src/auth/AuthPlugin.ts": `/** Authentication: callers send a key in \`X-Api-Key\`. */
import * as Effect from "effect/Effect"
import * as Auth from "flange/Auth"
import { AuthConfig } from "./AuthConfig.ts"

// One key, of one caller: add an entry for each caller that gets a key.
const keys = Auth.apiKey({
  validate: Effect.map(AuthConfig, ({ apiKey }) =>
    Auth.keys([{ identity: { isServiceAccount: true, subject: "default" }, key: apiKey }])
  )
})

export const AuthPlugin = Auth.plugin({ config: [AuthConfig], default: Auth.chain([keys]) })
`,
  "test/auth.test.ts": `import { layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import { app } from "../src/app.ts"

const apiKey = "key-of-the-tests"

layer(TestApp.layer(app, { config: { auth: { apiKey } } }))("authentication", (it) => {
  it.effect("refuses callers without a key", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      ;(yield* api.get("/v1/items")).expectProblem("UNAUTHENTICATED", 401)
    })
  )

  it.effect("refuses another key", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const headers = { "x-api-key": "another-key" }
      ;(yield* api.get("/v1/items", { headers })).expectProblem("UNAUTHENTICATED", 401)
    })
  )

  it.effect("serves callers with the key", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const headers = { "x-api-key": apiKey }
      ;(yield* api.get("/v1/items", { headers })).expectStatus(200)
    })
  )
})
`
}

export const files = ({ auth, name }: Project): Files =>
  ({ "api-key": apiKey, jwt: jwt(name), none: {} })[auth]
