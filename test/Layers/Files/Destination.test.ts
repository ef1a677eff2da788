import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Files from "flange/Files"

const file: Files.IncomingFile = {
  contentType: "text/plain",
  name: "a.txt",
  part: "note",
  stream: Stream.make(new Uint8Array(3))
}

it.effect("the first file in a folder removes what killed processes left there, after a day", () =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "uploads-"))),
      (folder) => Effect.promise(() => rm(folder, { recursive: true }))
    )
    const days = { "flange-upload-new": 0, "flange-upload-old": 2, "mine-old": 2 }
    yield* Effect.promise(async () => {
      for (const [name, age] of Object.entries(days)) {
        await mkdir(join(directory, name))
        await writeFile(join(directory, name, "file"), "content")
        const at = new Date(Date.now() - age * 86_400_000)
        await utimes(join(directory, name), at, at)
      }
    })
    const { size } = yield* Effect.scoped(Files.toDisk({ directory })(file))
    assert.strictEqual(size, 3)
    const left = yield* Effect.promise(() => readdir(directory))
    assert.sameMembers(left, ["flange-upload-new", "mine-old"])
  })
)
