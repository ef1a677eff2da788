/** The app of a new project, and its main program. */
import type { Files, Project } from "../Project.ts"

/** A plugin in the list of the app, and the import that it needs. */
interface Listed {
  readonly entry: string
  readonly from: string
  readonly imported: string
}

const battery = (name: string, entry = `${name}.plugin`): Listed => ({
  entry,
  from: `flange/${name}`,
  imported: `* as ${name}`
})

const own = (folder: string, name: string): Listed => ({
  entry: name,
  from: `./${folder}/${name}.ts`,
  imported: `{ ${name} }`
})

const listed = ({ auth, db, plugins, template }: Project): ReadonlyArray<Listed> => {
  const isFull = template === "full"
  return [
    ...(isFull ? [battery("Compression"), battery("Cors")] : []),
    ...(db === "none"
      ? []
      : [battery("Database"), battery("Database", "Database.transactional()")]),
    ...(isFull
      ? [battery("Overload"), battery("RateLimit"), battery("SecureHeaders"), battery("Timeout")]
      : []),
    ...plugins.map(({ from, name }) => ({ entry: name, from, imported: `{ ${name} }` })),
    ...(auth === "none" ? [] : [own("auth", "AuthPlugin")]),
    template === "minimal" ? own("hello", "HelloPlugin") : own("items", "ItemsPlugin")
  ]
}

/** Returns the imports, those of packages first, each group in the order of the formatter. */
const imports = (plugins: ReadonlyArray<Listed>): string => {
  const lines = new Map([["flange", `import { App, Preset } from "flange"`]])
  for (const { from, imported } of plugins) lines.set(from, `import ${imported} from "${from}"`)
  const key = (from: string) => `${from.startsWith(".") ? "1" : "0"}${from.toLowerCase()}`
  return [...lines]
    .toSorted(([a], [b]) => (key(a) < key(b) ? -1 : 1))
    .map(([, line]) => line)
    .join("\n")
}

/** Returns the call of `App.make`, on one line if it fits. */
const call = (name: string, entries: ReadonlyArray<string>): string => {
  const line = `export const app = App.make("${name}", [${entries.join(", ")}])`
  if (line.length <= 100) return line
  return `export const app = App.make("${name}", [\n  ${entries.join(",\n  ")}\n])`
}

export const files = (project: Project): Files => {
  const plugins = listed(project)
  const entries = ["...Preset.api", ...plugins.map(({ entry }) => entry)]
  return {
    "src/app.ts": `/** The app: a list of plugins. \`main.ts\` runs it, the tests boot it. */
${imports(plugins)}

${call(project.name, entries)}
`,
    "src/main.ts": `/** The program of the service. */
import { App } from "flange"
import { app } from "./app.ts"

App.run(app)
`
  }
}
