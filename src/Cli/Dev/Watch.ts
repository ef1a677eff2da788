/** Watches the files of a project. */
import { type FSWatcher, readdirSync, statSync, watch } from "node:fs"
import { basename, join } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { CommandError } from "../../Plugin/Cli.ts"
import { sentenceOf } from "../Failure.ts"

/** A watch over folders. */
export interface Watch {
  /** Watches one more folder, without those in it. */
  readonly add: (folder: string) => void
}

/** One change brings several events, and a formatter writes right after an editor. */
const quietMillis = 15

const isIgnored = (name: string): boolean =>
  name.startsWith(".") || name === "node_modules" || name === "dist"

const foldersIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !isIgnored(entry.name))
    .map(({ name }) => join(folder, name))

/** Calls `onChange` with the files in a folder, and in the folders in it, that change. */
export const make = (
  root: string,
  onChange: (paths: ReadonlySet<string>) => void
): Effect.Effect<Watch, CommandError, Scope.Scope> =>
  Effect.gen(function* () {
    const watched = new Map<string, { readonly inode: number; readonly watcher: FSWatcher }>()
    let changed = new Set<string>()
    let timer: NodeJS.Timeout | undefined
    const note = (path: string) => {
      changed.add(path)
      clearTimeout(timer)
      timer = setTimeout(() => {
        const paths = changed
        changed = new Set()
        onChange(paths)
      }, quietMillis)
    }
    const forget = (folder: string) => {
      watched.get(folder)?.watcher.close()
      watched.delete(folder)
    }
    const add = (folder: string) => {
      const inode = statSync(folder).ino
      if (watched.get(folder)?.inode === inode) return
      // A folder that was removed and made again is another one.
      forget(folder)
      const watcher = watch(folder, (_, name) => {
        if (name !== null) see(join(folder, name))
      })
      watcher.once("error", () => forget(folder))
      watched.set(folder, { inode, watcher })
    }
    const addAll = (folder: string) => {
      add(folder)
      for (const each of foldersIn(folder)) addAll(each)
    }
    const see = (path: string) => {
      const stats = statSync(path, { throwIfNoEntry: false })
      if (stats?.isDirectory() !== true) {
        forget(path)
        return note(path)
      }
      if (isIgnored(basename(path)) || watched.get(path)?.inode === stats.ino) return
      addAll(path)
      // They may have been written before the folder was watched.
      for (const name of readdirSync(path, { recursive: true })) note(join(path, String(name)))
    }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        clearTimeout(timer)
        for (const folder of watched.keys()) forget(folder)
      })
    )
    yield* Effect.try({
      catch: (cause) =>
        new CommandError({
          cause,
          exitCode: 1,
          reason: `The folder ${root} cannot be watched: ${sentenceOf(cause)}. If the system has too few watches, raise fs.inotify.max_user_watches`
        }),
      try: () => addAll(root)
    })
    return { add }
  })
