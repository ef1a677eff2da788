/** The file of the tests of a feature, such as `test/orders.test.ts`. */
import { article, block, file, imports, list, named, namespace } from "./Code.ts"
import { type Access, codeOf } from "./ContractFile.ts"
import type { Field } from "./Fields.ts"
import type { Names } from "./Names.ts"

/** Where the tests find the app and the feature. */
export interface Places {
  /** The import of the app, such as `../src/app.ts`. */
  readonly app: string
  /** The name under which the file exports the app. */
  readonly appName: string
  /** The names of the chains of authentication, except `default`; undefined without authentication. */
  readonly chains: ReadonlyArray<string> | undefined
  /** The folder of the feature, such as `../src/orders`. */
  readonly folder: string
}

/** Returns the import of the app. */
export const importOfApp = ({ app, appName }: Places): string =>
  appName === "default"
    ? `import app from "${app}"`
    : named([appName === "app" ? "app" : `${appName} as app`], app)

/** Returns the import of what `layerOf` needs, if it needs anything. */
export const importsOfLayer = ({ chains }: Places): ReadonlyArray<string> =>
  chains === undefined ? [] : [named(["MockAuth"], "flange/Auth/Testing")]

/**
 * Returns the declaration of the layer of an app whose caller is anonymous, or has a name. The
 * authentication of the app itself would need its secrets.
 */
export const layerOf = (name: string, { chains }: Places, caller: "ada" | "anonymous"): string => {
  if (chains === undefined) return `const ${name} = TestApp.layer(app)`
  const options =
    chains.length === 0
      ? []
      : [`{ chains: [${chains.map((chain) => JSON.stringify(chain)).join(", ")}] }`]
  const mock =
    caller === "anonymous"
      ? `MockAuth.anonymous(${options.join("")})`
      : `MockAuth.as(${[`"${caller}"`, ...options].join(", ")})`
  return `const ${name} = TestApp.layer(app, {
  ${list(2, "replace: [", "[", [`"flange:auth"`, mock], "] as const")}
})`
}

/** Returns a test. Its lines are those of the generator. */
export const test = (title: string, lines: ReadonlyArray<string>): string =>
  `  it.effect("${title}", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      ${lines.join("\n      ")}
    })
  )`

/** Returns the tests of an app. */
export const suite = (layer: string, title: string, tests: ReadonlyArray<string>): string =>
  `layer(${layer})("${title}", (it) => {\n${tests.join("\n\n")}\n})`

/** Returns a file with one test of a class of a feature, in the app. */
export const ofClass = (
  name: string,
  places: Places,
  words: { readonly comment: string; readonly suite: string; readonly test: string },
  lines: ReadonlyArray<string>
): string =>
  file([
    `/** The tests of ${words.comment}. */
${imports([
  named(["expect", "layer"], "@effect/vitest"),
  namespace("effect/Effect"),
  ...importsOfLayer(places),
  named(["TestApp"], "flange/Testing"),
  importOfApp(places),
  named([name], `${places.folder}/${name}.ts`)
])}`,
    layerOf("booted", places, "anonymous"),
    suite("booted", words.suite, [test(words.test, lines)])
  ])

const sorted = (fields: ReadonlyArray<Field>): ReadonlyArray<Field> =>
  fields.toSorted((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))

