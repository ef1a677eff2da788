/** The generators of `flange generate`: each reads the project and returns what it would write. */
import { existsSync, globSync, readFileSync, statSync } from "node:fs"
import { posix } from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { CommandError } from "../../Plugin/Cli.ts"
import { unusable } from "../Failure.ts"
import * as ActionFiles from "./ActionFiles.ts"
import * as AppSource from "./AppSource.ts"
import * as ClientFile from "./ClientFile.ts"
import type { Access } from "./ContractFile.ts"
import * as Crud from "./Crud.ts"
import * as EndpointFiles from "./EndpointFiles.ts"
import * as Fields from "./Fields.ts"
import * as MigrationFile from "./MigrationFile.ts"
import * as Names from "./Names.ts"
import * as ServiceFiles from "./ServiceFiles.ts"
import * as Syntax from "./Syntax.ts"
import { type Generated, generated } from "./Wiring.ts"

/** Fails with the sentence of a result. */
const orRefuse = <A>(result: Result.Result<A, string>): Effect.Effect<A, CommandError> =>
  Effect.mapError(Effect.fromResult(result), unusable)

/** The file of the app that the command line names. */
type Named = Option.Option<string>

/** Reads the app. Fails with `CommandError` if tests cannot import it. */
const appOf = (named: Named) =>
  Effect.gen(function* () {
    const parse = yield* Syntax.parser
    const app = yield* AppSource.read(parse, yield* AppSource.folders(named))
    const { exportName, file } = app
    if (exportName === undefined) {
      return yield* unusable(
        `${file} exports no app, or several of which none is named app. Tests import it, so write: export const app = App.make("orders", [...])`
      )
    }
    return { app: { ...app, exportName }, parse }
  })

type App = Effect.Success<ReturnType<typeof appOf>>["app"]

const placesOf = (
  { chains, exportName, file, root, tests }: App,
  folder: string,
  access: "protected" | "public" = "public"
) => Crud.places({ access, app: file, appName: exportName, chains, root, tests }, folder)

/** Returns the number of the next migration, with the width of the highest one. */
const nextMigration = (root: string): string => {
  const numbers = globSync("{migrations,*/migrations}/*", { cwd: root }).flatMap((path) => {
    const digits = /^(\d+)_/.exec(path.split(/[\\/]/).at(-1)!)?.[1]
    return digits === undefined ? [] : [digits]
  })
  const highest = numbers.sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)).at(-1) ?? "0000"
  return String(BigInt(highest) + 1n).padStart(highest.length, "0")
}

/** What the command line says about an endpoint. */
export interface EndpointOptions {
  readonly crud: boolean
  readonly fields: Option.Option<string>
  readonly method: Option.Option<keyof typeof EndpointFiles.methods>
  readonly name: string
  readonly path: Option.Option<string>
  readonly protected: boolean
  readonly public: boolean
  readonly singular: Option.Option<string>
  readonly store: Option.Option<"database" | "memory">
}

/** Returns the flags that do not go together. */
const conflictOf = (options: EndpointOptions): string | undefined => {
  if (options.protected && options.public) {
    return "--protected and --public exclude each other. Write one of them"
  }
  const forCrud = (["fields", "singular", "store"] as const).find((name) =>
    Option.isSome(options[name])
  )
  const forOne = (["method", "path"] as const).find((name) => Option.isSome(options[name]))
  if (options.crud && forOne !== undefined) {
    return `--${forOne} is for one endpoint, and --crud generates six. Leave one of the two out`
  }
  if (!options.crud && forCrud !== undefined) return `--${forCrud} needs --crud. Add it`
  return options.crud && Option.isNone(options.fields)
    ? "--crud needs the fields of the data. Write for example --fields 'name:string, total:int?'"
    : undefined
}

