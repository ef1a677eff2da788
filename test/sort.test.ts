import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"

const root = join(import.meta.dirname, "..")

/** Lints a file with every sorting rule and fixes it. `isClean` is false if a report is left. */
const lint = (lines: ReadonlyArray<string>) => {
  const folder = join(root, ".doctest/sort")
  const names = ["cases", "contracts", "exports", "options", "type-members", "unions"]
  const rules = Object.fromEntries(names.map((rule) => [`sort/${rule}`, "error"]))
  const categories = { correctness: "off" }
  const config = { categories, jsPlugins: ["../../tools/sort.js"], rules }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "oxlint.json"), JSON.stringify(config))
  writeFileSync(join(folder, "sample.ts"), lines.join("\n"))
  const oxlint = join(root, "node_modules/oxlint/bin/oxlint")
  const args = [oxlint, "-c", "oxlint.json", "--no-ignore", "--fix", "sample.ts"]
  const { status } = spawnSync(process.execPath, args, { cwd: folder })
  const fixed = readFileSync(join(folder, "sample.ts"), "utf8").split("\n")
  rmSync(folder, { recursive: true })
  return { fixed, isClean: status === 0 }
}

/** Returns what the sorting rules make of a file. */
const fix = (...lines: Array<string>) => lint(lines).fixed

const expectUntouched = (...lines: Array<string>) =>
  expect(lint(lines)).toEqual({ fixed: lines, isClean: true })

it("sorts unions, keeps parentheses, and ends with null and undefined", () => {
  expect(
    fix("type A = string | undefined | ((n: number) => void) | null", "type B = 10 | 9")
  ).toEqual(["type A = ((n: number) => void) | string | null | undefined", "type B = 9 | 10"])
})

it("sorts members with their comments, not across call signatures", () => {
  expect(
    fix("interface A {", "  // c", "  c: 1", "  b(): 2 // b", "  (): 3", "  '~a': 5; a: 4", "}")
  ).toEqual([
    "interface A {",
    "  b(): 2 // b",
    "  // c",
    "  c: 1",
    "  (): 3",
    "  '~a': 5; a: 4",
    "}"
  ])
})

it("sorts exports with their comments", () => {
  expect(
    fix(
      `export * from "./c.ts"`,
      `/** B */`,
      `export * from "./b.ts"`,
      `/** A */`,
      `export * from "./a.ts"`
    )
  ).toEqual([
    `/** A */`,
    `export * from "./a.ts"`,
    `/** B */`,
    `export * from "./b.ts"`,
    `export * from "./c.ts"`
  ])
})

describe("options", () => {
  it("are sorted in the arguments of calls and of new, however deep the call is", () => {
    expect(
      fix(
        "Plugin.make('x', { requires: [A], layer: new Live({ b, a }) })",
        "f({ read() {}, 'list': () => g({ d: 1, c: 2 }) })"
      )
    ).toEqual([
      "Plugin.make('x', { layer: new Live({ b, a }), requires: [A] })",
      "f({ 'list': () => g({ d: 1, c: 2 }), read() {} })"
    ])
    expect(fix("const x = new A({ b: [() => f({ d, c })] })")).toEqual([
      "const x = new A({ b: [() => f({ c, d })] })"
    ])
  })

  it("take the comments above and behind them along", () => {
    expect(
      fix("f({", "  // c", "  c: 1, // one", "  /** b */", "  b: 2,", "  a: 3 // three", "})")
    ).toEqual(["f({", "  a: 3, // three", "  /** b */", "  b: 2,", "  // c", "  c: 1 // one", "})"])
  })

  it("stay code where a comment ends the line of another one", () => {
    expect(fix("f({ b: 1, a: 2 // a", "})")).toEqual(["f({", " a: 2, // a", " b: 1", "})"])
    expect(fix("f({ // both", "  b: 1, a: 2 })")).toEqual(["f({ // both", " a: 2,", "  b: 1 })"])
    expect(fix("f({ b: 1, // b", "  a: 2 })")).toEqual(["f({  a: 2,", " b: 1 // b", " })"])
  })

  it("are reported and not moved if a comment is before a comma", () => {
    const lines = ["f({ b: 1 /* b */, a: 2 })"]
    expect(lint(lines)).toEqual({ fixed: lines, isClean: false })
  })

  it("keep their order if evaluating them has effects", () => {
    expectUntouched(
      "async function* f() {",
      "  g({ b: yield 1, a: 2 })",
      "  g({ b: [await x], a: 2 })",
      "  g({ b: 1, a: h(x++) })",
      "  g({ b: 1, a: (x = 2) })",
      "  g({ b: 1, a: delete x.y })",
      "  g({ b: 1, a: import('x') })",
      "}"
    )
    expect(fix("f({ b: () => { x = 1 }, a: async () => await x })")).toEqual([
      "f({ a: async () => await x, b: () => { x = 1 } })"
    ])
  })

  it("keep their order with a spread, a computed key, a key twice, or a key that is data", () => {
    expectUntouched(
      "f({ b: 1, ...rest, a: 2 })",
      "f({ b: 1, [a]: 2 })",
      "f({ get b() { return 1 }, set b(x) {}, a: 2 })",
      "f({ 'x-b': 1, 'x-a': 2 })"
    )
  })

  it("keep their order if they are fields or are read in turn", () => {
    expectUntouched(
      "const A = Schema.Struct({ b: Schema.Int, a: Schema.Int })",
      "class B extends Schema.Class<B>('B')({ b: Schema.Int, a: Schema.Int }) {}",
      "class C extends ApiError.make<C>()('C', { a: 1 }, { b: Schema.Int, a: Schema.Int }) {}",
      "class D extends Config.section('d', { b: Schema.Int, a: Schema.Int }) {}",
      "JSON.stringify({ b: 1, a: 2 })",
      "Effect.all({ b, a })",
      "Object.entries({ b, a })",
      "HttpServerResponse.jsonUnsafe({ b, a })"
    )
  })

  it("keep the order of objects inside them, which may be fields or data", () => {
    expectUntouched("HttpApiEndpoint.get('a', '/:b/:a', { params: { b, a }, success: { b, a } })")
  })
})

