// Files of certificates that change in ways that their folders do not tell.
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { onChange } from "../../../../../src/Server/Listener/Node/Tls/Reload.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "flange-reload-"))),
  (path) => Effect.sync(() => rmSync(path, { force: true, recursive: true }))
)

/** Watches a file, and returns a wait for the next reload. */
const watching = (file: string, poll?: number) =>
  Effect.gen(function* () {
    const reloads = yield* Queue.unbounded<void>()
    const reload = async () => void Queue.offerUnsafe(reloads, undefined)
    yield* onChange([file], reload, poll)
    // The first one comes without a change.
    yield* Queue.take(reloads)
    return Queue.take(reloads)
  })

const version = (path: string, name: string) => {
  mkdirSync(join(path, name))
  writeFileSync(join(path, name, "tls.crt"), name)
}

describe("files of certificates are read again", () => {
  it.live("after a link to their folder is replaced", () =>
    Effect.gen(function* () {
      const path = yield* folder
      version(path, "1")
      symlinkSync("1", join(path, "current"))
      const next = yield* watching(join(path, "current", "tls.crt"), 20)
      version(path, "2")
      symlinkSync("2", join(path, "new"))
      renameSync(join(path, "new"), join(path, "current"))
      yield* next
    })
  )

  it.live("after a file changes to which a link of another folder leads", () =>
    Effect.gen(function* () {
      const path = yield* folder
      version(path, "archive")
      mkdirSync(join(path, "live"))
      symlinkSync("../archive/tls.crt", join(path, "live", "tls.crt"))
      const next = yield* watching(join(path, "live", "tls.crt"), 20)
      writeFileSync(join(path, "archive", "tls.crt"), "changed")
      yield* next
    })
  )

  it.live("after their folder is removed, and again after it is made again", () =>
    Effect.gen(function* () {
      const path = yield* folder
      version(path, "1")
      const next = yield* watching(join(path, "1", "tls.crt"), 20)
      rmSync(join(path, "1"), { recursive: true })
      yield* next
      version(path, "1")
      yield* next
    })
  )

  it.live("while other files of their folder change all the time", () =>
    Effect.gen(function* () {
      const path = yield* folder
      version(path, "1")
      const next = yield* watching(join(path, "1", "tls.crt"))
      writeFileSync(join(path, "1", "tls.crt"), "changed")
      const busy = setInterval(() => appendFileSync(join(path, "1", "service.log"), "line\n"), 20)
      yield* Effect.ensuring(
        next,
        Effect.sync(() => clearInterval(busy))
      )
    })
  )
})
