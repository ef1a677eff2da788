// The commands of docs/command.md, in a copy of the sample.
import { cp, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, it } from "vitest"
import { listings } from "./listings.ts"
import { flange, project } from "./project.ts"

const root = join(import.meta.dirname, "../..")

const blanked = (text: string): string =>
  text.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "<time>")

/** Asserts that an output is what the guide shows, in which a line `...` stands for any lines. */
const assertShown = (printed: string, shown: string, message: string): void => {
  const [first = "", ...parts] = shown.split(/^\.\.\.\n/m)
  if (parts.length === 0) return assert.strictEqual(printed, shown, message)
  assert.isTrue(printed.startsWith(first), message)
  parts.reduce((rest, part) => {
    assert.include(rest, part, message)
    return rest.slice(rest.indexOf(part) + part.length)
  }, printed.slice(first.length))
}

type Change = readonly [file: string, from: RegExp, to: string]

/** What the guide says was changed before a check. */
const changes: Readonly<Record<string, ReadonlyArray<Change>>> = {
  "openapi --check": [
    ["items/Item.ts", /Draft = Schema.Struct\(\{/, "$&\n  category: Schema.String,"],
    [
      "items/Item.ts",
      /Item = Schema.Struct\(\{/,
      "$&\n  category: Schema.optionalKey(Schema.String),"
    ],
    [
      "items/ItemsApi.ts",
      /const params/,
      `class ItemLocked extends ApiError.make<ItemLocked>()(
  "ItemLocked",
  { code: "ITEM_LOCKED", detail: "The item is locked", status: 409 },
  {}
) {}

$&`
    ],
    ["items/ItemsApi.ts", /(?<="remove".*\n.*error: )ItemNotFound/, "[ItemLocked, ItemNotFound]"]
  ],
  "routes --check": [
    ["app.ts", /Database\.transactional\(\)/, "Database.autocommit"],
    ["items/ItemsApi.ts", /,\n {2}\/\/ PATCH[^]*(?=\n\) \{\})/, ""],
    ["items/ItemsPlugin.ts", /,\n.*update: .*/, ""]
  ]
}

it("the guide of the command shows what flange prints", async () => {
  const folder = await project({}, ["effect", "flange"])
  const restore = () => cp(join(root, "examples/sample-api"), folder, { recursive: true })
  await restore()
  const all = await listings()
  assert.isAtLeast(all.length, 10)
  // The client needs the declaration files of Flange: client.test.ts makes it.
  for (const { args, output } of all.filter(({ args }) => !args.startsWith("client "))) {
    const made = changes[args]
    for (const [file, from, to] of made ?? []) {
      const text = await readFile(join(folder, file), "utf8")
      assert.match(text, from)
      await writeFile(join(folder, file), text.replace(from, to))
    }
    const { stderr, stdout } = await flange(folder, ...args.split(" "))
    if (made !== undefined) await restore()
    const printed = made === undefined ? stdout : stdout + stderr
    assertShown(blanked(printed), blanked(output), `${args}\n${stderr}`)
  }
})
