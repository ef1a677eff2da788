import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Config from "../../../src/Config/index.ts"
import { directoryWith, row, ServerConfig } from "../fixtures.ts"

const sections = [ServerConfig] as const

layer(NodeServices.layer)("Config files", (it) => {
  const samples = {
    "flange.json": `{"server":{"port":1,"hosts":["a"]},"environments":{"test":{"server":{"port":2}}}}`,
    "flange.toml": '[server]\nport = 1\nhosts = ["a"]\n[environments.test.server]\nport = 2\n',
    "flange.yaml":
      "server:\n  port: 1\n  hosts: [a]\nenvironments:\n  test:\n    server:\n      port: 2\n",
    "flange.yml":
      "server:\n  port: 1\n  hosts:\n    - a\nenvironments:\n  test: { server: { port: 2 } }\n"
  }
  for (const [name, content] of Object.entries(samples)) {
    it.effect(`${name} is read with its overlay`, () =>
      Effect.gen(function* () {
        const directory = yield* directoryWith({ [name]: content })
        const resolved = yield* Config.load({ directory, environment: "test", sections })
        assert.strictEqual(row(resolved, "server.port"), `2 from ${name} [environments.test]`)
        assert.deepStrictEqual(Context.get(resolved.context, ServerConfig).hosts, ["a"])
        const local = yield* Config.load({ directory, sections })
        assert.strictEqual(row(local, "server.port"), `1 from ${name}`)
      })
    )
  }

  it.effect("a directory without a file is an empty configuration", () =>
    Effect.gen(function* () {
      const directory = yield* directoryWith({})
      const { context } = yield* Config.load({ directory, sections, variables: { PORT: "7" } })
      assert.strictEqual(Context.get(context, ServerConfig).port, 7)
    })
  )

  it.effect("two files are a problem that names both, and no missing key is reported", () =>
    Effect.gen(function* () {
      const directory = yield* directoryWith({ "flange.json": "{}", "flange.toml": "" })
      const { problems } = yield* Effect.flip(Config.load({ directory, sections }))
      assert.deepStrictEqual(
        problems.map((problem) => problem.message),
        ["The directory has flange.json and flange.toml: keep one of them, or name one explicitly."]
      )
      const resolved = yield* Config.load({
        directory,
        file: "flange.toml",
        sections,
        variables: { PORT: "7" }
      })
      assert.strictEqual(resolved.environment, "local")
    })
  )

  it.effect("an explicit file that does not exist is a problem", () =>
    Effect.gen(function* () {
      const directory = yield* directoryWith({})
      const { problems } = yield* Effect.flip(
        Config.load({ directory, file: "other.toml", sections })
      )
      assert.match(problems[0]?.message ?? "", /^other\.toml cannot be read \(NotFound\)/)
    })
  )

  it.effect("an explicit file of unknown format is a problem", () =>
    Effect.gen(function* () {
      const directory = yield* directoryWith({ "flange.ini": "" })
      const { problems } = yield* Effect.flip(
        Config.load({ directory, file: "flange.ini", sections })
      )
      assert.match(problems[0]?.message ?? "", /use \.json, \.toml, \.yaml or \.yml/)
    })
  )

  it.effect("values and file together are refused", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Config.load({ file: "flange.toml", sections: [], values: {} })
      )
      assert.match(error.message, /Both values and file flange\.toml are given/)
    })
  )

  describe("syntax errors", () => {
    const broken = [
      [
        "flange.json",
        '{\n  "a": hunter2\n}',
        "flange.json line 2, column 8",
        "expected a JSON value"
      ],
      [
        "flange.json",
        '{"a": 1,}',
        "flange.json line 1, column 9",
        "expected a key in double quotes"
      ],
      [
        "flange.json",
        '{"a": [1',
        "flange.json line 1, column 9",
        'expected "," or "]", found the end of the file'
      ],
      ["flange.json", "{} x", "flange.json line 1, column 4", "expected the end of the file"],
      [
        "flange.json",
        "",
        "flange.json line 1, column 1",
        "expected a JSON value, found the end of the file"
      ],
      ["flange.toml", "a = 1\nb = hunter2\n", "flange.toml line 2, column 12", "invalid value"],
      ["flange.yaml", "a: 1\n  b: 2\n", "flange.yaml line 2", "invalid colon in plain scalar"],
      ["flange.yaml", "a: *hunter2\n", "flange.yaml", "unknown YAML alias"],
      ["flange.yaml", "a: [*hunter2]\n", "flange.yaml", "unknown alias"],
      ["flange.yaml", "aa: 1\naa: 2\n", "flange.yaml line 2", "duplicate key"],
      ["flange.yaml", "a: [1\n", "flange.yaml", "expected ','"]
    ] as const
    for (const [name, content, source, reason] of broken) {
      it.effect(`${name} with ${JSON.stringify(content)} is refused with position and reason`, () =>
        Effect.gen(function* () {
          const directory = yield* directoryWith({ [name]: content })
          const error = yield* Effect.flip(Config.load({ directory, sections }))
          assert.strictEqual(error.problems.length, 1)
          assert.isTrue(error.problems[0]?.source.startsWith(source), error.problems[0]?.source)
          assert.include(error.problems[0]?.message, `(${reason})`)
          assert.notInclude(error.message, "hunter2")
        })
      )
    }
  })

  it.effect("a broken file does not make the environment it may declare unknown", () =>
    Effect.gen(function* () {
      const directory = yield* directoryWith({ "flange.toml": "[environments.eu" })
      const { problems } = yield* Effect.flip(
        Config.load({ directory, sections, variables: { FLANGE_ENV: "eu" } })
      )
      assert.deepStrictEqual(
        problems.map(({ key }) => key),
        ["(file)"]
      )
    })
  )

  describe("shape", () => {
    const shapes = [
      ["[1]", "flange.json holds a list at the top: write an object with one key per section."],
      ['"x"', "flange.json holds a string at the top: write an object with one key per section."],
      [
        '{"environments": 1}',
        "environments in flange.json is not an object: write [environments.<name>] with the values."
      ],
      [
        '{"environments": {"test": 1}}',
        "environments.test in flange.json is not an object: write the sections that differ there."
      ],
      ['{"env": 1}', "env in flange.json is not a string: write the name of an environment."]
    ] as const
    for (const [content, message] of shapes) {
      it.effect(`a file with ${content} is refused`, () =>
        Effect.gen(function* () {
          const directory = yield* directoryWith({ "flange.json": content })
          const { problems } = yield* Effect.flip(Config.load({ directory, sections: [] }))
          assert.deepStrictEqual(
            problems.map((problem) => problem.message),
            [message]
          )
        })
      )
    }
  })

  describe("prototype keys", () => {
    const files = {
      "flange.json": `{"server":{"port":1,"__proto__":{"polluted":true}},"constructor":{"x":1}}`,
      "flange.toml":
        "[server]\nport = 1\n[server.__proto__]\npolluted = true\n[constructor]\nx = 1\n",
      "flange.yaml": "server:\n  port: 1\n  __proto__:\n    polluted: true\nconstructor:\n  x: 1\n"
    }
    for (const [name, content] of Object.entries(files)) {
      it.effect(`a prototype key in ${name} is refused`, () =>
        Effect.gen(function* () {
          const directory = yield* directoryWith({ [name]: content })
          const { problems } = yield* Effect.flip(Config.load({ directory, sections }))
          assert.deepStrictEqual(
            problems.map((problem) => problem.key),
            ["constructor", "server.__proto__"]
          )
          assert.notProperty({}, "polluted")
        })
      )
    }

    it.effect("a prototype key in variables, defaults and overrides is refused", () =>
      Effect.gen(function* () {
        const hostile: object = JSON.parse(`{"server":{"prototype":{"polluted":true}}}`)
        const { problems } = yield* Effect.flip(
          Config.load({
            defaults: [{ plugin: "x", values: hostile }],
            overrides: hostile,
            sections,
            values: { server: { port: 1 } },
            variables: { FLANGE__CONSTRUCTOR__POLLUTED: "1", FLANGE____PROTO____POLLUTED: "1" }
          })
        )
        assert.deepStrictEqual(
          problems.map((problem) => problem.source),
          [
            "variable FLANGE__CONSTRUCTOR__POLLUTED",
            "variable FLANGE____PROTO____POLLUTED",
            "defaults of plugin x",
            "overrides"
          ]
        )
        assert.notProperty({}, "polluted")
      })
    )

    it.effect("a value in code that contains itself is refused", () =>
      Effect.gen(function* () {
        const values: Record<string, unknown> = { server: { port: 1 } }
        values["again"] = values
        const error = yield* Effect.flip(Config.load({ sections, values }))
        assert.match(error.message, /The value of again in code contains itself/)
      })
    )
  })
})
