/** The file of an app: finds it, and loads the app without running it. */
import { existsSync, statSync } from "node:fs"
import { basename, join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import type * as AppDefinition from "../Plugin/AppDefinition.ts"
import type { CommandError } from "../Plugin/Cli.ts"
import * as Handover from "../Plugin/Handover.ts"
import * as Plugin from "../Plugin/Plugin.ts"
import { unusable } from "./Failure.ts"
import * as Output from "./Output.ts"

/** The files that are looked for, in this order. */
export const usual: ReadonlyArray<string> = ["app", "main"].flatMap((name) =>
  [".ts", ".mts", ".js", ".mjs"].flatMap((end) => [join("src", name + end), name + end])
)

/** The usual files of a program, and after them those of an app. */
export const programs: ReadonlyArray<string> = usual.toSorted(
  (a, b) => Number(basename(b).startsWith("main")) - Number(basename(a).startsWith("main"))
)

/** Returns the usual file of an app in the working directory. */
export const found = (): Option.Option<string> =>
  Option.fromUndefinedOr(usual.find((path) => existsSync(path)))

/**
 * Returns the file that is named, or else the first of the usual files that exists. Fails with
 * `CommandError` if it is no file.
 */
export const locate = (
  named: Option.Option<string>,
  files: ReadonlyArray<string> = usual
): Effect.Effect<string, CommandError> =>
  Effect.gen(function* () {
    const path = Option.getOrElse(named, () => files.find((file) => existsSync(file)))
    if (path === undefined) {
      return yield* unusable(
        `No app was found in ${process.cwd()}: there is no src/app.ts, app.ts, src/main.ts or main.ts. Name its file: --app services/orders/app.ts`
      )
    }
    if (!existsSync(path)) {
      return yield* unusable(
        `The file ${path} does not exist. Write the path of the file that exports the app, relative to ${process.cwd()}`
      )
    }
    if (statSync(path).isDirectory()) {
      return yield* unusable(
        `${path} is a folder. Write the file in it that exports the app, such as ${join(path, "app.ts")}`
      )
    }
    return path
  })

/**
 * Loads the app of a file, or of the usual file: the export `app`, the only app among the exports,
 * or the app that the file runs with `App.run`. Nothing is run. Fails with `CommandError` if there is
 * no such file, if it cannot be loaded, and if it has no app or several.
 */
export const load = (
  named: Option.Option<string>
): Effect.Effect<AppDefinition.Any, CommandError> =>
  Effect.gen(function* () {
    const path = yield* locate(named)
    const { exported, ran } = yield* Output.diverted(imported(path))
    return yield* appOf(path, exported, ran)
  })

/** What a file exports, and the apps that it runs. */
interface Imported {
  readonly exported: Readonly<Record<string, unknown>>
  readonly ran: ReadonlyArray<AppDefinition.Any>
}

const imported = (path: string): Effect.Effect<Imported, CommandError> => {
  const ran: Array<AppDefinition.Any> = []
  return Effect.tryPromise({
    catch: (cause) => unusable(`The file ${path} cannot be loaded: ${reasonOf(cause)}`, cause),
    try: () =>
      Handover.during(
        (app) => ran.push(app),
        async () => {
          const file = resolve(path)
          const { argv } = process
          // Programs read arguments of their own, which are not those of the command.
          process.argv = [argv[0]!, file]
          try {
            return { exported: await import(pathToFileURL(file).href), ran }
          } finally {
            process.argv = argv
          }
        }
      )
  })
}

/** Returns the message of an error, and the place in the sources, which Node puts above the stack. */
const reasonOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  const place = /^(?:file:\/\/)?(\/[^\n]*:\d+)\n/.exec(cause.stack ?? "")?.[1]
  return place === undefined ? cause.message : `${cause.message} (${place})`
}

const appOf = (
  path: string,
  exported: Imported["exported"],
  ran: Imported["ran"]
): Effect.Effect<AppDefinition.Any, CommandError> => {
  const apps = new Map(
    Object.entries(exported).filter((entry): entry is [string, AppDefinition.Any] =>
      isApp(entry[1])
    )
  )
  const chosen = apps.get("app") ?? apps.get("default")
  if (chosen !== undefined) return Effect.succeed(chosen)
  const others = new Set([...apps.values(), ...ran])
  const [only] = others
  if (only !== undefined && others.size === 1) return Effect.succeed(only)
  if (only !== undefined) {
    const ids = [...others].map(({ id }) => `"${id}"`).join(", ")
    return Effect.fail(unusable(`The file ${path} has several apps: ${ids}. Export one as \`app\``))
  }
  const names = Object.keys(exported)
  const has = names.length === 0 ? "exports nothing" : `exports ${names.join(", ")}`
  return Effect.fail(
    unusable(
      `The file ${path} has no app: it ${has}. Write: export const app = App.make("orders", [...])`
    )
  )
}

const isApp = (value: unknown): value is AppDefinition.Any =>
  hasProperty(value, "id") &&
  typeof value.id === "string" &&
  hasProperty(value, "plugins") &&
  Array.isArray(value.plugins) &&
  value.plugins.every(Plugin.isPlugin)
