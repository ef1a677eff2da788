// Memory while 2 GiB come as a form and are sent back as a static file, and small static files against `send` on bare
// node:http. The growth is from the peak of the first 256 MiB. The client is in the same process.
// Run: node bench/files.ts         Options: --quick (512 MiB, and shorter turns)
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, open, rm, writeFile } from "node:fs/promises"
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as Files from "flange/Files"
import { Upload, uploadErrors } from "flange/Files/Contract"
import { TestApp } from "flange/Testing"
import { freePort } from "../test/Layers/Redis/server.ts"
import { table } from "./lib/Table.ts"

const { values } = parseArgs({
  options: {
    folder: { type: "string" },
    // A listener that a process of its own measures.
    measure: { type: "string" },
    port: { type: "string" },
    quick: { default: false, type: "boolean" },
    // A server of static files: its name. The process serves until it is ended.
    serve: { type: "string" }
  }
})

const mebibyte = 2 ** 20
const size = (values.quick ? 512 : 2048) * mebibyte
const warmUp = 256 * mebibyte

const BigForm = Upload.multipart({ big: Upload.file({ maxBytes: 4096 * mebibyte }) })

class BigApi extends HttpApiGroup.make("big").add(
  HttpApiEndpoint.post("add", "/big", {
    error: uploadErrors,
    payload: BigForm,
    success: Schema.Int
  })
) {}

const appOf = (directory: string, server: object = {}) =>
  App.make(
    "files",
    [
      Plugin.make("bench:files", {
        routes: [
          Route.public(BigApi, (handlers) =>
            handlers.handleAll({
              add: ({ payload }) =>
                Effect.map(
                  Files.receive(BigForm, payload, { big: Files.toDisk({ directory }) }),
                  ({ big }) => big.size
                )
            })
          ),
          Files.serve("/files", { access: "public", directory })
        ]
      })
    ],
    { config: { values: { server } } }
  )

/** Runs what a promise does. Returns the peak of the resident memory in bytes, and the seconds. */
const measured = async (run: () => Promise<unknown>) => {
  let peak = 0
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 20)
  const begun = performance.now()
  try {
    await run()
  } finally {
    clearInterval(timer)
  }
  return { peak, seconds: (performance.now() - begun) / 1000 }
}

const piece = Buffer.alloc(65_536, "x")

/** Sends a form with a file of this length, as fast as the server reads it. */
const up = async (url: string, length: number) => {
  const head = `--b\r\nContent-Disposition: form-data; name="big"; filename="big"\r\n\r\n`
  const end = "\r\n--b--\r\n"
  const headers = {
    "content-length": head.length + length + end.length,
    "content-type": "multipart/form-data; boundary=b"
  }
  const outgoing = request(`${url}/big`, { headers, method: "POST" })
  const answered = once(outgoing, "response")
  outgoing.write(head)
  for (let at = 0; at < length; at += piece.length) {
    if (!outgoing.write(piece)) await once(outgoing, "drain")
  }
  outgoing.end(end)
  const [reply] = (await answered) as [IncomingMessage]
  let text = ""
  for await (const chunk of reply) text += String(chunk)
  if (text !== String(length)) throw new Error(`${reply.statusCode} ${text}`)
}

const down = async (url: string, name: string, length: number) => {
  const reply = await fetch(`${url}/files/${name}`)
  let read = 0
  for await (const chunk of reply.body!) read += chunk.length
  if (read !== length) throw new Error(`${read} of ${length} bytes came back`)
}

const grow = async (path: string, length: number) => {
  const file = await open(path, "w")
  for (let at = 0; at < length; at += piece.length) await file.write(piece)
  await file.close()
}

const run = (listener: string, folder: string) =>
  Effect.gen(function* () {
    const { url } = yield* TestApp.listening(appOf(folder), { config: { server: { listener } } })
    return yield* Effect.promise(async () => {
      await grow(join(folder, "warm.bin"), warmUp)
      await grow(join(folder, "big.bin"), size)
      const first = await measured(async () => {
        await up(url, warmUp)
        await down(url, "warm.bin", warmUp)
      })
      const sent = await measured(() => up(url, size))
      const read = await measured(() => down(url, "big.bin", size))
      return [
        first.peak / mebibyte,
        ...[sent, read].flatMap(({ peak, seconds }) => [
          (peak - first.peak) / mebibyte,
          size / mebibyte / seconds
        ])
      ].map((value) => value.toFixed(0))
    })
  }).pipe(Effect.scoped)

