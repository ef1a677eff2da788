/** Reads certificates again when their files change. */
import { unwatchFile, watch, watchFile } from "node:fs"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** How long files must be quiet before they are read, in milliseconds: two files change one by one. */
const quietMillis = 200

/** How often files are looked at where folders cannot be watched, in milliseconds. */
const pollMillis = 10_000

/**
 * Runs `reload` after files have changed, one run after the other, and once at first: they may have changed since
 * they were read, before anything watched them. It watches their folders: where
 * Kubernetes replaces the files it swaps a link beside them, and the files themselves have no event.
 */
export const onChange = (
  files: ReadonlyArray<string>,
  reload: () => Promise<void>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      let timer: NodeJS.Timeout | undefined
      let running = Promise.resolve()
      const changed = () => {
        clearTimeout(timer)
        timer = setTimeout(() => {
          running = running.then(reload)
        }, quietMillis)
      }
      const stops = [...new Set(files.map((file) => dirname(file)))].map((folder) => {
        try {
          const watcher = watch(folder, { persistent: false }, changed).on("error", changed)
          return () => watcher.close()
        } catch {
          // The machine allows a limited number of watched folders.
          const own = files.filter((file) => dirname(file) === folder)
          for (const file of own) {
            watchFile(file, { interval: pollMillis, persistent: false }, changed)
          }
          return () => {
            for (const file of own) unwatchFile(file, changed)
          }
        }
      })
      if (files.length > 0) changed()
      return () => {
        clearTimeout(timer)
        for (const stop of stops) stop()
      }
    }),
    (stop) => Effect.sync(stop)
  ).pipe(Effect.asVoid)
