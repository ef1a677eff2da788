/** `package.json` and `.npmrc` of a new project. */
import * as Manifest from "../../Manifest.ts"
import type { Files, Project } from "../Project.ts"

/** The drivers of each database, and those with which development and tests run without a server. */
const embedded = ["@effect/sql-pg", "@electric-sql/pglite"]
const drivers = {
  mysql: { dependencies: ["mysql2"], devDependencies: embedded },
  none: { dependencies: [], devDependencies: [] },
  pglite: { dependencies: embedded, devDependencies: [] },
  postgres: { dependencies: ["@effect/sql-pg"], devDependencies: ["@electric-sql/pglite"] }
} as const satisfies Record<Project["db"], unknown>

const tools = [
  "@effect/tsgo",
  "@effect/vitest",
  "@types/node",
  "esbuild",
  "node",
  "oxc-parser",
  "oxfmt",
  "oxlint",
  "typescript",
  "vitest"
]

const sorted = (record: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`

export const files = ({ auth, db, flange, name, plugins }: Project): Files => {
  const jwt = auth === "jwt"
  const { dependencies, devDependencies } = drivers[db]
  const manifest = Manifest.read()
  return {
    ".npmrc": "save-exact=true\n",
    "package.json": json({
      // In this order: as npm writes it.
      name,
      version: "0.1.0",
      private: true,
      type: "module",
      scripts: {
        build: "flange build src/main.ts",
        check:
          "tsc && effect-tsgo diagnostics --project tsconfig.json --severity error,warning --strict",
        dev: "flange dev",
        fix: "oxlint --fix && oxfmt",
        format: "oxfmt",
        lint: "oxlint --deny-warnings && oxfmt --check",
        routes: "flange routes",
        start: "node src/main.ts",
        test: "vitest run",
        ...(jwt ? { token: "node tools/token.ts" } : {})
      },
      dependencies: sorted({
        ...Manifest.pinned(manifest, ["effect", ...dependencies, ...(jwt ? ["jose"] : [])]),
        ...Object.fromEntries(plugins.map(({ from, version }) => [from, version])),
        flange
      }),
      devDependencies: sorted(
        Manifest.pinned(manifest, [
          ...tools,
          ...devDependencies,
          ...(jwt ? ["@effect/platform-node"] : [])
        ])
      ),
      engines: manifest.engines,
      allowScripts: manifest.allowScripts
    })
  }
}
