/** Lets one process at a time open a data directory of PGlite. */

import { randomUUID } from "node:crypto"
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { dirname, resolve } from "node:path"
import { setTimeout } from "node:timers/promises"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Thrown from "../../../Config/Thrown.ts"
import { DataDirectoryError } from "../Errors.ts"

interface Owner {
  /** The process of `flange dev`, if the owner is its companion. */
  readonly dev: number | undefined
  readonly host: string
  readonly pid: number
  /** The start time of the process, in the unit of the system. Undefined if it cannot be read. */
  readonly started: string | undefined
}

/**
 * Reads the start time of a process on Linux. It distinguishes a later process with
 * the same id.
 */
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

/** Creates the file with its content in one step. Returns false if the file exists. */
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

const lock = async (directory: string, file: string, dev: number | undefined): Promise<void> => {
  const own: Owner = {
    dev,
    host: hostname(),
    pid: process.pid,
    started: await startOf(process.pid)
  }
  if (await claim(file, JSON.stringify(own))) return
  const owner = await ownerOf(file)
  if (owner !== undefined && (await isAlive(owner))) {
    throw new DataDirectoryError({
      dev: owner.dev,
      directory,
      pid: owner.pid,
      reason: "it is in use"
    })
  }
  // The owner was killed. PGlite recovers its data when it opens the directory.
  await rm(file, { force: true })
  await claim(file, JSON.stringify(own))
  // Another process may take over the lock at the same moment. The last one wins.
  await setTimeout(100)
  const winner = await ownerOf(file)
  if (winner?.pid !== own.pid) {
    throw new DataDirectoryError({
      dev: winner?.dev,
      directory,
      pid: winner?.pid,
      reason: "it is in use"
    })
  }
}

/**
 * Locks the directory for this process until the scope closes, and creates its
 * parent directories. PGlite itself lets several processes write to one directory.
 *
 * The lock is the file `<directory>.lock`. A lock is taken over if its process was
 * killed, or if it was taken on another machine, where the process cannot be checked. It names the
 * process of `flange dev` if that is given.
 *
 * Fails with `DataDirectoryError` if another process holds the lock, or if the
 * directory cannot be used.
 */
export const acquire = (
  path: string,
  dev?: number
): Effect.Effect<string, DataDirectoryError, Scope.Scope> => {
  const directory = resolve(path)
  const file = `${directory}.lock`
  return Effect.acquireRelease(
    Effect.tryPromise({
      catch: (cause) =>
        cause instanceof DataDirectoryError
          ? cause
          : new DataDirectoryError({
              dev: undefined,
              directory,
              pid: undefined,
              reason: Thrown.messageOf(cause)
            }),
      try: async () => {
        await mkdir(dirname(directory), { recursive: true })
        await lock(directory, file, dev)
        return directory
      }
    }),
    () => Effect.promise(() => rm(file, { force: true }))
  )
}
