/** Watches the files of a project. */
import { type FSWatcher, lstatSync, readdirSync, statSync, watch } from "node:fs"
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
      const inode = statSync(folder, { throwIfNoEntry: false })?.ino
      if (inode === undefined || watched.get(folder)?.inode === inode) return
      // A folder that was removed and made again is another one.
      forget(folder)
      const watcher = watch(folder, (_, name) => {
        if (name !== null) see(join(folder, name))
      })
      watcher.once("error", () => forget(folder))
      watched.set(folder, { inode, watcher })
    }
    /** Adds a folder and those in it. Calls `found` with each path. */
    const addAll = (folder: string, found: (path: string) => void) => {
      add(folder)
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (isIgnored(entry.name)) continue
        const path = join(folder, entry.name)
        found(path)
        if (entry.isDirectory()) addAll(path, found)
      }
    }
    const see = (path: string) => {
      // A link to a folder is not followed: it may lead anywhere.
      const stats = lstatSync(path, { throwIfNoEntry: false })
      if (stats?.isDirectory() !== true) {
        forget(path)
        return note(path)
      }
      if (isIgnored(basename(path)) || watched.get(path)?.inode === stats.ino) return
      try {
        // Files may have been written before the folder was watched.
        addAll(path, note)
      } catch {
        // The folder was removed meanwhile, or may not be read.
        forget(path)
        note(path)
      }
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
      try: () => addAll(root, () => {})
    })
    return { add }
  })
