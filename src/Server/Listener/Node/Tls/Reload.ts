/** Reads certificates again when their files change. */
import { watch } from "node:fs"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** How long files must be quiet before they are read, in milliseconds: two files change one by one. */
const quietMillis = 200

/**
 * Runs `reload` after files have changed, one run after the other. It watches their folders: where
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
      const watchers = [...new Set(files.map((file) => dirname(file)))].map((folder) =>
        watch(folder, { persistent: false }, changed).on("error", changed)
      )
      return () => {
        clearTimeout(timer)
        for (const watcher of watchers) watcher.close()
      }
    }),
    (stop) => Effect.sync(stop)
  ).pipe(Effect.asVoid)
