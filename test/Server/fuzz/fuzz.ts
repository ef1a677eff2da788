/** Mutated bytes of valid requests, sent to both socket listeners. */
import { setTimeout as sleep } from "node:timers/promises"
import { boot, type Counted } from "../counted.ts"
import { mutate, pieces } from "../Listener/Proxied/Parse/mutate.ts"
import { generator, split } from "../Listener/Proxied/Parse/verdict.ts"
import { reasonOf } from "./differences.ts"
import { FuzzPlugin } from "./FuzzPlugin.ts"
import { last, seeds } from "./seeds.ts"
import { type Answer, send } from "./send.ts"

/** The name of a listener. */
export type Name = "node" | "proxied"

/** Something that must not happen. Its bytes are those of its seed. */
export interface Finding {
  readonly bytes: string
  readonly seed: number
  readonly what: string
}

/** What a run did. */
export interface Result {
  readonly findings: ReadonlyArray<Finding>
  /** How often each known difference was seen. */
  readonly reasons: ReadonlyMap<string, number>
  readonly tried: number
}

/** Statuses of 500 and more that are the right answer to a request. */
const allowed: ReadonlyMap<number, string> = new Map([
  [501, "CONNECT, and a transfer coding that is not implemented"],
  [505, "another version of HTTP"]
])

/** How long a connection may stay open. The server's own timeouts are far below. */
const patience = 20_000

const inserted: ReadonlyArray<Buffer> = [
  "Upgrade: websocket\r\n",
  "Connection: upgrade\r\n",
  "Content-Type: application/json\r\n",
  "Content-Encoding: gzip\r\n",
  "Cookie: c=3\r\n",
  "%ff",
  "/../",
  "--b\r\n",
  '"',
  "{",
  "["
].map((text) => Buffer.from(text))

/** The result of one attempt: nothing, or one of these. */
interface Attempt {
  /** A difference without a reason. */
  readonly difference?: string
  readonly failure?: string
  /** The reason of a known difference. */
  readonly reason?: string
}

/** Returns the bytes of a seed, and the generator for what else is random. */
export const bytesOf = (seed: number) => {
  const random = generator(seed)
  return { mutated: mutate(seeds, [...pieces, ...inserted], random), random }
}

const describe = ({ isEnded, replies }: Answer) =>
  [...replies.map(({ content, status }) => `${status} ${content}`), isEnded ? "end" : "open"].join(
    " | "
  )

const wrong = (name: Name, { isEnded, replies }: Answer): string | undefined => {
  if (!isEnded) return `${name} does not end the connection`
  const failure = replies.find(({ status }) => status >= 500 && !allowed.has(status))
  return failure && `${name} answers ${failure.status} ${failure.content}`
}

/**
 * Sends mutations to the listeners, `width` at a time, while `continues` returns true. Each
 * has its own seed, from `seed` on. With two listeners the replies are compared.
 */
export const run = async ({
  continues,
  names,
  seed,
  width
}: {
  readonly continues: (tried: number) => boolean
  readonly names: ReadonlyArray<Name>
  readonly seed: number
  readonly width: number
}): Promise<Result> => {
  const findings: Array<Finding> = []
  const reasons = new Map<string, number>()
  const apps = new Map<Name, Counted>()
  for (const name of names) {
    const app = await boot(name, [FuzzPlugin], {
      bodyLimit: "100 kB",
      bodyTimeout: "1 second",
      headersTimeout: "1 second",
      keepAlive: "1 second",
      requestTimeout: "1 second"
    })
    apps.set(name, app)
  }
  let current = "no request"
  const crashed = (error: unknown) => {
    findings.push({ bytes: current, seed: -1, what: `The process would have ended: ${error}` })
  }
  process.on("uncaughtException", crashed)
  process.on("unhandledRejection", crashed)

  const attempt = async (seed: number): Promise<Attempt> => {
    const { mutated, random } = bytesOf(seed)
    const sent = Buffer.concat([mutated, last])
    current = sent.toString("latin1")
    const cut = random() < 0.5 ? [sent] : split(sent, random)
    const answers = await Promise.all(
      [...apps].map(
        async ([name, app]) => [name, await send(await app.connect(), cut, patience)] as const
      )
    )
    for (const [name, answer] of answers) {
      const problem = wrong(name, answer)
      if (problem !== undefined) return { failure: `${problem}: ${describe(answer)}` }
    }
    const [node, proxied] = names.map((name) => answers.find(([other]) => other === name)![1])
    if (proxied === undefined) return {}
    const differs = (i: number) =>
      JSON.stringify(node!.replies[i]) !== JSON.stringify(proxied.replies[i])
    const longest = node!.replies.length > proxied.replies.length ? node! : proxied
    const at = longest.replies.findIndex((_, i) => differs(i))
    if (at === -1) return {}
    const reason = reasonOf({ at, node: node!.replies[at], proxied: proxied.replies[at], sent })
    return reason === undefined
      ? {
          difference: `the listeners differ: node ${describe(node!)}; proxied ${describe(proxied)}`
        }
      : { reason }
  }

  /** Tries again what differs: on a busy machine a timeout may come before the bytes. */
  const judge = async (seed: number): Promise<string | undefined> => {
    for (let left = 3; ; left--) {
      const { difference, failure, reason } = await attempt(seed)
      if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      if (difference === undefined || left === 1) return failure ?? difference
    }
  }

  let tried = 0
  const worker = async () => {
    while (continues(tried)) {
      const own = seed + tried++
      const what = await judge(own)
      if (what === undefined) continue
      findings.push({ bytes: bytesOf(own).mutated.toString("latin1"), seed: own, what })
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  process.off("uncaughtException", crashed)
  process.off("unhandledRejection", crashed)
  for (const [name, app] of apps) {
    const end = performance.now() + patience
    while (app.open() > 0 && performance.now() < end) await sleep(10)
    if (app.open() > 0) {
      findings.push({ bytes: "", seed, what: `${name} has ${app.open()} exchanges without an end` })
    }
    await app.stop()
  }
  return { findings, reasons, tried }
}
