/** The data directory of PGlite: one process at a time. */

import { randomUUID } from "node:crypto"
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { dirname, resolve } from "node:path"
import { setTimeout } from "node:timers/promises"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { DataDirectoryError } from "../Errors.ts"

interface Owner {
  readonly host: string
  readonly pid: number
  /** When the process began, as the system counts it; undefined where it cannot be read. */
  readonly started: string | undefined
}

/** Tells a process from a later one with the same number, on Linux. */
const startOf = async (pid: number): Promise<string | undefined> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8")
    // The name in parentheses may hold spaces; the start time is field 22.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]
  } catch {
    return undefined
  }
}

const isAlive = async (owner: Owner): Promise<boolean> => {
  if (owner.host !== hostname()) return false
  try {
    process.kill(owner.pid, 0)
  } catch (cause) {
    if (!hasProperty(cause, "code") || cause.code !== "EPERM") return false
  }
  return owner.started === (await startOf(owner.pid))
}

const ownerOf = async (file: string): Promise<Owner | undefined> => {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Owner // only `lock` writes it
  } catch {
    return undefined
  }
}

/** Makes the file with its content in one step; false when there is one already. */
const claim = async (file: string, content: string): Promise<boolean> => {
  const own = `${file}.${randomUUID()}`
  await writeFile(own, content)
  try {
    await link(own, file)
    return true
  } catch (cause) {
    if (hasProperty(cause, "code") && cause.code === "EEXIST") return false
    throw cause
  } finally {
    await rm(own, { force: true })
  }
}

const lock = async (directory: string, file: string): Promise<void> => {
  const own: Owner = {
    host: hostname(),
    pid: process.pid,
    started: await startOf(process.pid)
  }
  if (await claim(file, JSON.stringify(own))) return
  const owner = await ownerOf(file)
  if (owner !== undefined && (await isAlive(owner))) {
    throw new DataDirectoryError({ directory, pid: owner.pid, reason: "it is in use" })
  }
  // Its process was killed: PGlite recovers the data when it opens.
  await rm(file, { force: true })
  await claim(file, JSON.stringify(own))
  // Another process may take it over at the same moment; the last one wins.
  await setTimeout(100)
  const winner = await ownerOf(file)
  if (winner?.pid !== own.pid) {
    throw new DataDirectoryError({ directory, pid: winner?.pid, reason: "it is in use" })
  }
}

/**
 * Takes the directory for this process until the scope closes; its parents are
 * made. PGlite itself would let two processes write to it.
 *
 * The lock is a file beside it, `<directory>.lock`. That of a process which was
 * killed is taken over; that of another machine too, since it cannot be asked.
 *
 * Fails with `DataDirectoryError`.
 */
export const acquire = (path: string): Effect.Effect<string, DataDirectoryError, Scope.Scope> => {
  const directory = resolve(path)
  const file = `${directory}.lock`
  return Effect.acquireRelease(
    Effect.tryPromise({
      catch: (cause) =>
        cause instanceof DataDirectoryError
          ? cause
          : new DataDirectoryError({
              directory,
              pid: undefined,
              reason: cause instanceof Error ? cause.message : String(cause)
            }),
      try: async () => {
        await mkdir(dirname(directory), { recursive: true })
        await lock(directory, file)
        return directory
      }
    }),
    () => Effect.promise(() => rm(file, { force: true }))
  )
}
