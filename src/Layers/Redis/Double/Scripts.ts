/** The scripts of the double: functions in the place of Lua. */
import { createHash } from "node:crypto"
import type { Script } from "effect/persistence/Redis"
import { ErrorReply, type Reply } from "./Store.ts"
import { integer } from "./Strings.ts"

/** The arguments of a function that does what a script does. */
export interface Call {
  readonly args: ReadonlyArray<string>
  readonly keys: ReadonlyArray<string>
  /** Runs a command, as `redis.call` does. */
  readonly redis: (command: string, ...args: ReadonlyArray<string>) => Reply
}

/** A script with the function that does the same. */
export interface Registered {
  readonly lua: string
  readonly run: (call: Call) => Reply
}

/**
 * Returns a script for the option `scripts` of `TestRedis.make`, with the function that does what its
 * Lua does.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redis from "flange/Redis"
 * import { TestRedis } from "flange/Redis/Testing"
 *
 * const take = Redis.script((key: string) => [key], {
 *   lua: "return redis.call('GETDEL', KEYS[1])",
 *   numberOfKeys: 1
 * }).withReturnType<string | null>()
 *
 * const { layer } = TestRedis.make({
 *   scripts: [TestRedis.script(take, ({ keys: [key], redis }) => redis("GETDEL", key!))]
 * })
 * const program = Effect.gen(function* () {
 *   const redis = yield* Redis.Redis
 *   yield* redis.send("SET", "code", "42")
 *   return [yield* redis.eval(take)("code"), yield* redis.eval(take)("code")]
 * })
 * await Effect.runPromise(Effect.provide(program, layer)) // => ["42", null]
 * ```
 */
export const script = (
  {
    lua
  }: Pick<Script<{ readonly params: ReadonlyArray<unknown>; readonly result: unknown }>, "lua">,
  run: (call: Call) => Reply
): Registered => ({ lua, run })

const hashOf = (lua: string): string => createHash("sha1").update(lua).digest("hex")

/** Creates the commands `EVAL`, `EVALSHA` and `SCRIPT` for the registered scripts. */
export const make = (
  registered: ReadonlyArray<Registered>,
  redis: Call["redis"]
): Readonly<Record<"EVAL" | "EVALSHA" | "SCRIPT", (args: ReadonlyArray<string>) => Reply>> => {
  const byHash = new Map(registered.map((one) => [hashOf(one.lua), one]))
  const loaded = new Set<string>()
  const load = (lua: string): string => {
    const hash = hashOf(lua)
    if (!byHash.has(hash)) {
      throw new ErrorReply(
        `ERR TestRedis runs no Lua. Register the function that does the same: TestRedis.make({ scripts: [TestRedis.script(script, run)] }). The script: ${lua.trim()}`
      )
    }
    loaded.add(hash)
    return hash
  }
  const run = (hash: string, [number, ...args]: ReadonlyArray<string>): Reply => {
    const keys = integer(number)
    if (!loaded.has(hash)) {
      throw new ErrorReply("NOSCRIPT No matching script. Please use EVAL.")
    }
    return byHash.get(hash)!.run({ args: args.slice(keys), keys: args.slice(0, keys), redis })
  }
  return {
    EVAL: ([lua = "", ...args]) => run(load(lua), args),
    EVALSHA: ([hash = "", ...args]) => run(hash, args),
    SCRIPT: ([sub = "", lua = ""]) => {
      if (sub.toUpperCase() === "LOAD") return load(lua)
      throw new ErrorReply(`ERR TestRedis has of SCRIPT only LOAD, not ${sub}`)
    }
  }
}
