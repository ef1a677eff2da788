/** Reads certificates again when their files change. */
import { unwatchFile, watch, watchFile } from "node:fs"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** How long files must be quiet before they are read, in milliseconds: two files change one by one. */
const quietMillis = 200

/** How long a change waits at most, in milliseconds: a folder with a log is never quiet. */
const maxWaitMillis = 2000

/** How often files are looked at, in milliseconds. */
const pollMillis = 10_000

/**
 * Runs `reload` after files have changed, one run after the other, and once at first: they may have changed
 * since they were read, before anything watched them. It watches their folders: where Kubernetes replaces the
 * files it swaps a link beside them, and the files themselves have no event. Every `poll` milliseconds it also
 * looks at the files: a folder that was replaced, a link to another folder, and some file systems have no event
 * at all.
 */
export const onChange = (
  files: ReadonlyArray<string>,
  reload: () => Promise<void>,
  poll: number = pollMillis
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      let timer: NodeJS.Timeout | undefined
      let running = Promise.resolve()
      /** When the first change came that waits; undefined if none waits. */
      let since: number | undefined
      const changed = () => {
        const now = performance.now()
        since ??= now
        clearTimeout(timer)
        timer = setTimeout(
          () => {
            since = undefined
            running = running.then(reload)
          },
          Math.min(quietMillis, since + maxWaitMillis - now)
        )
      }
      const watchers = [...new Set(files.map((file) => dirname(file)))].flatMap((folder) => {
        try {
          return [watch(folder, { persistent: false }, changed).on("error", changed)]
        } catch {
          // The machine allows a limited number of watched folders.
          return []
        }
      })
      for (const file of files) watchFile(file, { interval: poll, persistent: false }, changed)
      if (files.length > 0) changed()
      return () => {
        clearTimeout(timer)
        for (const watcher of watchers) watcher.close()
        for (const file of files) unwatchFile(file, changed)
      }
    }),
    (stop) => Effect.sync(stop)
  ).pipe(Effect.asVoid)
