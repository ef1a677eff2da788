// The commands of docs/command.md, in a copy of the sample.
import { cp, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, it } from "vitest"
import { project, run } from "./project.ts"

const root = join(import.meta.dirname, "../..")

/** The commands of a document, each with the output below it. */
const commandsOf = (markdown: string) =>
  [...markdown.matchAll(/^```console\n([^]*?)^```$/gm)].flatMap(([, fence]) =>
    fence!
      .split(/^\$ npx flange /m)
      .slice(1)
      .map((entry) => {
        const end = entry.indexOf("\n")
        return { args: entry.slice(0, end), output: entry.slice(end + 1) }
      })
  )

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

/** Gives up transactions and removes the last route, as the guide says. */
const removed = async (folder: string): Promise<void> => {
  for (const [file, pattern, to] of [
    ["app.ts", /Database\.transactional\(\)/, "Database.autocommit"],
    ["items/ItemsApi.ts", /,\n {2}\/\/ PATCH[^]*(?=\n\) \{\})/, ""],
    ["items/ItemsPlugin.ts", /,\n.*update: .*/, ""]
  ] as const) {
    const text = await readFile(join(folder, file), "utf8")
    assert.match(text, pattern)
    await writeFile(join(folder, file), text.replace(pattern, to))
  }
}

it("the guide of the command shows what flange prints", async () => {
  const folder = await project({}, ["effect", "flange"])
  const restore = () => cp(join(root, "examples/sample-api"), folder, { recursive: true })
  await restore()
  const commands = commandsOf(await readFile(join(root, "docs/command.md"), "utf8"))
  assert.lengthOf(commands, 11)
  for (const { args, output } of commands) {
    if (args === "routes --check") await removed(folder)
    const { stderr, stdout } = await run(
      ["--conditions=flange-source", join(root, "src/Cli/main.ts"), ...args.split(" ")],
      { cwd: folder }
    )
    if (args === "routes --check") await restore()
    const printed = args === "routes --check" ? stderr : stdout
    assertShown(blanked(printed), blanked(output), `${args}\n${stderr}`)
  }
})
