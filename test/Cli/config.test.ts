// `flange config`: the values with their sources, `.env.example` and the JSON Schema of the file.
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Ajv2020 } from "ajv/dist/2020.js"
import * as Toml from "effect/encoding/Toml"
import * as Result from "effect/Result"
import { assert, beforeAll, describe, it } from "vitest"
import { emptyFolder, flange, project, run, write } from "./project.ts"

const root = join(import.meta.dirname, "../..")

const app = `
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { App, Config, Plugin } from "flange"

const MailConfig = Config.section(
  "mail",
  {
    from: Schema.String.annotate({ description: "The address of the sender" }),
    greeting: Schema.String.pipe(Config.public, Config.withDefault("Dear 'friend' of \\"#1\\"")),
    password: Config.Secret,
    peers: Schema.Array(Schema.Struct({ host: Schema.String, port: Config.Port })).pipe(
      Config.withDefault([{ host: "a b", port: 1 }])
    ),
    tags: Schema.Record(Schema.String, Schema.String).pipe(Config.withDefault({ a: "#1" })),
    retry: Schema.Struct({
      every: Config.Duration.pipe(Config.withDefault("90 seconds")),
      times: Schema.Int
    }).pipe(Config.withDefault({ every: "90 seconds", times: 3 }))
  },
  { variables: { MAIL_FROM: "from", MAIL_PASSWORD: "password", MAIL_SENDER: "from" } }
)
const Mail = Plugin.make("shop:mail", {
  config: [MailConfig],
  defaults: (environment) => ({ mail: { from: environment + "@shop.example" } }),
  layer: Layer.effectDiscard(Effect.die("nothing is acquired"))
})

export const app = App.make("shop", [Mail])
`

let folder: string
beforeAll(async () => {
  folder = await project({ "app.ts": app }, ["effect", "flange"])
})

/** The lines of a table without those of Flange's own sections, with single spaces. */
const ownRows = (table: string): ReadonlyArray<string> =>
  table
    .split("\n")
    .filter((line) => line.startsWith("mail."))
    .map((line) => line.replaceAll(/ {2,}/g, " | "))

const cli = ["--conditions=flange-source", join(root, "src/Cli/main.ts"), "config"]

