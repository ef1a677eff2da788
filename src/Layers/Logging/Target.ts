/** Targets of lines: streams of the process, and files. */
import { closeSync, openSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Config from "../../Config/index.ts"
import * as Thrown from "../../Config/Thrown.ts"

/** A stream of the process or a file that lines are written to. */
export interface Target {
  readonly close: () => void
  readonly fd: () => number
  /** `stdout`, `stderr`, or the path of the file. */
  readonly name: string
  /** Opens the file at the path again; undefined for a stream. */
  readonly reopen: (() => void) | undefined
}

const guarded = new Set<string>()

/**
 * Returns a stream of the process; undefined where its descriptor is not known. The process goes on if
 * the stream fails, such as with EPIPE when its reader has gone. The listener stays: other code of the
 * process may still write there.
 */
export const stream = (name: "stderr" | "stdout"): Target | undefined => {
  const fd: unknown = globalThis.process?.[name]?.fd
  if (typeof fd !== "number") return undefined
  if (!guarded.has(name)) {
    guarded.add(name)
    // Node has made a pipe non-blocking now, because the stream was read above.
    process[name].on("error", () => {})
  }
  return { close: () => {}, fd: () => fd, name, reopen: undefined }
}

const open = (path: string): number => openSync(path, "a", 0o640)

/** Opens a file for appending. `key` is the setting that has its path. */
export const file = (path: string, key: string): Effect.Effect<Target, Config.ConfigError> =>
  Effect.try({
    catch: (error) => {
      const reason = Thrown.messageOf(error)
      return new Config.ConfigError({
        problems: [
          {
            expected: "the path of a file in a folder that exists and that the process may write",
            key: `logging.${key}`,
            message: `${JSON.stringify(path)} cannot be opened for appending (${reason}): make its folder and let the process write there, or write another path.`,
            nearest: undefined,
            received: JSON.stringify(path),
            source: "the file system"
          }
        ]
      })
    },
    try: () => {
      let fd: number | undefined = open(path)
      const close = () => {
        if (fd !== undefined) closeSync(fd)
        fd = undefined
      }
      return {
        close,
        fd: () => {
          // The last lines of an app come after the release of its plugins.
          if (fd === undefined) setImmediate(close)
          return (fd ??= open(path))
        },
        name: path,
        reopen: () => {
          const next = open(path)
          close()
          fd = next
        }
      }
    }
  })
