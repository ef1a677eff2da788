// Open-loop load on a server that may refuse: each request leaves when it is due, and waits for no reply to
// an earlier one. A request takes an idle connection if there is one, or else it is pipelined behind
// others. Latency counts from the time at which the request was due ("coordinated omission").
// A process of its own, so that it has a core of its own; its argument is `ArrivalsOptions` as JSON.
import { connect, type Socket } from "node:net"

export interface ArrivalsOptions {
  readonly connections: number
  readonly path: string
  readonly poisson: boolean
  readonly port: number
  /** Requests per second. */
  readonly rate: number
  readonly seconds: number
  /** Sent before anything is counted. */
  readonly warmUpSeconds: number
}

export interface ArrivalsResult {
  /** 200 per second. */
  readonly accepted: number
  /** Replies with 200 that came while the run was counted, per second, to requests of any time. */
  readonly completed: number
  /** Milliseconds of requests that were answered with 200; null if there was none. */
  readonly p50: number | null
  readonly p99: number | null
  /** 503 per second. */
  readonly refused: number
  /** Milliseconds of requests that were answered with 503; null if there was none. */
  readonly refusedP99: number | null
  /** Requests per second that had no answer when the run ended. */
  readonly unanswered: number
}

const options = JSON.parse(process.argv[2]!) as ArrivalsOptions
const request = `GET ${options.path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`

interface Connection {
  /** When the requests that it carries were due, in their order. */
  readonly due: Array<number>
  received: string
  readonly socket: Socket
}

const all: Array<Connection> = []
const idle: Array<Connection> = []
const accepted: Array<number> = []
const refused: Array<number> = []
let completed = 0
let counted = 0

const now = () => performance.now()
const start = now() + 300
const from = start + options.warmUpSeconds * 1000
const until = from + options.seconds * 1000
const interval = 1000 / options.rate

/** The length of the reply at the start of the text; undefined while it is not all there. */
const replyLength = (text: string): number | undefined => {
  const head = text.indexOf("\r\n\r\n")
  if (head === -1) return undefined
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head))
  if (length === null) throw new Error(`A reply without a length: ${text.slice(0, head)}`)
  const end = head + 4 + Number(length[1])
  return text.length < end ? undefined : end
}

const onData = (connection: Connection, chunk: string) => {
  connection.received += chunk
  for (;;) {
    const length = replyLength(connection.received)
    if (length === undefined) return
    const status = connection.received.slice(9, 12)
    connection.received = connection.received.slice(length)
    const due = connection.due.shift()!
    const time = now()
    if (status === "200" && time >= from && time < until) completed++
    if (connection.due.length === 0) idle.push(connection)
    if (due < from || due >= until) continue
    counted--
    if (status === "200") accepted.push(time - due)
    else if (status === "503") refused.push(time - due)
    else throw new Error(`Answered ${status} under load`)
  }
}

const open = () =>
  new Promise<void>((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", noDelay: true, port: options.port })
    const connection: Connection = { due: [], received: "", socket }
    socket.setEncoding("latin1")
    socket.on("connect", () => {
      all.push(connection)
      idle.push(connection)
      resolve()
    })
    socket.on("data", (chunk: string) => onData(connection, chunk))
    socket.on("error", reject)
  })

await Promise.all(Array.from({ length: options.connections }, open))

const at = (latencies: Array<number>, share: number) =>
  latencies.sort((a, b) => a - b)[Math.floor((latencies.length - 1) * share)] ?? null

const report = () => {
  const perSecond = (count: number) => count / options.seconds
  const result: ArrivalsResult = {
    accepted: perSecond(accepted.length),
    completed: perSecond(completed),
    p50: at(accepted, 0.5),
    p99: at(accepted, 0.99),
    refused: perSecond(refused.length),
    refusedP99: at(refused, 0.99),
    unanswered: perSecond(counted)
  }
  process.stdout.write(JSON.stringify(result), () => process.exit(0))
}

let due = start
let turn = 0

// Spins instead of sleeping: a timer is a millisecond late, and this process has its core to itself.
const tick = () => {
  const time = now()
  while (due <= time && due < until) {
    const connection = idle.pop() ?? all[turn++ % all.length]!
    connection.due.push(due)
    connection.socket.write(request)
    if (due >= from) counted++
    due += options.poisson ? -Math.log(1 - Math.random()) * interval : interval
  }
  if (time > until + 500) report()
  else setImmediate(tick)
}
tick()