const accessOf = (options: EndpointOptions, { chains, file }: App) => {
  const isKnown = chains !== undefined
  const access: Access = options.protected || (isKnown && !options.public) ? "protected" : "public"
  const notes =
    access === "protected" && !isKnown
      ? [
          `${file} has no plugin that authenticates, so the app does not compile: add Auth.plugin of flange/Auth`
        ]
      : access === "public" && !options.public
        ? [
            `Everybody may call the endpoints: ${file} has no plugin that authenticates. For --protected, add Auth.plugin of flange/Auth`
          ]
        : []
  return { access, notes }
}

const storeOf = ({ store }: EndpointOptions, { file, hasDatabase }: App) => {
  const chosen = Option.getOrElse(store, () => (hasDatabase ? "database" : "memory"))
  const notes =
    chosen === "database" && !hasDatabase
      ? [
          `${file} has no database, so the app does not compile: add Database.plugin of flange/Database`
        ]
      : chosen === "memory" && Option.isNone(store)
        ? [
            `The data is in memory until the process ends: ${file} has no Database.plugin. For tables, add it or write --store database`
          ]
        : []
  return { notes, store: chosen }
}

const crud = Effect.fnUntraced(function* (options: EndpointOptions, app: App) {
  const singular = Option.getOrUndefined(options.singular)
  const { plural } = yield* orRefuse(Names.names(options.name, singular))
  const fields = yield* orRefuse(
    Result.mapError(
      Fields.parse(Option.getOrElse(options.fields, () => "")),
      (problems) => `--fields cannot be used:\n${problems.map((each) => `  ${each}`).join("\n")}`
    )
  )
  const { access, notes } = accessOf(options, app)
  const { notes: storeNotes, store } = storeOf(options, app)
  const creates = Crud.files({
    access,
    app: app.file,
    appName: app.exportName,
    chains: app.chains,
    fields,
    migration: nextMigration(app.root),
    name: options.name,
    root: app.root,
    singular,
    store,
    tests: app.tests
  })
  return yield* generated(
    app,
    creates,
    {
      file: posix.join(app.root, plural.kebab, `${plural.pascal}Plugin.ts`),
      name: `${plural.pascal}Plugin`,
      writes: true
    },
    [...notes, ...storeNotes]
  )
})

/** Generates a feature: one endpoint, or those of data that is created, read, changed and removed. */
export const endpoint = Effect.fnUntraced(function* (options: EndpointOptions, named: Named) {
  const conflict = conflictOf(options)
  if (conflict !== undefined) return yield* unusable(conflict)
  const { app } = yield* appOf(named)
  if (options.crud) return yield* crud(options, app)
  const name = yield* orRefuse(Names.name(options.name))
  const folder = posix.join(app.root, name.kebab)
  const path = Option.getOrElse(options.path, () => `/v1/${name.kebab}`)
  const method = Option.getOrElse(options.method, () => "get" as const)
  yield* orRefuse(EndpointFiles.parameters(path))
  const { access, notes } = accessOf(options, app)
  const { tests } = app
  const places = placesOf(app, folder, access)
  return yield* generated(
    app,
    EndpointFiles.files({ access, folder, method, name, path, places, tests }),
    {
      file: posix.join(folder, `${name.pascal}Plugin.ts`),
      name: `${name.pascal}Plugin`,
      writes: method !== "get"
    },
    notes
  )
})

/** Generates a plugin with a service. */
export const plugin = Effect.fnUntraced(function* (text: string, named: Named) {
  const { app } = yield* appOf(named)
  const name = yield* orRefuse(Names.declared(text))
  const folder = posix.join(app.root, name.kebab)
  const creates = ServiceFiles.files({
    folder,
    name,
    places: placesOf(app, folder),
    tests: app.tests
  })
  const file = posix.join(folder, `${name.pascal}Plugin.ts`)
  return yield* generated(app, creates, { file, name: `${name.pascal}Plugin`, writes: false }, [])
})

