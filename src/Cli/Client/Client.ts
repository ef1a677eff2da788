/** `flange client`: makes a package with the typed client of an app. */
import { mkdirSync, mkdtempSync, realpathSync, rmdirSync, rmSync } from "node:fs"
import { dirname, join, relative, sep } from "node:path"
import { pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import type * as AppDefinition from "../../Plugin/AppDefinition.ts"
import { CommandError } from "../../Plugin/Cli.ts"
import { rootOf } from "../Bundle/Packages.ts"
import { shown } from "../Bundle/Warnings.ts"
import { sentenceOf } from "../Failure.ts"
import * as Document from "../OpenApi/Document.ts"
import { objectOf } from "../OpenApi/Schemas.ts"
import * as Output from "../Output.ts"
import * as Contracts from "./Contracts.ts"
import * as Declarations from "./Declarations.ts"
import { leadsToServer } from "./Graph.ts"
import * as Modules from "./Modules.ts"
import * as Package from "./Package.ts"

/** What to make, and where. */
export interface Options {
  /** The file of the app. */
  readonly file: string
  /** The name of the package; undefined for that of the app. */
  readonly name: string | undefined
  readonly out: string
  /** The groups to leave out. */
  readonly without: ReadonlyArray<string>
}

/** A client that was written. */
export interface Made {
  /** The names that it exports. */
  readonly exports: ReadonlyArray<string>
  /** The files, as paths from the working directory. */
  readonly files: ReadonlyArray<string>
  readonly name: string
  readonly version: string
}

/**
 * Makes a package with the typed client of an app: the contracts that its plugins serve, with their
 * schemas and errors, and the function `make`. The package has no server code. Nothing is written if
 * it would have some.
 */
export const make = (
  app: AppDefinition.Any,
  { file, name = `${app.id}-client`, out, without }: Options
) =>
  Effect.gen(function* () {
    const { info } = objectOf(yield* Document.of(app))
    const version = String(objectOf(info)["version"])
    yield* Package.check(name, version)
    const before = yield* Package.earlier(out)
    const esbuild = yield* Effect.tryPromise({
      catch: () =>
        new CommandError({
          exitCode: 1,
          reason: "esbuild is not installed. Run: npm install -D esbuild"
        }),
      try: () => import("esbuild")
    })
    const bundle = (entry: Parameters<typeof Modules.bundle>[1]) =>
      Effect.tryPromise({
        catch: (cause) =>
          new CommandError({
            cause,
            exitCode: 1,
            reason: `The client cannot be bundled: ${sentenceOf(cause)}`
          }),
        try: () => Modules.bundle(esbuild, entry)
      })
    const real = realpathSync(file)
    const root = rootOf(dirname(real)) ?? dirname(real)
    const { graph } = yield* bundle({ file: real })
    const contracts = yield* Output.diverted(Contracts.find(app, graph, without))
    const { declarations, modules } = yield* withWorkspace(root, (workspace) =>
      Effect.gen(function* () {
        const imported = importsOf(contracts, workspace)
        const alone = yield* bundle({ code: imported.join("\n"), folder: workspace })
        const all = [...contracts.groups, ...(contracts.envelope ? [contracts.envelope] : [])]
        const used = [...new Set([...all.map(({ file }) => file), ...alone.used])].sort()
        yield* refuseClashes(used)
        const code = sourceOf(app.id, contracts, used, workspace)
        const modules = yield* bundle({ code, folder: workspace })
        yield* Contracts.refuseServer(
          all,
          modules.graph,
          (one) => leadsToServer(one) && modules.packages.has(one.specifier)
        )
        const declarations = yield* Declarations.make({
          code,
          graph: modules.graph,
          root,
          workspace
        })
        yield* Contracts.refuseServer(all, declarations.graph, leadsToServer)
        return { declarations, modules }
      })
    )
    const header = `// Made by flange client from the contracts of ${JSON.stringify(app.id)}.\n`
    const files = yield* Package.write(
      out,
      {
        app: app.id,
        files: new Map([["index.js", header + modules.code], ...declarations.files]),
        name,
        packages: new Set([...modules.packages, ...declarations.packages]),
        root,
        version
      },
      before
    )
    return { exports: modules.exports.toSorted(), files, name, version } satisfies Made
  })

/** Runs an effect with a folder in the project, which is removed at the end. */
const withWorkspace = <A, E, R>(
  root: string,
  use: (workspace: string) => Effect.Effect<A, E, R>
): Effect.Effect<A, CommandError | E, R> => {
  const parent = join(root, ".flange")
  return Effect.acquireUseRelease(
    Effect.try({
      catch: (cause) =>
        new CommandError({
          cause,
          exitCode: 1,
          reason: `The compiler needs a folder in ${parent}, which cannot be made: ${sentenceOf(cause)}`
        }),
      try: () => {
        mkdirSync(parent, { recursive: true })
        return mkdtempSync(join(parent, "client-"))
      }
    }),
    use,
    (workspace) =>
      Effect.sync(() => {
        rmSync(workspace, { force: true, recursive: true })
        try {
          rmdirSync(parent)
        } catch {
          // It has files of the app.
        }
      })
  )
}

const specifier = (workspace: string, file: string): string =>
  JSON.stringify(relative(workspace, file).split(sep).join("/"))

/** Returns the imports of the contracts, and of the envelope. */
const importsOf = ({ envelope, groups }: Contracts.Contracts, workspace: string) => [
  ...groups.map(
    ({ file, name }, i) => `export { ${name} as group${i} } from ${specifier(workspace, file)}`
  ),
  ...(envelope === undefined
    ? []
    : [`export { ${envelope.name} as envelope } from ${specifier(workspace, envelope.file)}`])
]

/** Returns the entry of the package. */
const sourceOf = (
  id: string,
  contracts: Contracts.Contracts,
  used: ReadonlyArray<string>,
  workspace: string
): string => {
  const names = contracts.groups.map((_, i) => `group${i}`).join(", ")
  const types = contracts.groups.map((_, i) => `typeof group${i}`).join(" | ")
  const isEnveloped = contracts.envelope !== undefined
  return [
    'import * as HttpApi from "effect/http-api/HttpApi"',
    `import { Client${isEnveloped ? ", ErrorEnvelope" : ""} } from "flange/Contract"`,
    ...importsOf(contracts, workspace).map((line) => line.replace("export", "import")),
    ...used.map((file) => `export * from ${specifier(workspace, file)}`),
    "",
    `/** The contract of the app. */`,
    `export const api = HttpApi.make(${JSON.stringify(id)}).add(${names})${
      isEnveloped ? ".annotate(ErrorEnvelope.Envelope, envelope)" : ""
    }`,
    "",
    "/** Creates the client of the app at `baseUrl`: a method for each endpoint, by its group. */",
    "export const make = (",
    "  options: Client.Options & { readonly baseUrl: URL | string }",
    // Without the type, its declaration would have every schema once more.
    `): ReturnType<typeof Client.make<${JSON.stringify(id)}, ${types}>> => Client.make(api, options)`,
    ""
  ].join("\n")
}

/** The names that the package exports itself. */
const own = "flange client"

/** Fails if two modules export different values of one name. The app has loaded them. */
const refuseClashes = (files: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const known = new Map<string, readonly [value: unknown, file: string]>([
      ["api", [own, own]],
      ["make", [own, own]]
    ])
    const clashes: Array<string> = []
    for (const file of files) {
      const exported = yield* Effect.promise(
        (): Promise<Readonly<Record<string, unknown>>> => import(pathToFileURL(file).href)
      )
      for (const [name, value] of Object.entries(exported)) {
        const [other, at] = known.get(name) ?? [value, file]
        known.set(name, [other, at])
        if (name !== "default" && other !== value) {
          clashes.push(
            `${shown(file)} exports ${name}, and so does ${at === own ? at : shown(at)}: a client has one export of each name. Rename it in ${shown(file)}, or do not export it`
          )
        }
      }
    }
    if (clashes.length > 0) {
      return yield* new CommandError({ exitCode: 1, reason: clashes.join("\n") })
    }
  })
