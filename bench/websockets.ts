/**
 * The memory of idle WebSockets and the time of a broadcast to them: Flange's listeners beside node:http
 * with `ws`, and with socket.io. The clients are raw connections in this process.
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
/** How many connections are opened before the measurement: what they load and compile is no cost of the others. */
const first = 500

interface Peer {
  readonly environment: Readonly<Record<string, string>>
  readonly name: string
  readonly path: string
  readonly script: string
}

const flange = { path: "/news", script: "websocketsFlange" }

const peers: ReadonlyArray<Peer> = [
  { environment: {}, name: "node:http and ws", path: "/news", script: "websocketsWs" },
  { ...flange, environment: { LISTENER: "node" }, name: "Flange, node" },
  { ...flange, environment: { LISTENER: "proxied" }, name: "Flange, proxied" },
  {
    environment: {},
    name: "socket.io",
    path: "/socket.io/?EIO=4&transport=websocket",
    script: "websocketsSocketIo"
  }
]

const handshake = (path: string): string =>
  [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "",
    ""
  ].join("\r\n")

/** The frame with which a client of socket.io joins its namespace, the text `40`, masked with zeros. */
const join = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30])

/** Opens one WebSocket. */
const open = (port: number, { path, script }: Peer): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(handshake(path)))
    let text = ""
    let hasJoined = script !== "websocketsSocketIo"
    const read = (bytes: Buffer) => {
      text += bytes.toString("latin1")
      if (!text.startsWith("HTTP/1.1 101")) return reject(new Error(text))
      if (!hasJoined && text.includes('0{"sid"')) {
        hasJoined = true
        text = "HTTP/1.1 101"
        socket.write(join)
      } else if (hasJoined && (script !== "websocketsSocketIo" || text.includes('40{"sid"'))) {
        socket.off("data", read)
        resolve(socket)
      }
    }
    socket.once("error", reject)
    socket.on("data", read)
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
const measure = async (peer: Peer) => {
  const { environment, name, script } = peer
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
    for (let i = 0; i < first; i++) sockets.push(await open(server.port, peer))
    const before = await ask<Memory>(server.port, "/memory")
    while (sockets.length < clients + first) {
      const batch = Math.min(50, clients + first - sockets.length)
      sockets.push(
        ...(await Promise.all(Array.from({ length: batch }, () => open(server.port, peer))))
      )
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