/** Generates an empty migration. */
export const migration = Effect.fnUntraced(function* (
  text: string,
  isModule: boolean,
  named: Named
) {
  const { root } = yield* AppSource.folders(named)
  const name = yield* orRefuse(Names.name(text))
  const file = `${nextMigration(root)}_${name.snake}.${isModule ? "ts" : "sql"}`
  const creates = { [posix.join(root, "migrations", file)]: MigrationFile.empty(name, isModule) }
  return { notes: [], plan: { creates, edits: {} }, unwired: undefined } satisfies Generated
})

/** Generates an action of a feature, and adds it to the plugin of the feature. */
export const action = Effect.fnUntraced(function* (
  action: string,
  file: Option.Option<string>,
  named: Named
) {
  const [feature, verb, ...others] = action.split(".")
  if (feature === undefined || verb === undefined || others.length > 0) {
    return yield* unusable(
      `"${action}" is not the name of an action of a feature. Write the feature and what is done, such as orders.archive`
    )
  }
  const { app, parse } = yield* appOf(named)
  const owner = yield* orRefuse(Names.name(feature))
  const name = yield* orRefuse(
    Names.name(`${owner.kebab}-${(yield* orRefuse(Names.name(verb))).kebab}`)
  )
  const usual = posix.join(app.root, owner.kebab, `${owner.pascal}Plugin.ts`)
  const path = posix.normalize(Option.getOrElse(file, () => usual).replaceAll("\\", "/"))
  if (!existsSync(path) || statSync(path).isDirectory()) {
    return yield* unusable(
      `There is no file ${path} with the plugin of the feature. Name its file: --plugin ${usual}`
    )
  }
  const folder = posix.dirname(path)
  const creates = ActionFiles.files({
    action: `${owner.camel}.${verb}`,
    folder,
    name,
    places: placesOf(app, folder),
    tests: app.tests
  })
  const module = yield* Syntax.parsing(() => parse(path, readFileSync(path, "utf8")))
  const added = `${name.pascal}Action`
  const source = `./${name.pascal}.ts`
  const edited = ActionFiles.added(module, added, source)
  return {
    notes: [],
    plan: { creates, edits: edited === undefined ? {} : { [path]: edited } },
    unwired:
      edited === undefined
        ? `${path} has no single Plugin.make("...", { ... }) to which the action can be added. Add these lines yourself:\n  import { ${added} } from "${source}"\n  Plugin.make("...", { actions: [${added}], ... })`
        : undefined
  } satisfies Generated
})

/** Generates the typed client of the contracts of the project. */
export const client = Effect.fnUntraced(function* (out: Option.Option<string>, named: Named) {
  const { app, parse } = yield* appOf(named)
  const file = posix.normalize(
    Option.getOrElse(out, () => posix.join(app.root, "client.ts")).replaceAll("\\", "/")
  )
  if (!file.endsWith(".ts") || file.startsWith("..") || posix.isAbsolute(file)) {
    return yield* unusable(
      `--out ${file} is not a file of the project. Write the path of a TypeScript file below the working directory, such as src/client.ts`
    )
  }
  const found = yield* Syntax.parsing(() => ClientFile.contracts(parse, app.root))
  const names = found.map(({ name }) => name)
  const twice = found.filter(({ name }) => names.indexOf(name) !== names.lastIndexOf(name))
  if (found.length === 0) {
    return yield* unusable(
      `No file below ${app.root} exports a contract. Write one first: flange generate endpoint orders`
    )
  }
  if (twice.length > 0) {
    return yield* unusable(
      `Contracts have the same name. Rename one of them:\n${twice.map(({ file, name }) => `  ${name} in ${file}`).join("\n")}`
    )
  }
  const notes = found.flatMap(({ name, serverCode }) =>
    serverCode.map((source) => `A browser cannot import ${name}, because it imports ${source}`)
  )
  const text = ClientFile.text(file, app.id ?? "app", found)
  return {
    notes,
    plan: { creates: { [file]: text }, edits: {} },
    unwired: undefined
  } satisfies Generated
})
