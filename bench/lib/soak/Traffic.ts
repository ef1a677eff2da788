/** What clients do to a server in the wild, at a constant rate. */
import { Agent, request } from "node:http"
import type { Socket } from "node:net"
import * as Token from "../Token.ts"
import { bytesOf, raw } from "./Wire.ts"

type Statuses = ReadonlyArray<number>

/** One thing that a client does. */
interface Action {
  /** Which statuses its replies may have; a reply is owed unless the list begins with 0. */
  readonly expected: Statuses
  readonly name: string
  readonly run: (port: number) => Promise<Statuses>
  /** How often, of a hundred. */
  readonly share: number
}

const pick = <A>(list: ReadonlyArray<A>): A => list[Math.floor(Math.random() * list.length)]!
const between = (low: number, high: number) => low + Math.floor(Math.random() * (high - low + 1))
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const json = { "content-type": "application/json" }
const tokens = Array.from({ length: 64 }, (_, i) => Token.make(`user-${i}`))
const auth = () => ({ authorization: `Bearer ${pick(tokens)}` })
const item = (tags = 2) =>
  JSON.stringify({
    name: "Analytical engine",
    price: 12.5,
    tags: Array.from({ length: tags }, (_, i) => `tag number ${i}`)
  })
const path = () => `/v1/items/${between(1, 1000)}`

const agent = new Agent({ keepAlive: true, maxSockets: 32 })

const ask = (
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string
): Promise<Statuses> =>
  new Promise((resolve, reject) => {
    const sent = request({ agent, headers, host: "127.0.0.1", method, path, port }, (response) => {
      response.resume()
      response.on("end", () => resolve([response.statusCode!]))
      response.on("error", reject)
    })
    sent.on("error", (error: NodeJS.ErrnoException) =>
      // The server may close an idle connection at the moment at which it is used.
      sent.reusedSocket && error.code === "ECONNRESET"
        ? resolve(ask(port, method, path, headers, body))
        : reject(error)
    )
    sent.end(body)
  })

const good = (port: number) =>
  Math.random() < 0.7
    ? ask(port, "GET", path(), auth())
    : ask(port, "POST", "/v1/items", { ...auth(), ...json }, item())

const bad: ReadonlyArray<readonly [status: number, ...Parameters<typeof bytesOf>]> = [
  [400, "GET", "/v1/items/one", auth()],
  [400, "GET", "/%ff", {}],
  [400, "POST", "/v1/items", { ...auth(), ...json }, '{"name":'],
  [400, "POST", "/v1/items", { ...auth(), ...json }, '{"name":"","price":-1,"tags":[1,2,3]}'],
  [401, "GET", "/v1/items/1", {}],
  [401, "GET", "/v1/items/1", { authorization: `Bearer ${Token.make("x", { secret: "no" })}` }],
  [404, "GET", "/v1/items/9999", auth()],
  [404, "GET", "/nowhere", {}],
  [405, "PUT", "/v1/items", auth()],
  [415, "POST", "/v1/items", { ...auth(), "content-type": "text/csv" }, "a,b"]
]

