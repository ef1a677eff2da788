/** The backend in Memcached. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Memcache, type MemcacheNode } from "memcache"
import { Warning } from "../../Plugin/Warning.ts"
import {
  CacheStoreError,
  type Claim,
  idOf,
  type Item,
  type Kept,
  type Store
} from "./CacheStore.ts"

/** Memcached takes a longer time for a date. */
const longestTtl = 30 * 86_400

/** The largest value: an item of 1 MiB with its key and its head. */
const maxValue = 2 ** 20 - 512

/** Milliseconds without the answer to a command after which its connection is given up. */
const silence = 2000

const seconds = (millis: number): number =>
  Math.min(longestTtl, Math.max(1, Math.ceil(millis / 1000)))

/** Returns the end of a command that stores a value: its time, its length, and itself. */
const body = ({ ttl, value }: Kept, token = ""): string =>
  ` 0 ${seconds(ttl)} ${Buffer.byteLength(value)}${token}\r\n${value}`

/** Whether Memcached takes a value. Refused values would count as failures of the server. */
const fits = ({ value }: Kept): boolean =>
  value.length * 3 <= maxValue || Buffer.byteLength(value) <= maxValue

/** The most keys of one command: Memcached refuses a line that is too long. */
const keysAtOnce = 100

/**
 * A store on Memcached servers, which need version 1.6 for its meta commands. The methods of the client
 * return undefined for a server that does not answer; the commands of its nodes fail.
 */
export class MemcachedStore implements Store {
  readonly backend: string = "memcached"
  readonly #client: Memcache
  readonly #connecting = new Map<MemcacheNode, Promise<void>>()
  readonly peek = undefined
  readonly #tooLarge = new Warning()

  private constructor(client: Memcache) {
    this.#client = client
  }

