import { mkdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { App, AppRuntime, Config, HealthCheck, Plugin } from "flange"
import * as Secrets from "flange/Secrets"
import { TestSecrets } from "flange/Secrets/Testing"
import { TestApp } from "flange/Testing"
import * as Inspected from "../../../src/Cli/Config/Inspected.ts"
import * as Document from "../../../src/Cli/OpenApi/Document.ts"
import { awsServer } from "./awsServer.ts"
import { directory } from "./providers.ts"

const MailConfig = Config.section("mail", { password: Config.Secret })

class Password extends Context.Service<Password, string>()("app/Password") {}

const Mail = Plugin.make("app:mail", {
  config: [MailConfig],
  layer: Layer.effect(
    Password,
    Effect.map(MailConfig, (mail) => Redacted.value(mail.password))
  ),
  provides: [Password]
})

const app = App.make("shop", [Mail, Secrets.plugin])

const named = { mail: { password: "secret:mail-password" } }

describe("An app with Secrets.plugin", () => {
  it.effect("has the secrets that its configuration names, from files", () =>
    Effect.gen(function* () {
      const path = yield* directory
      yield* Effect.promise(() => writeFile(join(path, "mail-password"), "hunter2\n"))
      const shop = yield* TestApp.make(app, {
        config: { ...named, secrets: { directory: path } }
      })
      expect(yield* shop.run(Password)).toBe("hunter2")
      const { configuration } = yield* shop.run(AppRuntime)
      const text = JSON.stringify(yield* configuration)
      expect(text).toContain("secret mail-password named by")
      expect(text).not.toContain("hunter2")
    })
  )

  it.effect("asks the provider once for a secret of the configuration and of a handler", () =>
    Effect.gen(function* () {
      const server = yield* awsServer({ "mail-password": "hunter2" })
      const shop = yield* TestApp.make(app, {
        config: {
          ...named,
          secrets: { endpoint: server.url, providers: ["aws"], region: "eu-west-1" }
        }
      })
      expect(Redacted.value(yield* shop.run(Secrets.get("mail-password")))).toBe("hunter2")
      expect(yield* shop.run(Password)).toBe("hunter2")
      expect(server.requests).toEqual(["mail-password"])
    })
  )

  it.effect("does not start if a secret is missing, and says what to write", () =>
    Effect.gen(function* () {
      const path = yield* directory
      const error = yield* Effect.flip(
        TestApp.make(app, { config: { ...named, secrets: { directory: path } } })
      )
      expect(String((error as Error).message)).toContain(
        `mail.password names a secret. The secret "mail-password" does not exist in the files of ${path}, nor in the environment: write it to the file ${path}/mail-password, or set the variable MAIL_PASSWORD.`
      )
    })
  )

  it.effect("reports a refused section `secrets`, which the secrets depend on", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        TestApp.make(app, { config: { ...named, secrets: { ttl: "0 s" } } })
      )
      expect(String((error as Error).message)).toContain("secrets.ttl")
    })
  )

  it.effect("resolves the configuration of a test from TestSecrets", () =>
    Effect.gen(function* () {
      const shop = yield* TestApp.make(app, {
        config: named,
        replace: [[Secrets.plugin, TestSecrets.layer({ "mail-password": "t-1" })]]
      })
      expect(yield* shop.run(Password)).toBe("t-1")
    })
  )

  it.effect("builds the plugin of the secrets once, and with what it requires", () =>
    Effect.gen(function* () {
      let builds = 0
      class Vault extends Context.Service<Vault, { readonly address: string }>()("app/Vault") {}
      const VaultPlugin = Plugin.make("app:vault", {
        layer: Layer.succeed(Vault, { address: "vault" }),
        provides: [Vault]
      })
      const Own = Plugin.make("app:secrets", {
        layer: Layer.effect(
          Secrets.Secrets,
          Effect.map(Vault, ({ address }) => {
            builds++
            return {
              get: (name: string) => Effect.succeed(Redacted.make(`${name} of ${address}`)),
              stats: () => ({ failures: 0, reads: 0, stale: [] })
            }
          })
        ),
        provides: [Secrets.Secrets],
        requires: [Vault]
      })
      const shop = yield* TestApp.make(App.make("shop", [Own, Mail, VaultPlugin]), {
        config: named
      })
      expect(yield* shop.run(Password)).toBe("mail-password of vault")
      yield* shop.run(Secrets.get("x"))
      expect(builds).toBe(1)
    })
  )

  it.effect("has an informational health check, degraded while a secret cannot be read again", () =>
    Effect.gen(function* () {
      const path = yield* directory
      yield* Effect.promise(() => writeFile(join(path, "mail-password"), "hunter2\n"))
      const shop = yield* TestApp.make(app, {
        config: { ...named, secrets: { directory: path } }
      })
      const { contributions } = yield* shop.run(AppRuntime)
      const [check] = contributions(HealthCheck.kind)
      expect(check).toMatchObject({ data: { class: "informational" }, name: "secrets" })
      expect(yield* check!.value).toBeUndefined()
      yield* Effect.promise(async () => {
        await rm(join(path, "mail-password"))
        await mkdir(join(path, "mail-password"))
      })
      yield* TestClock.adjust("1 second")
      expect(Redacted.value(yield* shop.run(Secrets.get("mail-password")))).toBe("hunter2")
      expect(yield* check!.value).toEqual(
        HealthCheck.degraded("These secrets could not be read again: mail-password")
      )
    })
  )

  it.effect("is not built by the commands that describe the app and its configuration", () =>
    Effect.gen(function* () {
      let builds = 0
      const Own = Plugin.make("app:secrets", {
        layer: Layer.sync(Secrets.Secrets, () => {
          builds++
          return {
            get: () => Effect.succeed(Redacted.make("hunter2")),
            stats: () => ({ failures: 0, reads: 0, stale: [] })
          }
        }),
        provides: [Secrets.Secrets]
      })
      const described = App.make("shop", [Mail, Own], { config: { values: named } })
      const inspected = yield* Inspected.of(described)
      expect(inspected.problems).toEqual([])
      expect(inspected.entries.find(({ key }) => key === "mail.password")).toMatchObject({
        source: "code",
        value: "<redacted>"
      })
      yield* Document.of(described)
      App.describe(described)
      expect(builds).toBe(0)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it("without it, an app whose configuration names a secret does not start", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const error = yield* Effect.flip(
            TestApp.make(App.make("shop", [Mail]), { config: named })
          )
          expect(String((error as Error).message)).toContain(
            'No plugin of "shop" provides secrets: list Secrets.plugin of flange/Secrets, or write the value itself.'
          )
        })
      )
    ))
})