/** Returns the tests of the fields. */
const ofFields = (
  { singular }: Names,
  required: ReadonlyArray<Field>,
  optional: ReadonlyArray<Field>
): ReadonlyArray<string> => {
  const one = singular.pascal
  const issues = required.map(({ name }) => `{ location: "body", pointer: "/${name}" }`)
  const refused = sorted([...required, ...optional]).flatMap(({ name, type }) =>
    [...type.refused, "null"].map((value) => `["${name}", ${value}]`)
  )
  const nulls = optional.map(({ name }) => `${name}: null`)
  const created = `const own = yield* create${one}`
  return [
    test("keeps values at their limits", [
      "const reply = yield* api.post(path, { json: limits })",
      `const { id } = reply.expectStatus(201).expectJsonMatch(limits).decode(${one})`,
      ";(yield* api.get(`${path}/${id}`)).expectJson(reply.json)"
    ]),
    ...(required.length === 0
      ? []
      : [
          test("requires the fields that are not optional", [
            "const reply = yield* api.post(path, { json: {} })",
            `reply.expectProblem("VALIDATION_FAILED", 400, {`,
            `  ${issues.length === 1 ? `errors: [${issues[0]}]` : block(8, "errors: [", issues, "]")}`,
            "})"
          ])
        ]),
    test("refuses values that do not fit, and names the field", [
      block(6, "for (const [field, value] of [", refused, "] as const) {"),
      "  const reply = yield* api.post(path, { json: { ...draft, [field]: value } })",
      `  reply.expectProblem("VALIDATION_FAILED", 400, {`,
      '    errors: [{ location: "body", pointer: `/${field}` }]',
      "  })",
      "}"
    ]),
    test(
      optional.length === 0
        ? "replaces all fields"
        : "replaces all fields: an absent optional field is removed",
      [
        created,
        "const full = yield* api.put(`${path}/${own.id}`, { json: limits })",
        "full.expectStatus(200).expectJson({ ...limits, ...own })",
        ...(optional.length === 0
          ? []
          : [
              "const least = yield* api.put(`${path}/${own.id}`, { json: required })",
              "least.expectStatus(200).expectJson({ ...required, ...own })",
              ";(yield* api.get(`${path}/${own.id}`)).expectJson({ ...required, ...own })"
            ])
      ]
    ),
    test("updates only the fields that are given", [
      created,
      "let expected: object = { ...draft, ...own }",
      "const unchanged = yield* api.patch(`${path}/${own.id}`, { json: {} })",
      "unchanged.expectStatus(200).expectJson(expected)",
      "for (const [field, value] of Object.entries(limits)) {",
      "  expected = { ...expected, [field]: value }",
      "  const reply = yield* api.patch(`${path}/${own.id}`, { json: { [field]: value } })",
      "  reply.expectStatus(200).expectJson(expected)",
      "}",
      ";(yield* api.get(`${path}/${own.id}`)).expectJson(expected)"
    ]),
    ...(optional.length === 0
      ? []
      : [
          test("removes an optional field that is updated with null", [
            created,
            list(6, "const json = ", "{", nulls),
            "const reply = yield* api.patch(`${path}/${own.id}`, { json })",
            "reply.expectStatus(200).expectJson({ ...required, ...own })"
          ])
        ])
  ]
}