  /** Makes a store whose connections close with the scope. It connects with the first operation. */
  static make(servers: ReadonlyArray<string>): Effect.Effect<MemcachedStore, never, Scope.Scope> {
    return Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => {
          const client = new Memcache({
            lazyConnect: true,
            nodes: [...servers],
            retries: 0,
            timeout: silence
          })
          // Without a listener it would throw. The commands that were sent fail too.
          client.on("error", () => {})
          return client
        }),
        (client) => Effect.promise(() => client.disconnect())
      ),
      (client) => new MemcachedStore(client)
    )
  }

  readonly delete: Store["delete"] = (keys) =>
    this.#run("delete", async () => {
      await Promise.all(
        keys.map(async (key) => this.#send(await this.#nodeOf(key), `delete ${key}`))
      )
    })

  readonly ensure: Store["ensure"] = (claims, id) =>
    this.#run("ensure", () => Promise.all(claims.map((claim) => this.#ensure(claim, id))))

  readonly get: Store["get"] = (keys) =>
    this.#run("get", async () => {
      const byNode = Map.groupBy(keys, (key) => this.#hashed(key))
      const found = await Promise.all(
        Array.from(byNode, async ([node, some]) => this.#values(await this.#connected(node), some))
      )
      const all = new Map(found.flatMap((some) => [...some]))
      return keys.map((key) => all.get(key))
    })

  readonly replace: Store["replace"] = (key, expected, next) =>
    Effect.flatMap(this.#fitting(key, next), (isFitting) =>
      isFitting
        ? this.#run("replace", () => this.#replace(key, expected, next))
        : Effect.succeed(false)
    )

  readonly set: Store["set"] = (items) =>
    Effect.forEach(items, (item) => this.#set(item), { concurrency: "unbounded", discard: true })

  async #connected(node: MemcacheNode): Promise<MemcacheNode> {
    if (node.isConnected()) return node
    // Two connections at once would mix their replies.
    let connecting = this.#connecting.get(node)
    if (connecting === undefined) {
      connecting = node.reconnect().finally(() => this.#connecting.delete(node))
      this.#connecting.set(node, connecting)
    }
    await connecting
    return node
  }

  async #ensure({ extend, key, ttl }: Claim, id: string): Promise<string> {
    const node = await this.#nodeOf(key)
    // They are sent together and answered in order.
    const [, found, time] = await Promise.all([
      this.#send(node, `add ${key}${body({ ttl, value: id })}`),
      this.#values(node, [key]),
      this.#send(node, `mg ${key} t`)
    ])
    const left = /^HD t(\d+)/.exec(String(time))?.[1]
    if (extend && left !== undefined && Number(left) < seconds(ttl) / 2) {
      await this.#send(node, `touch ${key} ${seconds(ttl)}`)
    }
    return idOf(found.get(key) ?? "")
  }

  #fitting(key: string, next: Kept | undefined): Effect.Effect<boolean> {
    return next === undefined || fits(next)
      ? Effect.succeed(true)
      : Effect.as(
          this.#tooLarge.log(
            `A value is not stored in Memcached: ${key} has more than ${maxValue} bytes. Store less, or use another cache.backend.`,
            Cause.empty
          ),
          false
        )
  }

  #hashed(key: string): MemcacheNode {
    // The section has at least one server, and each key has a server.
    return this.#client.hash.getNodesByKey(key)[0]!
  }

  #nodeOf(key: string): Promise<MemcacheNode> {
    return this.#connected(this.#hashed(key))
  }

  async #replace(
    key: string,
    expected: string | undefined,
    next: Kept | undefined
  ): Promise<boolean> {
    const node = await this.#nodeOf(key)
    if (expected === undefined) {
      return next === undefined || (await this.#send(node, `add ${key}${body(next)}`)) === "STORED"
    }
    // The token is from before the value: a change after it is a conflict.
    const [answer, found] = await Promise.all([
      this.#send(node, `mg ${key} c`),
      this.#values(node, [key])
    ])
    const token = /^HD c(\d+)/.exec(String(answer))?.[1]
    if (token === undefined || idOf(found.get(key) ?? "") !== expected) return false
    return next === undefined
      ? (await this.#send(node, `md ${key} C${token}`)) === "HD"
      : (await this.#send(node, `cas ${key}${body(next, ` ${token}`)}`)) === "STORED"
  }

  #run<A>(operation: string, run: () => Promise<A>): Effect.Effect<A, CacheStoreError> {
    return Effect.tryPromise({
      catch: (cause) => new CacheStoreError({ cause, operation }),
      try: run
    })
  }

  /** Sends a command. The time limit of the client is that of a connection on which nothing is sent either. */
  async #send(
    node: MemcacheNode,
    command: string,
    options?: Parameters<MemcacheNode["command"]>[1]
  ): Promise<unknown> {
    const timer = setTimeout(() => node.socket?.destroy(), silence)
    try {
      return await node.command(command, options)
    } finally {
      clearTimeout(timer)
    }
  }

  #set(item: Item): Effect.Effect<unknown, CacheStoreError> {
    const { key } = item
    return Effect.flatMap(this.#fitting(key, item), (isFitting) =>
      this.#run("set", async () => {
        const node = await this.#nodeOf(key)
        // The value that was there is the old one.
        await this.#send(node, isFitting ? `set ${key}${body(item)}` : `delete ${key}`)
      })
    )
  }

  /** Returns the values of keys of one server. The client returns them without their keys. */
  async #values(
    node: MemcacheNode,
    keys: ReadonlyArray<string>
  ): Promise<ReadonlyMap<string, string>> {
    if (keys.length > keysAtOnce) {
      const [some, rest] = await Promise.all([
        this.#values(node, keys.slice(0, keysAtOnce)),
        this.#values(node, keys.slice(keysAtOnce))
      ])
      return new Map([...some, ...rest])
    }
    const options = { isMultiline: true, requestedKeys: [...keys] }
    // What the client returns for a command with these options.
    const found = (await this.#send(node, `get ${keys.join(" ")}`, options)) as
      | { readonly foundKeys?: Array<string>; readonly values?: Array<string> }
      | undefined
    return new Map(found?.foundKeys?.map((key, i) => [key, found.values?.[i] ?? ""]))
  }
}
