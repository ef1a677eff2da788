import { assert, describe, it } from "vitest"
import * as Conflicts from "../../../src/Server/Route/Conflicts.ts"
import * as RouteTable from "../../../src/Server/Route/RouteTable.ts"
import { random } from "../generatedApi.ts"

const segments = [":x", ":x-:y", ":x.json", ":z", "a", "a:x", "ab", "b"]
const limits = { maxParamLength: 100, trailingSlash: "strict" } as const
const words = ["a", "a-b", "ab", "abc", "b", "b.json", "c"]

describe("the route table", () => {
  it("finds the same route whatever the order of routes without conflicts", () => {
    const next = random(11)
    const below = (end: number) => Math.floor(next() * end)
    const some = <A>(from: ReadonlyArray<A>) => from[below(from.length)]!
    const path = (parts: ReadonlyArray<string>) =>
      Array.from({ length: 1 + below(3) }, () => `/${some(parts)}`).join("")
    let tables = 0
    while (tables < 300) {
      const entries = Array.from({ length: 2 + below(6) }, () => {
        const method = some(["GET", "POST"])
        const template = path(segments) + some(["", "", "", "/*"])
        return { method, path: template, value: `${method} ${template}` }
      })
      const names = entries.map((entry) => entry.path.match(/:[xyz]/g) ?? [])
      if (names.some((all) => new Set(all).size < all.length)) continue
      const owner = { endpoint: undefined, group: "g", plugin: "p" }
      if (entries.map((e) => ({ ...e, ...owner })).flatMap(Conflicts.make()).length > 0) continue
      tables++
      const [table, turned] = [
        RouteTable.make(entries, limits),
        RouteTable.make(entries.toReversed(), limits)
      ]
      for (let i = 0; i < 20; i++) {
        const [method, url] = [some(["GET", "POST"]), path(words)]
        const about = `${method} ${url} in ${entries.map(({ value }) => value).join(", ")}`
        assert.deepStrictEqual(turned.find(method, url), table.find(method, url), about)
      }
    }
  })

  it("finds no route with an empty parameter", () => {
    const paths = ["/:x", "/a/:x", "/a/:x/b", "/:x-:y", "/:x.json", "/a:x"]
    const targets = ["/", "/a", "/a/", "/a//b", "/-", "/b-", "/-b", "/.json", "/a/?q", "/a/?q=//"]
    for (const one of paths) {
      const table = RouteTable.make([{ method: "GET", path: one, value: one }], limits)
      for (const target of targets) {
        const { params } = table.find("GET", target)
        assert.notInclude(Object.values(params), "", `${target} in ${one}`)
      }
      const all = RouteTable.make([{ method: "*", path: one, value: one }], limits)
      assert.isUndefined(all.find("OPTIONS", "*").value, one)
    }
    const table = RouteTable.make(
      paths.slice(0, 3).map((each) => ({ method: "GET", path: each, value: each })),
      limits
    )
    const found = (target: string) => table.find("GET", target).value
    assert.deepStrictEqual(["/a", "/a/", "/a/b", "/a/b?q=//", "/a//b", "/a/c/b", "/"].map(found), [
      "/:x",
      undefined,
      "/a/:x",
      "/a/:x",
      undefined,
      "/a/:x/b",
      undefined
    ])
  })
})
