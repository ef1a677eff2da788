// Fills the generated parts of the documents from the sources they describe: the text between
// `<!-- reference NAME ... -->` and `<!-- /reference -->`. Run it with `npm run reference`.
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Config from "../src/Config/index.ts"
import * as AdminErrors from "../src/Contract/AdminErrors.ts"
import { catalogue } from "../src/Contract/Catalogue.ts"
import * as DynamoErrors from "../src/Contract/DynamoErrors.ts"
import * as EventErrors from "../src/Contract/EventErrors.ts"
import * as FileErrors from "../src/Contract/FileErrors.ts"
import * as ObjectErrors from "../src/Contract/ObjectErrors.ts"
import { slots, slotsOf } from "../src/Server/Route/Slots.ts"
import * as sqlTypes from "../test/Layers/Database/sqlTypes.ts"

const root = join(import.meta.dirname, "..")

type Rows = ReadonlyArray<ReadonlyArray<string>>

/** A Markdown table, its columns as wide as the formatter makes them. */
const table = (head: ReadonlyArray<string>, rows: Rows): string => {
  const widths = head.map((_, i) => Math.max(3, ...[head, ...rows].map((row) => row[i]!.length)))
  const line = (cells: ReadonlyArray<string>) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n")
}

/** The first table of a doc comment, without its head. */
const docTable = (comment: string): Rows =>
  [...comment.matchAll(/^ \* \|(.*)\|$/gm)]
    .map(([, cells]) => cells!.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .slice(2)

/** One key of a section, as its table describes it. */
export interface Key {
  /** The default as the table writes it. */
  readonly default: string
  readonly meaning: string
  readonly name: string
}

/** A section of the configuration with the table of its doc comment. */
export interface SectionPage {
  readonly file: string
  readonly keys: ReadonlyArray<Key>
  readonly section: Config.AnySection
}

const isSection = (value: unknown): value is Config.AnySection =>
  typeof value === "function" && "sectionName" in value

/** Returns a duration as a file takes it; the tables have `20 s` and `5 min`. */
const writable = (text: string): string =>
  text.replace(/^(\d+) (s|ms)$/, "`$1$2`").replace(/^(\d+) min$/, "`$1m`")

/** Every section of Flange, by name. Batteries without an `index.ts` are left out. */
export const sections: ReadonlyArray<SectionPage> = (
  await Promise.all(
    globSync("src/**/*Config.ts", { cwd: root })
      .filter(
        (file) => !file.includes("Layers") || existsSync(join(root, dirname(file), "index.ts"))
      )
      .map(async (file): Promise<ReadonlyArray<SectionPage>> => {
        const module: object = await import(join(root, file))
        const text = readFileSync(join(root, file), "utf8")
        return Object.entries(module).flatMap(([name, value]) => {
          if (!isSection(value)) return []
          const comment = text
            .slice(0, text.indexOf(`export const ${name} `))
            .split("/**")
            .at(-1)!
          const keys = docTable(comment).map(([key, fallback, meaning]) => ({
            default: writable(fallback!),
            meaning: meaning!.replace(/[;,] variables? `\w+`(?: and `\w+`)?$/, ""),
            name: key!.replaceAll("`", "")
          }))
          return [{ file, keys, section: value }]
        })
      })
  )
)
  .flat()
  .sort((a, b) => (a.section.sectionName < b.section.sectionName ? -1 : 1))

/** The defaults of the schemas by dotted key, as the loader reports them. */
export const schemaDefaults = (section: Config.AnySection): Promise<ReadonlyMap<string, string>> =>
  Effect.runPromise(
    Config.load({ sections: [section], values: {}, variables: {} }).pipe(
      Effect.map(({ entries }) => new Map(entries.map(({ key, value }) => [key, value]))),
      // A section with a required key cannot be loaded from defaults alone.
      Effect.catch(() => Effect.succeed(new Map<string, string>())),
      Effect.provide(NodeServices.layer)
    )
  )

const shortVariable = (section: Config.AnySection, key: string): string =>
  Object.entries(section.variables)
    .filter(([, target]) => target === key)
    .map(([name]) => `\`${name}\``)
    .join(", ")

const keyTable = (wanted: ReadonlyArray<string>): string =>
  table(
    ["key", "default", "short variable", "meaning"],
    wanted.map((dotted) => {
      const page = sections.find(({ section }) => dotted.startsWith(`${section.sectionName}.`))
      const name = dotted.slice(dotted.indexOf(".") + 1)
      const key = page?.keys.find((key) => key.name === name)
      if (page === undefined || key === undefined) throw new Error(`No section has ${dotted}`)
      return [`\`${dotted}\``, key.default, shortVariable(page.section, name), key.meaning]
    })
  )

const dottedKeys = ({ keys, section }: SectionPage) =>
  keys.map(({ name }) => `${section.sectionName}.${name}`)

/** The parts that can be generated, by name. */
/** The errors of batteries, by the name that a document has for them. */
const errorsOf: Readonly<Record<string, Readonly<Record<string, (typeof catalogue)[number]>>>> = {
  admin: AdminErrors,
  dynamo: DynamoErrors,
  events: EventErrors,
  files: FileErrors,
  objects: ObjectErrors
}

const parts: Readonly<Record<string, (options: ReadonlyArray<string>) => string>> = {
  batteries: () =>
    table(
      ["import", "what it is"],
      globSync("src/Layers/*/index.ts", { cwd: root })
        .map((file) => file.replaceAll("\\", "/"))
        .sort()
        .map((file) => {
          const comment = /\/\*\*([\s\S]*?)\*\//.exec(readFileSync(join(root, file), "utf8"))?.[1]
          if (comment === undefined) throw new Error(`${file} has no module header`)
          const [first] = comment
            .replaceAll(/\s*\n \* ?/g, " ")
            .trim()
            .split(/(?<=\.)\s/)
          return [`\`flange/${file.split("/")[2]}\``, first!]
        })
    ),
  errors: ([of = ""]) =>
    table(
      ["code", "status", "meaning", "what to do"],
      (of === "" ? catalogue : Object.values(errorsOf[of]!)).map(
        ({ code, meaning, remedy, status }) => [
          `\`${code}\``,
          String(status),
          // The catalogue is plain text; Markdown would read the underscores as emphasis.
          meaning.replaceAll(/\b__\w+__/g, "`$&`"),
          remedy
        ]
      )
    ),
  keys: keyTable,
  phases: () => {
    const text = readFileSync(join(root, "src/Plugin/Plugin.ts"), "utf8")
    return table(
      ["phase", "what runs", "may fail with", "seen by", "order"],
      docTable(text.slice(0, text.indexOf("*/")))
    )
  },
  sections: () =>
    sections
      .map((page) => `## \`${page.section.sectionName}\`\n\n${keyTable(dottedKeys(page))}`)
      .join("\n\n"),
  slots: () => {
    const isPublic = new Set(slotsOf({ type: "public" }))
    return table(
      ["slot", "public routes", "why it is before the next slot"],
      slots.map(({ before, name }) => [`\`${name}\``, isPublic.has(name) ? "yes" : "no", before])
    )
  },
  sqlTypes: ([engine]) => {
    const types = engine === "mysql" ? sqlTypes.mysql : sqlTypes.postgres
    const rows = engine === "mysql" ? types : [...types, ...sqlTypes.extensions]
    return table(
      ["SQL", "TypeScript"],
      rows
        .toSorted((a, b) => (a.sql < b.sql ? -1 : 1))
        .map(({ sql, typescript }) => [
          sql.replace(/^(.+?)( \((?:an?|of) .*\))?$/, "`$1`$2"),
          typescript
        ])
    )
  }
}

/** The document with its generated parts filled in. */
export const fill = (text: string): string =>
  text.replace(
    /(<!-- reference (\w+)([^>]*)-->)[\s\S]*?(<!-- \/reference -->)/g,
    (_, open: string, name: string, options: string, close: string) => {
      const part = parts[name]
      if (part === undefined) throw new Error(`Nothing generates "${name}"`)
      return `${open}\n\n${part(options.trim().split(/\s+/))}\n\n${close}`
    }
  )

/** The documents that may have generated parts. */
export const documents: ReadonlyArray<string> = globSync(["*.md", "docs/**/*.md"], { cwd: root })
  .map((file) => file.replaceAll("\\", "/"))
  .sort()

if (import.meta.main) {
  for (const file of documents) {
    const path = join(root, file)
    writeFileSync(path, fill(readFileSync(path, "utf8")))
  }
}
