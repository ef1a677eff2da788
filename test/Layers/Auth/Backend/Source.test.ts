import { assert, describe, it } from "@effect/vitest"
import * as Auth from "flange/Auth"
import { read } from "../../../../src/Layers/Auth/Backend/Source.ts"

const request = (headers: Record<string, string>, query = "") => ({
  header: (name: string) => headers[name],
  target: `/x${query}`
})

const bearer = Auth.authorization("Bearer")

describe("a credential", () => {
  const table: ReadonlyArray<
    readonly [
      name: string,
      source: Auth.Source,
      headers: Record<string, string>,
      found: RegExp | string | undefined,
      query?: string
    ]
  > = [
    ["is there", bearer, { authorization: "Bearer abc" }, "abc"],
    ["is there whatever the case of its scheme", bearer, { authorization: "bEARER abc" }, "abc"],
    ["is there behind more spaces", bearer, { authorization: "Bearer   abc " }, "abc"],
    ["may be empty, which no backend takes", bearer, { authorization: "Bearer" }, ""],
    ["is not of another scheme", bearer, { authorization: "Basic abc" }, undefined],
    ["is not of a scheme that begins alike", bearer, { authorization: "Bearerabc x" }, undefined],
    ["is not in another header", bearer, { "x-api-key": "abc" }, undefined],
    ["comes twice", bearer, { authorization: "Bearer a, Bearer b" }, /Header authorization came/],
    ["comes after another scheme", bearer, { authorization: "Basic a, Bearer b" }, /Header auth/],
    ["is not in commas of another scheme", bearer, { authorization: "Digest a=b, c=d" }, undefined],
    ["is in a header of its own", Auth.header("X-Api-Key"), { "x-api-key": "abc" }, "abc"],
    ["is no empty header", Auth.header("X-Api-Key"), { "x-api-key": "" }, undefined],
    ["is in a cookie", Auth.cookie("s"), { cookie: "a=b; s=abc; c=d" }, "abc"],
    ["is in a quoted, encoded cookie", Auth.cookie("s"), { cookie: 's="a%20b"' }, "a b"],
    ["is in a cookie with an equals sign", Auth.cookie("s"), { cookie: "s=a=b" }, "a=b"],
    ["is in no cookie of another case", Auth.cookie("s"), { cookie: "S=abc" }, undefined],
    ["is in no cookie without value", Auth.cookie("s"), { cookie: "s; s=" }, undefined],
    ["comes in two cookies", Auth.cookie("s"), { cookie: "s=a; s=a" }, /Cookie s came/],
    ["comes in two cookies, one empty", Auth.cookie("s"), { cookie: "s=; s=a" }, /Cookie s came/],
    ["is in the query", Auth.query("key"), {}, "a b", "?x=1&key=a%20b"],
    ["is not in an empty query", Auth.query("key"), {}, undefined, "?key="],
    ["comes twice in the query", Auth.query("key"), {}, /parameter key came/, "?key=a&key="]
  ]
  for (const [name, source, headers, expected, query] of table) {
    it(`${name}: ${JSON.stringify(headers)}${query ?? ""}`, () => {
      const found = read(source, request(headers, query))
      if (expected === undefined) return assert.deepStrictEqual(found, { _tag: "None" })
      if (typeof expected === "string") {
        return assert.deepStrictEqual(found, { _tag: "Some", credential: expected })
      }
      assert.isTrue(found._tag === "Ambiguous" && expected.test(found.reason))
    })
  }
})
