/** Finds the modules that export the contracts of an app. */
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as String from "effect/String"
import { nearest } from "../../Config/Nearest.ts"
import type * as AppDefinition from "../../Plugin/AppDefinition.ts"
import { CommandError } from "../../Plugin/Cli.ts"
import { isRoute } from "../../Server/Route/Route.ts"
import { shown } from "../Bundle/Warnings.ts"
import * as Graph from "./Graph.ts"

/** An export of a module. */
export interface Export {
  readonly file: string
  readonly name: string
}

/** The exports that a client is made of. */
export interface Contracts {
  /** The envelope of the errors, if the app has one. */
  readonly envelope: Export | undefined
  /** The contracts in the order of the plugins. */
  readonly groups: ReadonlyArray<Export>
}

/** What each module of the app exports. The app is loaded, so nothing runs again. */
type Exported = ReadonlyMap<string, Readonly<Record<string, unknown>>>

/** Loads the modules that the app imports. */
const load = (graph: Graph.Graph) =>
  Effect.promise(async (): Promise<Exported> => {
    const files = [...graph.keys()].filter((file) => /\.[cm]?[jt]sx?$/.test(file))
    const loaded = files.map(
      async (file) => [file, await import(pathToFileURL(file).href)] as const
    )
    return new Map(await Promise.all(loaded))
  })

/** A contract that a plugin serves. */
interface Served {
  readonly group: HttpApiGroup.Top
  readonly plugin: string
}

/**
 * Returns the exports of the contracts that the plugins of the app serve. The groups of batteries,
 * those with the annotation `OpenApi.Exclude` and those in `without` are left out. Fails with
 * `CommandError` if no module exports one of the others.
 */
export const find = (
  app: AppDefinition.Any,
  graph: Graph.Graph,
  without: ReadonlyArray<string>
): Effect.Effect<Contracts, CommandError> =>
  Effect.gen(function* () {
    const served = app.plugins
      .filter(({ id }) => !id.startsWith("flange:"))
      .flatMap(({ id, manifest }) =>
        manifest.contributions
          .filter(isRoute)
          .flatMap(({ group }): ReadonlyArray<Served> =>
            group === undefined ? [] : [{ group, plugin: id }]
          )
      )
    const names = served.map(({ group }) => group.identifier)
    const unknown = without.find((name) => !names.includes(name))
    if (unknown !== undefined) {
      const near = nearest(unknown, names)
      return yield* new CommandError({
        exitCode: 2,
        reason: `--without ${unknown}: no plugin of the app "${app.id}" serves a group of this name.${near === undefined ? "" : ` Did you mean ${near}?`} It has ${names.join(", ")}`
      })
    }
    const wanted = served.filter(
      ({ group }) =>
        !without.includes(group.identifier) && !Context.get(group.annotations, OpenApi.Exclude)
    )
    if (wanted.length === 0) {
      return yield* new CommandError({
        exitCode: 1,
        reason: `The app "${app.id}" has no contracts for a client: those of batteries, and those with the annotation OpenApi.Exclude, are left out. Serve one with Route.protected or Route.public`
      })
    }
    const exported = yield* load(graph)
    const groups = wanted.map(({ group }) =>
      definingOf(
        graph,
        exported,
        (value) => HttpApiGroup.isHttpApiGroup(value) && isContractOf(value, group)
      )
    )
    const missing = wanted.filter((_, i) => groups[i] === undefined)
    if (missing.length > 0) return yield* notExported(missing)
    const { errors } = app
    const envelope =
      errors === undefined ? undefined : definingOf(graph, exported, (value) => value === errors)
    if (errors !== undefined && envelope === undefined) {
      return yield* new CommandError({
        exitCode: 1,
        reason: `No module of the app exports the envelope of its errors (\`errors\` of App.make), without which a client cannot read them. Export it from a file of its own, such as ShopErrors.ts`
      })
    }
    return { envelope, groups: groups.filter((group) => group !== undefined) }
  })

/** Whether a contract is the one that is served: a route adds middleware to its endpoints. */
const isContractOf = (contract: HttpApiGroup.Top, served: HttpApiGroup.Top): boolean => {
  const names = Object.keys(served.endpoints)
  return (
    contract.identifier === served.identifier &&
    Object.keys(contract.endpoints).length === names.length &&
    names.every((name) => {
      const [own, other] = [contract.endpoints[name], served.endpoints[name]]
      return (
        own !== undefined &&
        own.path === other?.path &&
        own.method === other.method &&
        own.success === other.success &&
        [...own.middlewares].every((key) => other.middlewares.has(key))
      )
    })
  )
}

/** Returns the export of a value in the module that the others have it from. */
const definingOf = (
  graph: Graph.Graph,
  exported: Exported,
  isWanted: (value: unknown) => boolean
): Export | undefined => {
  const found = [...exported].flatMap(([file, values]) =>
    Object.entries(values).flatMap(([name, value]) =>
      isWanted(value) ? [{ file, middlewares: middlewaresOf(value), name }] : []
    )
  )
  const files = new Set(found.map(({ file }) => file))
  return (
    found
      // A contract with more of its middleware knows more errors.
      .sort((a, b) => b.middlewares - a.middlewares)
      .find(({ file }) =>
        [...Graph.reached(graph, [file])].every((other) => other === file || !files.has(other))
      )
  )
}

const middlewaresOf = (value: unknown): number =>
  HttpApiGroup.isHttpApiGroup(value)
    ? Object.values(value.endpoints).reduce((sum, { middlewares }) => sum + middlewares.size, 0)
    : 0

const notExported = (missing: ReadonlyArray<Served>) =>
  new CommandError({
    exitCode: 1,
    reason: missing
      .map(
        ({ group: { identifier }, plugin }) =>
          `No module of the app exports the contract of the group "${identifier}" (plugin "${plugin}"). Move it to a file of its own and export it, such as ${identifier}/${fileOf(identifier)}, or leave it out: --without ${identifier}`
      )
      .join("\n")
  })

/** Returns the usual name of the file of a contract. */
const fileOf = (group: string): string => {
  const words = group.split(/[^a-zA-Z\d]/).map(String.capitalize)
  return `${words.join("")}Api.ts`
}

/** Fails if modules of a client have server code, with the chain of imports that leads to it. */
export const refuseServer = (
  contracts: ReadonlyArray<Export>,
  graph: Graph.Graph,
  isWanted: (one: Graph.Import) => boolean
): Effect.Effect<void, CommandError> => {
  const reasons = contracts.flatMap(({ file, name }) => {
    const files = Graph.reached(graph, [file])
    const own = graph.get(file)?.find(isWanted)
    if (own !== undefined) {
      return [
        `${name} is in ${shown(file)}, which imports ${own.specifier}: it would be server code in the client. Move the contract, with its schemas and errors, to a file of its own, such as ${join(dirname(shown(file)), `${name}.ts`)}`
      ]
    }
    return [...files].some((each) => graph.get(each)?.some(isWanted) === true)
      ? [
          `${name} imports server code, which a client cannot have: ${Graph.chain(graph, file, isWanted)}. Move what the contract needs to a file that imports schemas and flange/Contract only`
        ]
      : []
  })
  return reasons.length === 0
    ? Effect.void
    : Effect.fail(new CommandError({ exitCode: 1, reason: reasons.join("\n") }))
}