describe("flange config", () => {
  it("lists every key with its value and its source; a secret is masked", async () => {
    await write(folder, {
      ".env": "MAIL_PASSWORD=hunter2hunter\n",
      "flange.toml": `[mail.tags]\nb = "two"\n[environments.local.mail.retry]\ntimes = 5\nevery = "2s"\n`
    })
    const { code, stderr, stdout } = await run([...cli], {
      cwd: folder,
      env: {
        FLANGE__MAIL__PEERS: "[]",
        MAIL_FROM: "me@shop.example",
        MAIL_SENDER: "me@shop.example"
      }
    })
    assert.deepStrictEqual(ownRows(stdout), [
      'mail.from | "me@shop.example" | variable MAIL_SENDER | -',
      `mail.greeting | "Dear 'friend' of \\"#1\\"" | schema default | yes`,
      "mail.password | <redacted> | variable MAIL_PASSWORD in .env | -",
      "mail.peers | [] | variable FLANGE__MAIL__PEERS | -",
      'mail.retry.every | "2s" | flange.toml [environments.local] | -',
      "mail.retry.times | 5 | flange.toml [environments.local] | -",
      'mail.tags.b | "two" | flange.toml | -'
    ])
    assert.match(stdout, /^KEY +VALUE +SOURCE +PUBLIC\napp\.buildDate +- +not set +-\n/)
    assert.match(stdout, /\nserver\.port +8080 +schema default +-\n/)
    assert.match(stdout, /\n\nNothing serves the public keys: add PublicConfig\.plugin .*\n$/)
    assert.deepStrictEqual([code, stderr], [0, "Environment: local\n"])
  })

  it("prints JSON with what each key takes and what it replaced", async () => {
    const { stdout } = await run([...cli, "--json"], {
      cwd: folder,
      env: { FLANGE_ENV: "test", MAIL_FROM: "me@shop.example", MAIL_PASSWORD: "hunter2hunter" }
    })
    const report = JSON.parse(stdout)
    assert.strictEqual(report.environment, "test")
    assert.deepStrictEqual(
      report.keys.find(({ key }: { key: string }) => key === "mail.from"),
      {
        description: "The address of the sender",
        expected: "a string",
        key: "mail.from",
        overridden: [{ source: "defaults of plugin shop:mail", value: '"test@shop.example"' }],
        public: false,
        required: true,
        secret: false,
        source: "variable MAIL_FROM",
        value: '"me@shop.example"',
        variables: ["MAIL_FROM", "MAIL_SENDER", "FLANGE__MAIL__FROM"]
      }
    )
    assert.notInclude(stdout, "hunter2hunter")
  })

  it("lists what could be read beside all problems, and fails", async () => {
    const bad = await project(
      {
        "app.ts": app,
        "flange.toml": `[mail]\nfrm = "x"\nretry = 7\npassword = ["hunter2hunter"]\n[server]\nport = "many"\n`
      },
      ["effect", "flange"]
    )
    const [{ code, stderr, stdout }, json] = await Promise.all([
      flange(bad, "config"),
      flange(bad, "config", "--json")
    ])
    assert.strictEqual(code, 1)
    assert.include(stdout, "mail.from")
    assert.match(stdout, /\nserver\.port +"many" +flange\.toml +-\n/)
    assert.match(stdout, /\nserver\.maxFields +1000 +schema default +-\n/)
    assert.include(stderr, "The configuration has 3 problems")
    assert.include(
      stderr,
      "warning: mail.frm (flange.toml) is read by no section: did you mean mail.from?"
    )
    assert.notInclude(stdout + stderr, "hunter2hunter")
    assert.deepStrictEqual(
      JSON.parse(json.stdout).problems.map(({ key }: { key: string }) => key),
      ["mail.password", "mail.retry", "server.port"]
    )
    assert.strictEqual(json.code, 1)
    await writeFile(join(bad, "flange.toml"), "[mail\n")
    const unreadable = await flange(bad, "config")
    assert.include(unreadable.stderr, "flange.toml is not valid TOML at line 1")
    assert.match(unreadable.stdout, /\nserver\.port +8080 +schema default +-\n/)
    assert.strictEqual(unreadable.code, 1)
  })

  it("names the endpoint that serves the public keys", async () => {
    await write(folder, {
      "served.ts": `
        import { App } from "flange"
        import * as PublicConfig from "flange/PublicConfig"
        import { app as shop } from "./app.ts"
        export const app = App.make("served", [...shop.plugins, PublicConfig.plugin])`
    })
    const args = [...cli, "--app", "served.ts"]
    const env = { MAIL_PASSWORD: "x" }
    const [{ stdout }, asJson] = await Promise.all([
      run(args, { cwd: folder, env }),
      run([...args, "--json"], { cwd: folder, env })
    ])
    assert.match(stdout, /\n\nGET \/config\.json serves the public keys\.\n$/)
    const json = JSON.parse(asJson.stdout)
    assert.strictEqual(json.publicEndpoint, "GET /config.json")
    assert.deepStrictEqual(
      json.keys.flatMap((row: { key: string; public: boolean }) => (row.public ? [row.key] : [])),
      ["mail.greeting"]
    )
  })

  it("refuses two outputs, and a folder without an app", async () => {
    const two = await flange(folder, "config", "--json", "--json-schema")
    assert.include(two.stderr, "write one of them")
    const none = await flange(await emptyFolder(), "config")
    assert.include(none.stderr, "No app was found")
    assert.deepStrictEqual([two.code, two.stdout, none.code, none.stdout], [2, "", 2, ""])
  })
})