// Small files.

const require = createRequire(import.meta.url)

/** Serves the files of a folder with that of Express on bare node:http, without any framework. */
const serveBare = (folder: string, port: number): void => {
  const send = require("send") as (
    incoming: IncomingMessage,
    path: string,
    options: object
  ) => { readonly pipe: (reply: ServerResponse) => void }
  const server = createServer((incoming, reply) => {
    send(incoming, incoming.url!.slice("/files".length), { root: folder }).pipe(reply)
  })
  server.listen(port, "127.0.0.1")
}

/** Starts this file as a process. */
const start = (...options: ReadonlyArray<string>) =>
  spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1), ...options], {
    stdio: ["ignore", "pipe", "inherit"]
  })

/** Reads a file over 32 connections. Returns the replies in a second. */
const load = async (url: string, milliseconds: number): Promise<number> => {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  const end = performance.now() + milliseconds
  const begun = performance.now()
  let replies = 0
  const client = async () => {
    while (performance.now() < end) {
      const outgoing = request(url, { agent })
      outgoing.end()
      const [reply] = (await once(outgoing, "response")) as [IncomingMessage]
      if (reply.statusCode !== 200) throw new Error(`The status is ${reply.statusCode}`)
      reply.resume()
      await once(reply, "end")
      replies++
    }
  }
  await Promise.all(Array.from({ length: 32 }, client))
  agent.destroy()
  return (replies * 1000) / (performance.now() - begun)
}

const servers = ["node", "proxied", "send"]

/** Compares the servers: the best of three turns, in which each has the same time. */
const compare = async (folder: string) => {
  await writeFile(join(folder, "small.js"), "export const answer = 42\n".repeat(160))
  await writeFile(join(folder, "middle.js"), "export const answer = 42\n".repeat(8000))
  const rows: Array<ReadonlyArray<string>> = []
  const ports = await Promise.all(servers.map(freePort))
  const urls = ports.map((port) => `http://127.0.0.1:${port}`)
  const children = servers.map((name, i) =>
    start("--serve", name, "--folder", folder, "--port", String(ports[i]))
  )
  try {
    for (const { stdout } of children) stdout.resume()
    for (const url of urls) await serving(url)
    for (const file of ["small.js", "middle.js"]) {
      const best = servers.map(() => 0)
      for (let turn = 0; turn < 3; turn++) {
        for (const [i, url] of urls.entries()) {
          const rate = await load(`${url}/files/${file}`, values.quick ? 1000 : 4000)
          best[i] = Math.max(best[i] ?? 0, rate)
        }
      }
      const [node = 0, proxied = 0, send = 0] = best
      rows.push([
        file,
        send.toFixed(0),
        ...[node, proxied].flatMap((rate) => [rate.toFixed(0), (rate / send).toFixed(2)])
      ])
    }
  } finally {
    for (const process of children) process.kill()
  }
  return rows
}

/** Waits until a server answers. */
const serving = async (url: string): Promise<void> => {
  for (;;) {
    try {
      return void (await fetch(url))
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

const temporary = () => mkdtemp(join(tmpdir(), "flange-files-"))

if (values.serve !== undefined) {
  const folder = values.folder ?? "."
  const port = Number(values.port)
  if (values.serve === "send") serveBare(folder, port)
  else App.run(appOf(folder, { host: "127.0.0.1", listener: values.serve, port }))
} else if (values.measure !== undefined) {
  const folder = await temporary()
  try {
    console.log(JSON.stringify(await Effect.runPromise(run(values.measure, folder))))
  } finally {
    await rm(folder, { force: true, recursive: true })
  }
} else {
  const rows: Array<ReadonlyArray<string>> = []
  for (const listener of ["node", "proxied"]) {
    const { stdout } = start("--measure", listener)
    let text = ""
    for await (const chunk of stdout) text += String(chunk)
    rows.push([listener, ...(JSON.parse(text) as ReadonlyArray<string>)])
  }
  console.log(`\n${size / mebibyte} MiB up to disk and down\n`)
  const columns = ["listener", "peak MiB before", "up: growth", "MiB/s", "down: growth", "MiB/s"]
  console.log(table(columns, rows))
  const folder = await temporary()
  try {
    const compared = await compare(folder)
    console.log("\nReplies in a second with a file of 4 kB and one of 200 kB\n")
    console.log(table(["file", "send", "node", "ratio", "proxied", "ratio"], compared))
  } finally {
    await rm(folder, { force: true, recursive: true })
  }
}
