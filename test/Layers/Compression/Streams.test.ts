/** Streams and long bodies: early pieces, slow and leaving clients, sources that fail, memory. */
import { get, type IncomingMessage } from "node:http"
import { type Transform } from "node:stream"
import { createBrotliDecompress, createGunzip, createZstdDecompress } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { opened, places, type Test, textOf } from "./fixtures.ts"

const decoders: Readonly<Record<string, () => Transform>> = {
  br: createBrotliDecompress,
  gzip: createGunzip,
  zstd: createZstdDecompress
}

const begin = (test: Test, path: string, coding: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    get(test.url + path, { agent: false, headers: { "accept-encoding": coding } }, resolve).on(
      "error",
      reject
    )
  })

/** Waits for something that happens sooner or later. */
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe.each(places.slice(1))("compressed streams %s", (_place, boot) => {
  const test = (name: string, run: (test: Test) => Promise<void>) =>
    it.live(name, () =>
      Effect.scoped(Effect.flatMap(boot({}), (app) => Effect.promise(() => run(app))))
    )

  for (const coding of Object.keys(decoders)) {
    test(`what a ${coding} stream has brought arrives while its source waits`, async (app) => {
      const released = opened.released
      const reply = await begin(app, "/hanging", coding)
      assert.strictEqual(reply.headers["content-encoding"], coding)
      const decoder = reply.pipe(decoders[coding]!())
      const expected = Buffer.from(textOf(100))
      let received = Buffer.alloc(0)
      decoder.on("data", (piece: Buffer) => (received = Buffer.concat([received, piece])))
      await until(() => received.length === expected.length)
      assert.isTrue(received.equals(expected))
      // The client leaves, and the source is released.
      reply.destroy()
      await until(() => opened.released > released)
    })
  }

  test("an event stream is not compressed", async (app) => {
    const reply = await begin(app, "/stream/events", "br")
    assert.isUndefined(reply.headers["content-encoding"])
    assert.isUndefined(reply.headers["vary"])
    reply.destroy()
  })

  test("a source that fails cuts the reply, and the log has the cause once", async (app) => {
    const reply = await begin(app, "/broken", "gzip")
    assert.strictEqual(reply.statusCode, 200)
    const decoder = createGunzip()
    let received = 0
    decoder.on("data", (piece: Buffer) => (received += piece.length))
    reply.on("data", (piece: Buffer) => decoder.write(piece))
    const cut = new Promise<Error | undefined>((resolve) => {
      reply.on("error", resolve)
      reply.on("end", () => resolve(undefined))
    })
    await until(() => received === Buffer.byteLength(textOf(100)))
    opened.end()
    assert.isDefined(await cut)
    await until(() => app.logs.some(({ level }) => level === "Error"))
    const failures = app.logs.filter(({ level }) => level === "Error")
    assert.strictEqual(failures.length, 1)
    assert.include(Cause.pretty(failures[0]!.cause!), "the source broke")
  })

  test("a client that reads nothing stops the source, and one that leaves releases it", async (app) => {
    opened.pulled = 0
    const released = opened.released
    const reply = await begin(app, "/stream/endless", "br")
    reply.pause()
    let before = -1
    // The buffers of the sockets and of the compressor fill up.
    while (opened.pulled !== before) {
      before = opened.pulled
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    // 64 KiB each. The buffers of the kernel for a connection on loopback are a few megabytes.
    assert.isBelow(opened.pulled, 400)
    reply.destroy()
    await until(() => opened.released > released)
  })

  test("a client that leaves while its reply is compressed ends the request", async (app) => {
    for (const size of [900_000, 20_000_000]) {
      await new Promise<void>((resolve) => {
        const request = get(
          `${app.url}/json/${size}`,
          { agent: false, headers: { "accept-encoding": "br" } },
          (reply) => reply.destroy()
        )
        request.on("error", () => {})
        request.on("close", resolve)
        setTimeout(() => request.destroy(), 5)
      })
    }
    // The app answers the next one.
    const reply = await begin(app, "/json/3000", "br")
    assert.strictEqual(reply.headers["content-encoding"], "br")
    reply.destroy()
  })

  test("a long body takes no memory for its compressed form", async (app) => {
    const reply = await begin(app, "/json/100000000", "gzip")
    const decoder = reply.pipe(createGunzip())
    let length = 0
    let peak = 0
    for await (const piece of decoder as AsyncIterable<Buffer>) {
      length += piece.length
      peak = Math.max(peak, process.memoryUsage().arrayBuffers)
    }
    assert.strictEqual(length, Buffer.byteLength(textOf(100_000_000)) + 2)
    // The body alone, as bytes, would take as much.
    assert.isBelow(peak, length)
  })
})
