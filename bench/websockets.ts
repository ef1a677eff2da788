/**
 * The memory of idle WebSockets and the time of a broadcast to them: Flange's listeners beside node:http
 * with `ws`. The clients are raw connections in this process.
 * Run: node bench/websockets.ts        Options: --clients --rounds
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
  { environment: {}, name: "node:http and ws", script: "websocketsWs" },
  { environment: { LISTENER: "node" }, name: "Flange, node", script: "websocketsFlange" },
  { environment: { LISTENER: "proxied" }, name: "Flange, proxied", script: "websocketsFlange" }
]

const handshake = [
  "GET /news HTTP/1.1",
  "Host: 127.0.0.1",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "",
  ""
].join("\r\n")

/** Opens one WebSocket. */
const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(handshake))
    socket.once("error", reject)
    socket.once("data", (head) => {
      if (head.toString("latin1").startsWith("HTTP/1.1 101")) resolve(socket)
      else reject(new Error(head.toString("latin1")))
    })
  })

const ask = async <A>(port: number, path: string, method = "GET"): Promise<A> => {
  const reply = await fetch(`http://127.0.0.1:${port}${path}`, { method })
  return (await reply.json()) as A
}

interface Memory {
  readonly heap: number
  readonly resident: number
}

/** Returns the bytes for each connection, and the milliseconds of a broadcast. */
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
    // What the first connection loads is not a cost of the others.
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
      await ask(server.port, "/broadcast", "POST")
      await arrived
      millis.push(performance.now() - start)
    }
    return {
      broadcast: Math.min(...millis),
      heap: (after.heap - before.heap) / clients,
      resident: (after.resident - before.resident) / clients
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
      broadcastMillis: Math.round(median(measured.map(({ broadcast }) => broadcast))),
      heapBytes: Math.round(median(measured.map(({ heap }) => heap))),
      residentBytes: Math.round(median(measured.map(({ resident }) => resident)))
    }
  ])
)
const bare = results[peers[0]!.name]!
console.log(
  table(
    ["", "resident bytes each", "ratio", "heap bytes each", "broadcast ms"],
    Object.entries(results).map(([name, { broadcastMillis, heapBytes, residentBytes }]) => [
      name,
      String(residentBytes),
      (residentBytes / bare.residentBytes).toFixed(2),
      String(heapBytes),
      String(broadcastMillis)
    ])
  )
)
Report.write("websockets.json", { clients, date: new Date().toISOString(), results, rounds })
process.exit(0)
