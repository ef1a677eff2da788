/**
 * The memory of idle event streams and the time of one event to all of them: Flange's listeners beside
 * node:http by hand. The clients are raw connections in this process.
 * Run: node bench/realtime.ts        Options: --clients --rounds
 */
import { connect, type Socket } from "node:net"
import { parseArgs } from "node:util"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import { median } from "./lib/Statistics.ts"
import { table } from "./lib/Table.ts"

const { values } = parseArgs({
  options: {
    clients: { default: "5000", type: "string" },
    rounds: { default: "3", type: "string" }
  }
})
const clients = Number(values.clients)
const rounds = Number(values.rounds)

const peers = [
  { environment: {}, name: "node:http", script: "realtimeBare" },
  { environment: { LISTENER: "node" }, name: "Flange, node", script: "realtimeFlange" },
  { environment: { LISTENER: "proxied" }, name: "Flange, proxied", script: "realtimeFlange" }
]

/** Opens one stream, and waits for its first bytes. */
const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    let text = ""
    const socket = connect(port, "127.0.0.1", () =>
      socket.write("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
    )
    const read = (bytes: Buffer) => {
      text += bytes.toString("latin1")
      if (!text.includes("id: 0")) return
      socket.off("data", read)
      resolve(socket)
    }
    socket.once("error", reject)
    socket.on("data", read)
  })

const ask = async <A>(port: number, path: string): Promise<A> => {
  const reply = await fetch(`http://127.0.0.1:${port}${path}`)
  return (await reply.json()) as A
}

interface Memory {
  readonly heap: number
  readonly resident: number
}

/** Returns the bytes for each stream, and the milliseconds of one event to all. */
const measure = async ({ environment, name, script }: (typeof peers)[number]) => {
  const server = await Server.start(
    { arguments: [], name, optional: false, script, title: name },
    {
      environment: { FLANGE_ENV: "production", ...environment },
      runtime: { command: process.execPath, parameters: ["--expose-gc"] },
      tier: "bare",
      until: "/memory"
    }
  )
  const sockets: Array<Socket> = []
  try {
    // What the first streams load is not a cost of the others.
    for (let i = 0; i < 20; i++) sockets.push(await open(server.port))
    const before = await ask<Memory>(server.port, "/memory")
    while (sockets.length < clients + 20) {
      const batch = Math.min(50, clients + 20 - sockets.length)
      sockets.push(...(await Promise.all(Array.from({ length: batch }, () => open(server.port)))))
    }
    const after = await ask<Memory>(server.port, "/memory")
    const millis: Array<number> = []
    for (let i = 0; i < 5; i++) {
      const arrived = Promise.all(
        sockets.map((socket) => new Promise((resolve) => socket.once("data", resolve)))
      )
      const start = performance.now()
      await ask(server.port, "/send")
      await arrived
      millis.push(performance.now() - start)
    }
    return {
      heap: (after.heap - before.heap) / clients,
      resident: (after.resident - before.resident) / clients,
      send: Math.min(...millis)
    }
  } finally {
    for (const socket of sockets) socket.destroy()
    await server.stop()
  }
}

type Measured = Awaited<ReturnType<typeof measure>>

const all = new Map<string, Array<Measured>>(peers.map(({ name }) => [name, []]))
for (let round = 0; round < rounds; round++) {
  for (const peer of peers) all.get(peer.name)!.push(await measure(peer))
}

const results = Object.fromEntries(
  [...all].map(([name, measured]) => [
    name,
    {
      heapBytes: Math.round(median(measured.map(({ heap }) => heap))),
      residentBytes: Math.round(median(measured.map(({ resident }) => resident))),
      sendMillis: Math.round(median(measured.map(({ send }) => send)))
    }
  ])
)
const bare = results[peers[0]!.name]!
console.log(
  table(
    ["", "resident bytes each", "ratio", "heap bytes each", "one event to all, ms"],
    Object.entries(results).map(([name, { heapBytes, residentBytes, sendMillis }]) => [
      name,
      String(residentBytes),
      (residentBytes / bare.residentBytes).toFixed(2),
      String(heapBytes),
      String(sendMillis)
    ])
  )
)
Report.write("realtime.json", { clients, date: new Date().toISOString(), results, rounds })
process.exit(0)
