// An app that runs reads `.env` files; a test reads none.
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, Config, Plugin, Route } from "flange"
import { TestApp } from "flange/Testing"
import { afterAll, beforeAll, expect, it } from "vitest"

const Mail = Config.section(
  "mail",
  { host: Schema.String.pipe(Config.withDefault("localhost")) },
  { variables: { MAIL_HOST: "host" } }
)

class MailApi extends HttpApiGroup.make("mail").add(
  HttpApiEndpoint.get("host", "/host", { success: Schema.String })
) {}

const MailPlugin = Plugin.make("app:mail", {
  config: [Mail],
  routes: [
    Route.public(MailApi, (handlers) =>
      Effect.map(Mail, ({ host }) => handlers.handleAll({ host: () => Effect.succeed(host) }))
    )
  ]
})

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "flange-env-"))
  await writeFile(join(directory, ".env"), "MAIL_HOST=env.example\n")
})
afterAll(() => rm(directory, { force: true, recursive: true }))

it("an app reads the .env of its directory", async () => {
  const web = App.toWebHandler(App.make("mail", [MailPlugin], { config: { directory } }))
  const response = await web.handler(new Request("http://app/host"))
  expect(await response.json()).toBe("env.example")
  await web.dispose()
})

it("an app of the environment production does not read it", async () => {
  const config = { directory, environment: "production" }
  const web = App.toWebHandler(App.make("mail", [MailPlugin], { config }))
  const response = await web.handler(new Request("http://app/host"))
  expect(await response.json()).toBe("localhost")
  await web.dispose()
})

it("a TestApp reads no .env, also not that of its directory or of the app", () =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const app = App.make("mail", [MailPlugin], { config: { directory, envFiles: true } })
        for (const options of [{}, { directory }, { directory, environment: "local" }]) {
          const test = yield* TestApp.make(app, options)
          expect((yield* test.get("/host")).json).toBe("localhost")
        }
      })
    )
  ))
