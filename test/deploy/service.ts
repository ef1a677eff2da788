/** Instances of a service, and a relay that sees what nginx sends to one. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as Net from "node:net"
import { join } from "node:path"
import { root } from "../examples/process.ts"

/** A running instance. */
export interface Instance {
  /** As nginx wants it: `127.0.0.1:8080` or `unix:/path`. */
  readonly address: string
  readonly exit: Promise<number | null>
  readonly kill: (signal: NodeJS.Signals) => void
  readonly output: () => string
}

/** Starts the fixture and waits until it listens. */
export const startService = async (
  listener: "node" | "proxied",
  env: Readonly<Record<string, string>> = {}
): Promise<Instance> => {
  const child = spawn(
    join(root, "node_modules/.bin/node"),
    ["--conditions=flange-source", "test/deploy/fixtures/probe.ts"],
    {
      cwd: root,
      env: {
        ...process.env,
        FLANGE__SERVER__LISTENER: listener,
        HOST: "127.0.0.1",
        PORT: "0",
        ...env
      },
      stdio: ["ignore", "pipe", "pipe"]
    }
  )
  let output = ""
  const exit = once(child, "exit").then(([code]) => code as number | null)
  const address = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const found = /^listening (\S+)$/m.exec(output)
      if (found !== null) resolve(found[1]!.replace("http://", ""))
    }
    child.stdout.on("data", read)
    child.stderr.on("data", read)
    void exit.then((code) => reject(new Error(`It ended with ${code}:\n${output}`)))
  })
  return { address, exit, kill: (signal) => child.kill(signal), output: () => output }
}

/** What stands between nginx and an instance. */
export interface Relay {
  readonly address: string
  readonly close: () => void
  /** What came on each connection since the last call of `forget`; connections without bytes are not counted. */
  readonly forget: () => void
  readonly seen: () => ReadonlyArray<string>
}

/** Passes connections on and keeps what came from nginx. */
export const startRelay = async (to: string): Promise<Relay> => {
  const [host, port] = to.split(":") as [string, string]
  let seen = new Map<Net.Socket, string>()
  const sockets = new Set<Net.Socket>()
  // A side that ends its connection may still get what the other one sends, as without the relay.
  const server = Net.createServer({ allowHalfOpen: true }, (socket) => {
    const onward = Net.connect({ allowHalfOpen: true, host, port: Number(port) })
    for (const [from, other] of [
      [socket, onward],
      [onward, socket]
    ] as const) {
      sockets.add(from)
      from.on("error", () => other.destroy())
      from.on("close", () => {
        sockets.delete(from)
        other.destroySoon()
      })
    }
    socket.on("data", (chunk) => seen.set(socket, (seen.get(socket) ?? "") + chunk.toString()))
    socket.pipe(onward)
    onward.pipe(socket)
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    address: `127.0.0.1:${(server.address() as Net.AddressInfo).port}`,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
    forget: () => {
      seen = new Map()
    },
    seen: () => [...seen.values()]
  }
}
