/** The files of a feature with one endpoint. */
import { posix } from "node:path"
import * as Result from "effect/Result"
import { file, imports, list, named, namespace } from "./Code.ts"
import { type Access, group } from "./ContractFile.ts"
import type { Name } from "./Names.ts"
import * as TestFile from "./TestFile.ts"

/** The methods, and the names of their endpoints. */
export const methods = {
  delete: "remove",
  get: "read",
  patch: "update",
  post: "create",
  put: "replace"
} as const

/** A feature with one endpoint. */
export interface EndpointSpec {
  readonly access: Access
  /** The folder of the feature. */
  readonly folder: string
  readonly method: keyof typeof methods
  readonly name: Name
  readonly path: string
  readonly places: TestFile.Places
  /** The folder of the tests. */
  readonly tests: string
}

/** Returns the parameters of a path. Fails with a sentence if it is not one. */
export const parameters = (path: string): Result.Result<ReadonlyArray<string>, string> => {
  const wrong = path
    .split("/")
    // A client resolves the parts . and .. before it sends the request.
    .find((part, at) => !/^(?!\.{1,2}$)(?::[A-Za-z]\w*|[\w.~-]+)$/.test(part) && at > 0)
  if (!path.startsWith("/") || (wrong !== undefined && path !== "/")) {
    return Result.fail(
      `--path ${path} is not a path. Write it with a slash before each part and a colon before a parameter, such as /v1/orders/:id/notes`
    )
  }
  const names = path.split("/").flatMap((part) => (part.startsWith(":") ? [part.slice(1)] : []))
  const twice = names.find((name, at) => names.indexOf(name) < at)
  return twice === undefined
    ? Result.succeed(names)
    : Result.fail(`--path ${path} has the parameter ${twice} twice. Rename one of the two`)
}

/** Returns the files by their paths. The endpoint returns its parameters, or the name of the feature. */
export const files = (spec: EndpointSpec): Readonly<Record<string, string>> => {
  const { access, folder, method, name, path, places, tests } = spec
  const params = Result.getOrThrow(parameters(path))
  const endpoint = methods[method]
  const hasParams = params.length > 0
  const members = hasParams
    ? ["params", "success: Schema.Struct(params)"]
    : ["success: Schema.Struct({ name: Schema.String })"]
  const contract = file([
    `/** The contract of the feature ${name.words}: no server code, so that a browser can import it. */
${imports([
  namespace("effect/http-api/HttpApiEndpoint"),
  namespace("effect/http-api/HttpApiGroup"),
  namespace("effect/Schema"),
  ...(access === "protected" ? [named(["Authentication"], "flange/Contract")] : [])
])}`,
    ...(hasParams
      ? [
          list(
            0,
            "const params = ",
            "{",
            [...params].sort().map((each) => `${each}: Schema.String`)
          )
        ]
      : []),
    group(name, access, (indent) => [
      list(indent, `HttpApiEndpoint.${method}("${endpoint}", "${path}", `, "{", members, ")")
    ])
  ])
  const handler = hasParams
    ? "({ params }) => Effect.succeed(params)"
    : `() => Effect.succeed({ name: "${name.kebab}" })`
  const plugin = file([
    `/** The plugin of the feature ${name.words}. */
${imports([
  namespace("effect/Effect"),
  named(["Plugin", "Route"], "flange"),
  named([`${name.pascal}Api`], `./${name.pascal}Api.ts`)
])}`,
    `export const ${name.pascal}Plugin = Plugin.make("app:${name.kebab}", {
  routes: [
    Route.${access}(${name.pascal}Api, (handlers) =>
      handlers.handleAll({
        ${endpoint}: ${handler}
      })
    )
  ]
})`
  ])
  const called = params.reduce((all, each, at) => all.replace(`:${each}`, String(at + 1)), path)
  const reply = hasParams
    ? `{ ${[...params]
        .sort()
        .map((each) => `${each}: "${params.indexOf(each) + 1}"`)
        .join(", ")} }`
    : `{ name: "${name.kebab}" }`
  const booted = access === "protected" ? "authenticated" : "booted"
  const test = file([
    `/** A test for each rule of the contract of the feature ${name.words}. */
${imports([
  named(["layer"], "@effect/vitest"),
  namespace("effect/Effect"),
  ...TestFile.importsOfLayer(places),
  named(["TestApp"], "flange/Testing"),
  TestFile.importOfApp(places)
])}`,
    TestFile.layerOf(booted, places, access === "protected" ? "ada" : "anonymous"),
    TestFile.suite(booted, name.words, [
      TestFile.test(hasParams ? "returns its parameters" : "returns its name", [
        `const reply = yield* api.${method}("${called}")`,
        `reply.expectStatus(200).expectJson(${reply})`,
        "api.expectNoErrors()"
      ])
    ]),
    ...(access === "protected"
      ? [
          TestFile.layerOf("anonymous", places, "anonymous"),
          TestFile.suite("anonymous", `${name.words}, without credentials`, [
            TestFile.test("is refused", [
              `const reply = yield* api.${method}("${called}")`,
              `reply.expectProblem("UNAUTHENTICATED", 401)`
            ])
          ])
        ]
      : [])
  ])
  return {
    [posix.join(folder, `${name.pascal}Api.ts`)]: contract,
    [posix.join(folder, `${name.pascal}Plugin.ts`)]: plugin,
    [posix.join(tests, `${name.kebab}.test.ts`)]: test
  }
}