/** Returns the text of the file. */
export const text = (
  names: Names,
  access: Access,
  fields: ReadonlyArray<Field>,
  places: Places
): string => {
  const { plural, singular } = names
  const one = singular.pascal
  const a = article(singular.words)
  const isProtected = access === "protected"
  const all = sorted(fields)
  const required = all.filter(({ isOptional }) => !isOptional)
  const optional = all.filter(({ isOptional }) => isOptional)
  const constant = (name: string, of: ReadonlyArray<Field>, at: 0 | 1, ...before: Array<string>) =>
    list(0, `const ${name} = `, "{", [
      ...before,
      ...of.map(({ name, type }) => `${name}: ${type.values[at]}`)
    ])
  const booted = isProtected ? "authenticated" : "booted"
  const notFound = codeOf(names)
  return file([
    `/** A test for each rule of the contract of the ${plural.words}. */
${imports([
  named(["layer"], "@effect/vitest"),
  namespace("effect/DateTime"),
  namespace("effect/Effect"),
  ...importsOfLayer(places),
  named(["TestApp"], "flange/Testing"),
  importOfApp(places),
  named([one], `${places.folder}/${one}.ts`)
])}`,
    [
      `const path = "/v1/${plural.kebab}"`,
      "const missing = `${path}/0198c0de-0000-7000-8000-000000000000`"
    ].join("\n"),
    optional.length === 0
      ? constant("draft", all, 0)
      : `${required.length === 0 ? "const required = {}" : constant("required", required, 0)}\n${constant("draft", optional, 0, "...required")}`,
    `/** Other values, at the limits of the fields that have limits. */\n${constant("limits", all, 1)}`,
    layerOf(booted, places, isProtected ? "ada" : "anonymous"),
    `/** Creates ${a}, and returns what the reply adds to the draft. */
const create${one} = Effect.gen(function* () {
  const api = yield* TestApp.service(app)
  const reply = yield* api.post(path, { json: draft })
  const { createdAt, id } = reply.expectStatus(201).decode(${one})
  return { createdAt: DateTime.formatIso(createdAt), id }
})`,
    suite(booted, a, [
      test(`is created, and the reply has its address`, [
        "const reply = yield* api.post(path, { json: draft })",
        `const { id } = reply.expectStatus(201).expectJsonMatch(draft).decode(${one})`,
        'reply.expectHeader("location", `${path}/${id}`)',
        ";(yield* api.get(`${path}/${id}`)).expectStatus(200).expectJson(reply.json)"
      ]),
      ...ofFields(names, required, optional),
      test("is removed once", [
        `const { id } = yield* create${one}`,
        ";(yield* api.delete(`${path}/${id}`)).expectStatus(204)",
        "for (const reply of [yield* api.delete(`${path}/${id}`), yield* api.get(`${path}/${id}`)]) {",
        `  reply.expectProblem("${notFound}", 404)`,
        "}"
      ]),
      test("that does not exist is not found", [
        "for (const reply of [",
        "  yield* api.get(missing),",
        "  yield* api.put(missing, { json: draft }),",
        "  yield* api.patch(missing, { json: {} }),",
        "  yield* api.delete(missing)",
        "]) {",
        `  reply.expectProblem("${notFound}", 404)`,
        "}"
      ]),
      test("with an id that is not a UUID of version 7 is refused", [
        'for (const id of ["7", "c73bcdcc-2669-4bf6-81d3-e4ae73fb11fd"]) {',
        "  const reply = yield* api.get(`${path}/${id}`)",
        `  reply.expectProblem("VALIDATION_FAILED", 400, {`,
        `    errors: [{ location: "path", pointer: "/id" }]`,
        "  })",
        "}",
        "api.expectNoErrors()"
      ])
    ]),
    suite(booted, "the list", [
      test("has pages, oldest first", [
        "const none = { items: [], limit: 50, page: 1, total: 0 }",
        ";(yield* api.get(path)).expectStatus(200).expectJson(none)",
        list(
          6,
          "const all = ",
          "[",
          Array.from({ length: 3 }, () => `yield* create${one}`)
        ),
        "const items = all.map((own) => ({ ...draft, ...own }))",
        "const first = yield* api.get(path, { query: { limit: 2 } })",
        "first.expectJson({ items: items.slice(0, 2), limit: 2, page: 1, total: 3 })",
        "const second = yield* api.get(path, { query: { limit: 2, page: 2 } })",
        "second.expectJson({ items: items.slice(2), limit: 2, page: 2, total: 3 })"
      ]),
      test("refuses a page and a limit out of range", [
        "const reply = yield* api.get(path, { query: { limit: 501, page: 0 } })",
        `reply.expectProblem("VALIDATION_FAILED", 400, {`,
        block(
          8,
          "  errors: [",
          [`{ location: "query", pointer: "/limit" }`, `{ location: "query", pointer: "/page" }`],
          "]"
        ),
        "})"
      ])
    ]),
    ...(isProtected
      ? [
          layerOf("anonymous", places, "anonymous"),
          suite("anonymous", "a caller without credentials", [
            test("is refused everywhere", [
              "for (const reply of [",
              "  yield* api.get(path),",
              "  yield* api.post(path, { json: draft }),",
              "  yield* api.get(missing),",
              "  yield* api.put(missing, { json: draft }),",
              "  yield* api.patch(missing, { json: {} }),",
              "  yield* api.delete(missing)",
              "]) {",
              `  reply.expectProblem("UNAUTHENTICATED", 401)`,
              "}"
            ])
          ])
        ]
      : [])
  ])
}
