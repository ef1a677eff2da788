// Memory while 2 GiB are streamed to an object store and back: to a directory, and to S3 with
// @20minutes/s3rver as a process of its own. The growth is from the peak of the first 256 MiB.
// Run: node bench/objects.ts       Options: --quick (512 MiB)
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { App } from "flange"
import * as ObjectStore from "flange/ObjectStore"
import { TestApp } from "flange/Testing"
import { freePort } from "../test/Layers/Redis/server.ts"
import { table } from "./lib/Table.ts"

const { values } = parseArgs({
  options: {
    // A backend that a process of its own measures: its settings as JSON.
    measure: { type: "string" },
    quick: { default: false, type: "boolean" }
  }
})

const mebibyte = 2 ** 20
const size = (values.quick ? 512 : 2048) * mebibyte
const warmUp = 256 * mebibyte

const startS3rver = async (folder: string, port: number) => {
  const file = join(import.meta.dirname, "../test/Layers/ObjectStore/fixtures/s3rver.mjs")
  const child = spawn(process.execPath, ["--openssl-legacy-provider", file, folder, String(port)], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  await once(child.stdout, "data")
  return child
}

const sectionsOf = (folder: string, port: number) => ({
  "a directory": { backend: "directory", directory: join(folder, "directory") },
  S3: {
    accessKeyId: "S3RVER",
    backend: "s3",
    bucket: "shop",
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    region: "eu-central-1",
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    secretAccessKey: "S3RVER"
  }
})

/** Content of new chunks of 64 KiB, as a socket brings them. */
const content = (bytes: number) =>
  Stream.fromIterable(
    {
      *[Symbol.iterator]() {
        for (let at = 0; at < bytes; at += 65_536) yield Buffer.alloc(65_536, at / 65_536)
      }
    },
    // Without it the stream would hold 4096 chunks.
    { chunkSize: 1 }
  )

const up = (bytes: number) =>
  ObjectStore.ObjectStore.use((store) => store.put("big", content(bytes)))

const down = (bytes: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const store = yield* ObjectStore.ObjectStore
      const { stream } = yield* store.get("big")
      const read = yield* Stream.runFold(
        stream,
        () => 0,
        (sum, { length }) => sum + length
      )
      if (read !== bytes) throw new Error(`${read} of ${bytes} bytes came back`)
    })
  )

/** Runs an effect. Returns the peak of the resident memory in bytes, and the seconds. */
const measured = <E, R>(effect: Effect.Effect<unknown, E, R>) =>
  Effect.gen(function* () {
    let peak = 0
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss())
    }, 20)
    const begun = performance.now()
    yield* Effect.ensuring(
      effect,
      Effect.sync(() => clearInterval(timer))
    )
    return { peak, seconds: (performance.now() - begun) / 1000 }
  })

const run = (objectStore: object) =>
  Effect.scoped(
    Effect.gen(function* () {
      const test = yield* TestApp.make(
        App.make("objects", [ObjectStore.plugin], { config: { values: { objectStore } } })
      )
      return yield* test.run(
        Effect.gen(function* () {
          const first = yield* measured(Effect.andThen(up(warmUp), down(warmUp)))
          const sent = yield* measured(up(size))
          const read = yield* measured(down(size))
          return [
            first.peak / mebibyte,
            ...[sent, read].flatMap(({ peak, seconds }) => [
              (peak - first.peak) / mebibyte,
              size / mebibyte / seconds
            ])
          ].map((value) => value.toFixed(0))
        })
      )
    })
  )

/** Measures a backend in a process of its own, so that its memory is that of no other. */
const measure = async (section: object): Promise<ReadonlyArray<string>> => {
  const child = spawn(
    process.execPath,
    [...process.execArgv, ...process.argv.slice(1), "--measure", JSON.stringify(section)],
    { stdio: ["ignore", "pipe", "inherit"] }
  )
  let text = ""
  child.stdout.on("data", (piece) => (text += piece))
  const [code] = (await once(child, "close")) as [number]
  if (code !== 0) throw new Error(`The process ended with ${code}`)
  return JSON.parse(text) as ReadonlyArray<string> // what `run` returns
}

if (values.measure !== undefined) {
  console.log(JSON.stringify(await Effect.runPromise(run(JSON.parse(values.measure) as object))))
} else {
  const folder = await mkdtemp(join(tmpdir(), "flange-objects-"))
  const port = await freePort()
  const server = await startS3rver(join(folder, "s3"), port)
  try {
    const rows: Array<ReadonlyArray<string>> = []
    for (const [name, section] of Object.entries(sectionsOf(folder, port))) {
      rows.push([name, ...(await measure(section))])
    }
    console.log(`\n${size / mebibyte} MiB up and down\n`)
    console.log(
      table(["backend", "peak MiB before", "up: growth", "MiB/s", "down: growth", "MiB/s"], rows)
    )
  } finally {
    server.kill()
    await rm(folder, { force: true, recursive: true })
  }
}