describe("members of a contract", () => {
  it("are sorted by the names of endpoints and groups", () => {
    expect(
      fix(
        "class A extends HttpApiGroup.make('a').annotate(X, 1).add(",
        "  // reads",
        "  HttpApiEndpoint.get('read', '/:id').middleware(M),",
        "  HttpApiEndpoint.post('create', '/')",
        ").middleware(N) {}",
        "HttpApi.make('all').add(",
        "  Others,",
        "  A,",
        "  HttpApiGroup.make('b').add(x)",
        ")"
      )
    ).toEqual([
      "class A extends HttpApiGroup.make('a').annotate(X, 1).add(",
      "  HttpApiEndpoint.post('create', '/'),",
      "  // reads",
      "  HttpApiEndpoint.get('read', '/:id').middleware(M)",
      ").middleware(N) {}",
      "HttpApi.make('all').add(",
      "  A,",
      "  HttpApiGroup.make('b').add(x),",
      "  Others",
      ")"
    ])
  })

  it("are those of a contract only, and not sorted across one without a name", () => {
    expectUntouched(
      "sum.add(b, a)",
      "Sums.make('x').add(b, a)",
      "HttpApiGroup.make('x').add(...b, ...a)",
      "HttpApiGroup.make('x').add(b, endpoint('x'), a)"
    )
  })
})

describe("cases", () => {
  it("are sorted with their comments, labels of one case too, and default stays last", () => {
    const once = fix(
      "switch (x) {",
      "  // c and b",
      "  case 'c':",
      "  case 'b':",
      "    return 1 // one",
      "  case 'a': {",
      "    if (y) throw z",
      "    else break",
      "  }",
      "  default:",
      "    f()",
      "}",
      "switch (x) { case 10: return 1; case 9: return 2 }"
    )
    expect(fix(...once)).toEqual([
      "switch (x) {",
      "  case 'a': {",
      "    if (y) throw z",
      "    else break",
      "  }",
      "  // c and b",
      "  case 'b':",
      "  case 'c':",
      "    return 1 // one",
      "  default:",
      "    f()",
      "}",
      "switch (x) { case 9: return 2; case 10: return 1 }"
    ])
  })

  it("keep their order if one can fall through, is not a literal, or follows default", () => {
    expectUntouched(
      "switch (x) { case 'b': f(); case 'a': return }",
      "switch (x) { case 'b': return; case 'a': f() }",
      "switch (x) { case 'b': if (y) return; case 'a': return }",
      "switch (true) { case y > 1: return; case x > 1: return }",
      "switch (x) { default: return; case 'b': return; case 'a': return }",
      "switch (x) { case 'b': case 'a': }"
    )
  })
})

it("a comment that starts with `In this order:` and a reason keeps the order below it", () => {
  expectUntouched(
    "f({",
    "  // In this order: b is read first.",
    "  b: 1,",
    "  a: 2",
    "})",
    "f({ /* In this order: b is read first. */ b: 1, a: 2 })",
    "HttpApiGroup.make('x').add(",
    "  // In this order: the document lists b first.",
    "  b,",
    "  a",
    ")",
    "switch (x) {",
    "  // In this order: b is the hot case.",
    "  case 'b':",
    "  case 'a':",
    "    return",
    "}",
    "interface A {",
    "  /** In this order: b is the more important one. */",
    "  b: 1",
    "  a: 2",
    "}",
    "type B = /* In this order: b comes first. */ 'b' | 'a'"
  )
  expect(fix("f({ /* In this order: */ b, a })")).toEqual(["f({ a, /* In this order: */ b })"])
})
