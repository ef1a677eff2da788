import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as EffectConfig from "effect/Config"
import * as Effect from "effect/Effect"
import * as Config from "../../../src/Config/index.ts"
import { DatabaseConfig, directoryWith, row, ServerConfig } from "../fixtures.ts"

const files = {
  ".env":
    "# the defaults of developers\nexport PORT='1'\nHOST=\"env host\"\nSMTP_KEY=a\nFLANGE__SERVER__LIMIT=1kB\n",
  ".env.local": "PORT=2\n",
  ".env.production": "PORT=3\n",
  ".env.test": "PORT=4\n"
}

const load = Effect.fnUntraced(function* (options: object, own: Record<string, string> = files) {
  const directory = yield* directoryWith(own)
  return yield* Config.load({
    directory,
    envFiles: true,
    sections: [ServerConfig],
    values: { server: { port: 9 } },
    ...options
  })
})

layer(NodeServices.layer)("Files of variables", (it) => {
  it.effect(".env.<environment> overrides .env, and both override the configuration file", () =>
    Effect.gen(function* () {
      const local = yield* load({})
      assert.strictEqual(row(local, "server.port"), "2 from variable PORT in .env.local")
      assert.strictEqual(row(local, "server.host"), '"env host" from variable HOST in .env')
      assert.strictEqual(
        row(local, "server.limit"),
        '"1kB" from variable FLANGE__SERVER__LIMIT in .env'
      )
      const test = yield* load({ environment: "test" })
      assert.strictEqual(row(test, "server.port"), "4 from variable PORT in .env.test")
    })
  )

  it.effect("a variable of the process overrides the files, unless it is short and empty", () =>
    Effect.gen(function* () {
      const some = yield* load({ variables: { PORT: "5" } })
      assert.strictEqual(row(some, "server.port"), "5 from variable PORT")
      const empty = yield* load({ variables: { PORT: "" } })
      assert.strictEqual(row(empty, "server.port"), "2 from variable PORT in .env.local")
    })
  )

  it.effect("no file is read in another environment, and none without envFiles", () =>
    Effect.gen(function* () {
      for (const options of [
        { environment: "production" },
        { environment: "development" },
        { environment: "staging" },
        { envFiles: false },
        { envFiles: undefined, environment: "test" }
      ]) {
        assert.strictEqual(row(yield* load(options), "server.port"), "9 from code")
      }
    })
  )

  it.effect("effect/Config reads them, and process.env is not written", () =>
    Effect.gen(function* () {
      const before = { ...process.env }
      const { context } = yield* load({ variables: process.env })
      const key = yield* Effect.provideContext(EffectConfig.String("SMTP_KEY"), context)
      assert.strictEqual(key, "a")
      assert.deepStrictEqual({ ...process.env }, before)
    })
  )

  it.effect("FLANGE_ENV in a file cannot choose another environment", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(load({}, { ".env": "FLANGE_ENV=production\n" }))
      assert.match(error.message, /FLANGE_ENV in \.env does not choose the environment/)
      yield* load({}, { ".env": "FLANGE_ENV=local\n" })
    })
  )

  it.effect("a problem with a variable of a file names the file and no secret", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        load(
          { sections: [DatabaseConfig], values: {} },
          { ".env": 'DATABASE_URL=hunter2\nFLANGE__DATABASE__POOL="{hunter2"\n' }
        )
      )
      assert.match(error.message, /variable FLANGE__DATABASE__POOL in \.env/)
      assert.notInclude(error.message, "DATABASE_URL")
    })
  )
})