describe("flange config --env-example", () => {
  let example: string
  beforeAll(async () => {
    const { code, stderr, stdout } = await flange(folder, "config", "--env-example")
    assert.strictEqual(code, 0, stderr)
    example = stdout
  })

  it("has each variable with its type and default; secrets are empty", () => {
    for (const lines of [
      "# The address of the sender\n# mail.from: a string, required\n# MAIL_FROM=\n",
      "# mail.password: a string (secret), required\n# MAIL_PASSWORD=\n",
      '# mail.retry.every: a duration such as "5 seconds", "75s" or a number of milliseconds\n# FLANGE__MAIL__RETRY__EVERY=90000\n',
      "# server.port: a port, an integer from 0 to 65535\n# PORT=8080\n"
    ]) {
      assert.include(example, lines)
    }
    assert.notInclude(example, "hunter2hunter")
  })

  it("is a file of variables whose defaults are read as the defaults", async () => {
    const keysOf = async (variables: string) => {
      const copy = await project({ ".env": variables, "app.ts": app }, ["effect", "flange"])
      const { keys } = JSON.parse((await flange(copy, "config", "--json")).stdout)
      return keys as ReadonlyArray<{ key: string; source: string; value: string }>
    }
    const [before, read] = await Promise.all([
      keysOf(""),
      keysOf(example.replaceAll(/^# ([A-Z_]+=.+)$/gm, "$1"))
    ])
    assert.isAbove(read.filter(({ source }) => source?.endsWith("in .env")).length, 30)
    // A duration is shown as its source has it, in milliseconds here, and a record by its keys.
    const durations = /(?:Delay|Timeout|every|keepAlive|tags)$/
    assert.strictEqual(read.find(({ key }) => key === "mail.tags.a")!.value, '"#1"')
    for (const { key, value } of before.filter(({ key }) => !durations.test(key))) {
      assert.strictEqual(read.find((one) => one.key === key)!.value, value, key)
    }
  })

  it("has comments only, also with a default or a description of several lines", async () => {
    const copy = await project(
      { "app.ts": app.replace("Dear 'friend'", "Dear\\nfriend").replace("The address", "A\\nB") },
      ["effect", "flange"]
    )
    const { stdout } = await flange(copy, "config", "--env-example")
    assert.match(stdout, /^# FLANGE__MAIL__GREETING=$/m)
    assert.deepStrictEqual(
      stdout.split("\n").filter((line) => !/^(?:#|$)/.test(line)),
      []
    )
  })
})

describe("flange config --json-schema", () => {
  const validatorIn = async (cwd: string, ...args: ReadonlyArray<string>) => {
    const { code, stderr, stdout } = await flange(cwd, "config", "--json-schema", ...args)
    assert.strictEqual(code, 0, stderr)
    const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true, strict: true }).compile(
      JSON.parse(stdout)
    )
    return (file: unknown) =>
      validate(file) ? [] : validate.errors!.map(({ instancePath }) => instancePath).sort()
  }

  let errorsOf: (file: unknown) => ReadonlyArray<string>
  beforeAll(async () => {
    errorsOf = await validatorIn(folder)
  })

  it("accepts the file of the example", async () => {
    const ofExample = await validatorIn(root, "--app", "examples/recipe-api/app.ts")
    const file = Toml.parse(await readFile(join(root, "examples/recipe-api/flange.toml"), "utf8"))
    const values = Result.getOrThrow(file)
    assert.deepStrictEqual(ofExample(values), [])
    assert.deepStrictEqual(ofExample({ ...(values as object), server: { prot: 1 } }), ["/server"])
  })

  it("accepts files that the app accepts", () => {
    for (const file of [
      {},
      { $schema: "./flange.schema.json", env: "production" },
      { mail: { passwordFile: "/run/secrets/mail", retry: { times: 1 }, tags: { any: "x" } } },
      { mail: null, server: { bodyLimit: "8 MiB", keepAlive: 5, port: 0 } },
      { environments: { production: { mail: { from: "a" } }, staging: null } },
      { mail: { peers: [{ host: "a", port: 1 }] } }
    ]) {
      assert.deepStrictEqual(errorsOf(file), [], JSON.stringify(file))
    }
  })

  it("refuses files with unknown keys and wrong values, where they are", () => {
    assert.deepStrictEqual(
      [
        { mial: {} },
        { mail: { frm: "x" } },
        { server: { port: "many" } },
        { server: { port: 70_000 } },
        { mail: { retry: { times: 1.5 } } },
        { mail: { peers: [{ host: "a" }] } },
        { environments: { production: { server: { listener: "nginx" } } } },
        { environments: { production: { environments: {} } } },
        { mail: { tags: { a: 1 } } }
      ].map((file) => errorsOf(file)),
      [
        [""],
        ["/mail"],
        ["/server/port"],
        ["/server/port"],
        ["/mail/retry/times"],
        ["/mail/peers/0"],
        ["/environments/production/server/listener"],
        ["/environments/production"],
        ["/mail/tags/a"]
      ]
    )
  })
})