const refused: ReadonlyArray<readonly [status: number, bytes: string]> = [
  [400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
  [400, "GET / HTTP/1.1\r\n\r\n"],
  [400, "nonsense\r\n\r\n"],
  [400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
  [431, `GET / HTTP/1.1\r\nHost: a\r\n${"X-Filler: 0123456789\r\n".repeat(2000)}\r\n`]
]

const slow = (socket: Socket, parts: ReadonlyArray<string>) =>
  parts.reduce(
    (before, part) => before.then(() => pause(20)).then(() => void socket.write(part)),
    Promise.resolve()
  )

const closing = { connection: "close" }

export const actions: ReadonlyArray<Action> = [
  { expected: [200, 201], name: "good", run: good, share: 50 },
  {
    expected: [...new Set(bad.map(([status]) => status))],
    name: "bad request",
    run: (port) => {
      const [status, method, path, headers, body] = pick(bad)
      return ask(port, method, path, headers, body).then(([answer]) =>
        answer === status ? [status] : [0, answer!]
      )
    },
    share: 10
  },
  {
    expected: [400, 431],
    name: "refused by the listener",
    run: (port) => raw(port, (socket) => socket.write(pick(refused)[1])),
    share: 3
  },
  {
    expected: [201],
    name: "long body",
    run: (port) =>
      ask(port, "POST", "/v1/items", { ...auth(), ...json }, item(between(100, 10_000))),
    share: 3
  },
  {
    expected: [201],
    name: "slow chunked body",
    run: (port) =>
      raw(port, (socket) => {
        const headers = { ...auth(), ...closing, ...json, "transfer-encoding": "chunked" }
        const text = item()
        void slow(socket, [
          bytesOf("POST", "/v1/items", headers),
          `10\r\n${text.slice(0, 16)}\r\n`,
          `${(text.length - 16).toString(16)}\r\n${text.slice(16)}\r\n0\r\n\r\n`
        ])
      }),
    share: 2
  },
  {
    expected: [0, 413],
    name: "body above the limit",
    run: (port) =>
      raw(port, (socket) => {
        const headers = { ...auth(), ...closing, ...json, "content-length": "9437184" }
        socket.write(bytesOf("POST", "/v1/items", headers))
        for (let i = 0; i < 8; i++) socket.write(" ".repeat(65_536))
        socket.once("replied", () => socket.destroy())
      }),
    share: 1
  },
  {
    expected: [200],
    name: "waits",
    run: (port) => ask(port, "GET", `/soak/wait/${between(0, 200)}`, auth()),
    share: 3
  },
  {
    expected: [200],
    name: "stream",
    run: (port) => ask(port, "GET", `/soak/stream/${between(1, 8)}`, auth()),
    share: 1
  },
  {
    expected: [0, 200],
    name: "abort while the handler runs",
    run: (port) =>
      raw(port, (socket) => {
        socket.write(bytesOf("GET", "/soak/wait/500", auth()))
        setTimeout(() => (Math.random() < 0.5 ? socket.destroy() : socket.resetAndDestroy()), 30)
      }),
    share: 6
  },
  {
    expected: [0, 200],
    name: "abort while the reply streams",
    run: (port) =>
      raw(port, (socket) => {
        socket.write(bytesOf("GET", "/soak/stream/50", auth()))
        socket.once("replied", () => socket.destroy())
      }),
    share: 1
  },
  {
    expected: [0, 200, 201],
    name: "abort at once",
    run: (port) =>
      raw(port, (socket) => {
        socket.write(bytesOf("GET", path(), auth()), () =>
          Math.random() < 0.5 ? socket.destroy() : socket.resetAndDestroy()
        )
      }),
    share: 4
  },
  {
    expected: [0],
    name: "abort within a head",
    run: (port) =>
      raw(port, (socket) => {
        socket.write(`GET ${path()} HTTP/1.1\r\nHost: bench\r\nX-`, () => socket.destroy())
      }),
    share: 2
  },
  {
    expected: [0],
    name: "abort within a body",
    run: (port) =>
      raw(port, (socket) => {
        const headers = { ...auth(), ...json, "content-length": "50000" }
        socket.write(bytesOf("POST", "/v1/items", headers) + item().slice(0, 20))
        setTimeout(() => (Math.random() < 0.5 ? socket.destroy() : socket.resetAndDestroy()), 30)
      }),
    share: 4
  },
  {
    expected: [0, 408],
    name: "silent within a head",
    run: (port) =>
      raw(port, (socket) => {
        socket.write("GET / HTTP/1.1\r\nHost: ben")
        // Some wait until the server has had enough of them.
        if (Math.random() < 0.9) setTimeout(() => socket.destroy(), between(1000, 20_000))
      }),
    share: 1
  },
  {
    expected: [0, 200],
    name: "half-closed",
    run: (port) => raw(port, (socket) => socket.end(bytesOf("GET", path(), auth()))),
    share: 2
  },
  {
    expected: [200, 404],
    name: "pipelined burst",
    run: (port) =>
      raw(port, (socket, replies) => {
        const burst = Array.from({ length: 9 }, () => bytesOf("GET", path(), auth())).join("")
        socket.write(burst + bytesOf("GET", "/nowhere", closing))
        socket.on("replied", () => {
          if (replies() === 10) socket.end()
        })
      }).then((statuses) => (statuses.length === 10 ? statuses : [0, statuses.length])),
    share: 2
  },
  {
    expected: [0, 200],
    name: "pipelined burst, then abort",
    run: (port) =>
      raw(port, (socket) => {
        const waits = Array.from({ length: 5 }, () => bytesOf("GET", "/soak/wait/100", auth()))
        socket.write(bytesOf("GET", path(), auth()) + waits.join(""))
        setTimeout(() => socket.destroy(), 30)
      }),
    share: 1
  },
  {
    expected: [200],
    name: "connection for one request",
    run: (port) =>
      raw(port, (socket) => socket.write(bytesOf("GET", path(), { ...auth(), ...closing }))),
    share: 4
  }
]

/** What was done so far. */
export interface Tally {
  done: number
  /** By name of the action. */
  readonly names: Record<string, number>
  /** Left out because too much was under way. */
  skipped: number
  /** By status; `none` counts actions without a reply. */
  readonly statuses: Record<string, number>
  /** The first replies that no action expected. */
  readonly unexpected: Array<string>
}

const most = 2000

/** Acts at a constant rate until it is stopped; `stop` waits for what is under way. */
export const start = (port: number, rate: number, only: string | undefined) => {
  const tally: Tally = { done: 0, names: {}, skipped: 0, statuses: {}, unexpected: [] }
  const turns = actions
    .filter(({ name }) => only === undefined || name === only)
    .flatMap((action) => Array.from({ length: action.share }, () => action))
  const count = (list: Record<string, number>, key: string) => (list[key] = (list[key] ?? 0) + 1)
  const open = new Set<object>()
  const act = async ({ expected, name, run }: Action) => {
    const mark = {}
    open.add(mark)
    count(tally.names, name)
    try {
      const statuses = await run(port)
      if (statuses.length === 0) count(tally.statuses, "none")
      for (const status of statuses) count(tally.statuses, String(status))
      const isFine =
        statuses.length === 0 ? expected[0] === 0 : statuses.every((s) => expected.includes(s))
      if (!isFine) tally.unexpected.push(`${name}: ${statuses.join(" ") || "no reply"}`)
    } catch (error) {
      tally.unexpected.push(`${name}: ${String(error)}`)
    }
    open.delete(mark)
    tally.done++
  }
  const began = performance.now()
  let due = 0
  const timer = setInterval(() => {
    const until = ((performance.now() - began) / 1000) * rate
    for (; due < until; due++) {
      if (open.size >= most) tally.skipped++
      else void act(pick(turns))
    }
  }, 10)
  return {
    stop: async () => {
      clearInterval(timer)
      // The silent ones need the server's headersTimeout.
      for (let waited = 0; open.size > 0 && waited < 120_000; waited += 100) await pause(100)
      agent.destroy()
    },
    tally
  }
}
