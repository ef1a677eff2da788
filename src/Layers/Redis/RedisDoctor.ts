/** The checks of Redis for `flange doctor`. */
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import * as Doctor from "../../Plugin/Doctor.ts"

/** Runs a check with the fields of `INFO`. A managed server may refuse the command. */
const withInfo = (check: (field: (name: string) => string | undefined) => Doctor.Finding) =>
  Redis.Redis.use((redis) => redis.send<string>("INFO")).pipe(
    Effect.map((text) => {
      const fields = new Map(
        text.split(/\r?\n/).map((line): [string, string] => {
          const at = line.indexOf(":")
          return [line.slice(0, at), line.slice(at + 1)]
        })
      )
      return check((name) => fields.get(name))
    }),
    Effect.catchTag("RedisError", (error) =>
      String(error.cause).includes("NOPERM")
        ? Effect.succeed(Doctor.skipped("The user of redis.url may not run INFO."))
        : Effect.fail(error)
    )
  )

const eviction = withInfo((field) => {
  const policy = field("maxmemory_policy") ?? "unknown"
  if (field("maxmemory") === "0") {
    return Doctor.warning(
      "The server has no limit for its memory.",
      "Set maxmemory of the server below the memory of its machine"
    )
  }
  return policy.startsWith("allkeys-")
    ? Doctor.warning(
        `The server may drop any key when its memory is full: its policy is ${policy}.`,
        "Keep it for a server that has caches only. Otherwise set maxmemory-policy to noeviction or volatile-lru"
      )
    : Doctor.ok(`A full server drops keys by the policy ${policy}.`)
})

const role = withInfo((field) =>
  field("role") === "master"
    ? Doctor.ok("The server takes writes.")
    : Doctor.failed(
        `The server takes no writes: its role is ${field("role")}.`,
        "Set REDIS_URL to the primary server"
      )
)

const version = withInfo((field) => {
  const valkey = field("valkey_version")
  return Doctor.ok(
    valkey === undefined
      ? `The server is Redis ${field("redis_version")}.`
      : `The server is Valkey ${valkey}.`
  )
})

/** The checks. */
export const checks = { eviction, role, version }
