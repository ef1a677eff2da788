// Open-loop load: requests leave at a constant rate, whether or not earlier ones were answered.
// The latency of a request counts from the time at which it should have left, so a server that
// stalls is charged for everything that waited (no "coordinated omission").
// A process of its own, so that it has a core of its own; its argument is `OpenLoopOptions` as JSON.
import { connect, type Socket } from "node:net"
import type { Request } from "./Workload.ts"

export interface OpenLoopOptions {
  readonly connections: number
  readonly port: number
  /** Requests per second. */
  readonly rate: number
  readonly requests: ReadonlyArray<Request>
  readonly seconds: number
  /** Sent before anything is counted. */
  readonly warmUpSeconds: number
}

export interface OpenLoopResult {
  /** Requests per second that were answered. */
  readonly answered: number
  /** Milliseconds; null where so much waited that nothing of the counted time was answered. */
  readonly p50: number | null
  readonly p99: number | null
  readonly p999: number | null
}

const options = JSON.parse(process.argv[2]!) as OpenLoopOptions

const heads = options.requests.map(({ body, headers, method, path }) => {
  const lines = Object.entries({
    host: "127.0.0.1",
    ...headers,
    ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) })
  }).map(([name, value]) => `${name}: ${value}`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body ?? ""}`)
})

interface Connection {
  /** When the request that it carries should have left; 0 while it carries none. */
  due: number
  received: Buffer | undefined
  readonly socket: Socket
}

const end = Buffer.from("\r\n\r\n")

/** The length of the reply at the start of these bytes; undefined while it is not all there. */
const replyLength = (bytes: Buffer): number | undefined => {
  const head = bytes.indexOf(end)
  if (head === -1) return undefined
  const text = bytes.toString("latin1", 0, head)
  if (!text.startsWith("HTTP/1.1 2")) throw new Error(`Answered ${text.slice(0, 30)} under load`)
  const length = /\r\ncontent-length: (\d+)/i.exec(text)
  if (length !== null) return head + 4 + Number(length[1])
  const last = bytes.indexOf("\r\n0\r\n\r\n", head)
  return last === -1 ? undefined : last + 7
}

const idle: Array<Connection> = []
const latencies: Array<number> = []
let answered = 0
let usual = 0
let sent = 0

const now = () => performance.now()
const start = now() + 200
const counted = start + options.warmUpSeconds * 1000
const stop = counted + options.seconds * 1000
const interval = 1000 / options.rate

const onData = (connection: Connection, chunk: Buffer) => {
  const bytes =
    connection.received === undefined ? chunk : Buffer.concat([connection.received, chunk])
  // Most replies are as long as the one before, whose head was read.
  if (bytes.length !== usual || bytes[9] !== 0x32) {
    const length = replyLength(bytes)
    if (length === undefined || bytes.length < length) {
      connection.received = bytes
      return
    }
    usual = length
  }
  connection.received = undefined
  if (connection.due >= counted && connection.due < stop) {
    latencies.push(now() - connection.due)
    answered++
  }
  connection.due = 0
  idle.push(connection)
}

const open = () =>
  new Promise<void>((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", noDelay: true, port: options.port })
    const connection: Connection = { due: 0, received: undefined, socket }
    socket.on("connect", () => {
      idle.push(connection)
      resolve()
    })
    socket.on("data", (chunk: Buffer) => onData(connection, chunk))
    socket.on("error", reject)
  })

await Promise.all(Array.from({ length: options.connections }, open))

const report = () => {
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? null
  const result: OpenLoopResult = {
    answered: answered / options.seconds,
    p50: at(0.5),
    p99: at(0.99),
    p999: at(0.999)
  }
  process.stdout.write(JSON.stringify(result), () => process.exit(0))
}

// Spins instead of sleeping: a timer is a millisecond late, and this process has its core to itself.
const tick = () => {
  const time = now()
  // What is due and finds no idle connection waits, and its wait counts.
  for (;;) {
    const due = start + sent * interval
    if (due > time || due >= stop) break
    const connection = idle.pop()
    if (connection === undefined) break
    connection.due = due
    connection.socket.write(heads[sent % heads.length]!)
    sent++
  }
  if (time > stop + 500) report()
  else setImmediate(tick)
}
tick()
