/** Writes a client as an npm package into a folder. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as SemVer from "effect/SemVer"
import type { CommandError } from "../../Plugin/Cli.ts"
import { version as flange } from "../../Plugin/Version.ts"
import * as Packages from "../Bundle/Packages.ts"
import { shown } from "../Bundle/Warnings.ts"
import { sentenceOf, unusable } from "../Failure.ts"
import * as Files from "../Files.ts"
import * as Manifest from "../Manifest.ts"

/** A client that is not written yet. */
export interface Client {
  /** The id of the app. */
  readonly app: string
  /** The texts of the files but `package.json`, by their paths. */
  readonly files: ReadonlyMap<string, string>
  readonly name: string
  /** The packages that it imports. */
  readonly packages: ReadonlySet<string>
  /** The folder from which the app finds its packages. */
  readonly root: string
  readonly version: string
}

/** A `package.json`. */
interface Members {
  readonly [member: string]: unknown
  readonly version?: string
}

const read = (folder: string): Members =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))

/** Refuses a name that npm refuses, and a version that is not one of Semantic Versioning. */
export const check = (name: string, version: string): Effect.Effect<void, CommandError> => {
  if (!/^(?:@[a-z\d~-][a-z\d._~-]*\/)?[a-z\d~-][a-z\d._~-]*$/.test(name)) {
    return Effect.fail(
      unusable(
        `${JSON.stringify(name)} is not a name of a package. Write: --name @acme/orders-client`
      )
    )
  }
  return Result.isSuccess(SemVer.parse(version))
    ? Effect.void
    : Effect.fail(
        unusable(
          `The version of the app is ${JSON.stringify(version)}, and npm takes versions such as 1.4.0. Set app.version`
        )
      )
}

/**
 * Checks that a folder is absent, empty, or has a client that `flange client` wrote. Returns the
 * `package.json` of that client.
 */
export const earlier = (folder: string): Effect.Effect<Members, CommandError> =>
  Effect.suspend(() => {
    if (!existsSync(folder)) return Effect.succeed({})
    try {
      if (readdirSync(folder).length === 0) return Effect.succeed({})
      const manifest = read(folder)
      if (manifest["flangeClient"] !== undefined) return Effect.succeed(manifest)
    } catch {
      // It is a file, or has no package.json.
    }
    return Effect.fail(
      unusable(
        `${folder} exists, and flange client did not write it. Write to a folder of its own: --out packages/client`
      )
    )
  })

/**
 * Writes the files, all of them or none. Members of an earlier `package.json` that are not the command's
 * stay. Returns the paths.
 */
export const write = (
  folder: string,
  client: Client,
  before: Members
): Effect.Effect<ReadonlyArray<string>, CommandError> =>
  Effect.gen(function* () {
    const changes = yield* Effect.try({
      catch: (cause) => unusable(`${folder} cannot be written: ${sentenceOf(cause)}`, cause),
      try: () => changesOf(folder, client, before)
    })
    yield* Files.change(changes)
    return changes
      .flatMap(({ after, path }) => (after === undefined ? [] : [shown(path)]))
      .toSorted()
  })

/** Returns the changes. The first makes the folder one that a next run may write, if this one is killed. */
const changesOf = (
  folder: string,
  client: Client,
  before: Members
): ReadonlyArray<Files.Change> => {
  const manifest = { ...before, ...manifestOf(client) }
  const texts = new Map([
    ["package.json", `${JSON.stringify(manifest, undefined, 2)}\n`],
    ...[...client.files].sort()
  ])
  const types = join(folder, "types")
  const earlier = existsSync(types)
    ? readdirSync(types, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name))
    : []
  const written = [...texts].map(([path, text]) => ({ after: text, path: join(folder, path) }))
  const kept = new Set(written.map(({ path }) => path))
  const removed = earlier
    .filter((path) => !kept.has(path))
    .map((path) => ({ after: undefined, path }))
  return [...written, ...removed].map((each) => ({ ...each, before: Files.textOf(each.path) }))
}

/**
 * Returns the `package.json`. `effect` and `flange` are peers, because a client shares their values
 * with the program that uses it.
 */
const manifestOf = ({ app, name, packages, root, version }: Client): Members => {
  const others = [...new Set([...packages].map(Packages.nameOf))]
    .filter((specifier) => specifier !== "effect" && specifier !== "flange")
    .sort()
  return {
    dependencies: Object.fromEntries(
      others.flatMap((other) => {
        const found = Packages.find(root, other)
        return found === undefined ? [] : [[other, `^${read(found.folder).version}`]]
      })
    ),
    exports: {
      // The compiler takes the first that fits.
      ".": Object.fromEntries([
        ["types", "./index.d.ts"],
        ["default", "./index.js"]
      ]),
      "./package.json": "./package.json"
    },
    files: ["index.d.ts", "index.js", "types"],
    flangeClient: app,
    name,
    peerDependencies: {
      effect: Manifest.read().dependencies["effect"],
      flange: `^${flange}`
    },
    sideEffects: false,
    type: "module",
    version
  }
}
