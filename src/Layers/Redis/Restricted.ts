/** The commands that not every connection can take. */
import { RedisError } from "effect/persistence/Redis"

/** The commands that wait, and so hold up the commands after them. `XREAD` is one with `BLOCK`. */
const blocking: ReadonlySet<string> = new Set([
  "BLMOVE",
  "BLMPOP",
  "BLPOP",
  "BRPOP",
  "BRPOPLPUSH",
  "BZMPOP",
  "BZPOPMAX",
  "BZPOPMIN",
  "WAIT",
  "WAITAOF"
])

/** The commands after which a connection is no longer as it was opened. */
const changing: ReadonlySet<string> = new Set([
  "ASKING",
  "AUTH",
  "CLIENT CACHING",
  "CLIENT NO-EVICT",
  "CLIENT NO-TOUCH",
  "CLIENT SETINFO",
  "CLIENT SETNAME",
  "CLIENT TRACKING",
  "HELLO",
  "QUIT",
  "READONLY",
  "READWRITE",
  "RESET",
  "SELECT"
])

/**
 * The commands of transactions, each with whether the connection is in one after it. Undefined leaves it as
 * it is.
 */
const transactional: Readonly<Record<string, boolean | undefined>> = {
  DISCARD: false,
  EXEC: false,
  MULTI: true,
  UNWATCH: undefined,
  WATCH: true
}

/**
 * The commands that are not answered with one reply. The client would take the replies to later commands
 * for theirs, so that every later caller would get the value of another.
 */
const unanswered: ReadonlySet<string> = new Set([
  "CLIENT REPLY",
  "MONITOR",
  "PSUBSCRIBE",
  "PSYNC",
  "PUNSUBSCRIBE",
  "SSUBSCRIBE",
  "SUBSCRIBE",
  "SUNSUBSCRIBE",
  "SYNC",
  "UNSUBSCRIBE"
])

/** Returns the name of a command, with that of the subcommand if its effect depends on it. */
const nameOf = ([command, subcommand]: ReadonlyArray<string>): string => {
  const name = command!.toUpperCase()
  return name === "CLIENT" ? `CLIENT ${subcommand?.toUpperCase()}` : name
}

const refusal = (message: string) => new RedisError({ cause: new Error(message) })

/** Returns the error of a command that no connection can take, if it is one. */
export const refuse = (args: ReadonlyArray<string>): RedisError | undefined => {
  const name = nameOf(args)
  if (!unanswered.has(name)) return undefined
  const remedy = name.endsWith("SUBSCRIBE")
    ? "Use SharedRedis.subscribe, and close its scope to unsubscribe."
    : "Use a client of your own for it."
  return refusal(
    `${name} is not answered with one reply, so it would mix up all later replies. ${remedy}`
  )
}

/** Returns the error of a command that the shared connection cannot take, if it is one. */
export const refuseShared = (args: ReadonlyArray<string>): RedisError | undefined => {
  const name = nameOf(args)
  const isBlocking =
    blocking.has(name) ||
    (/^XREAD(?:GROUP)?$/.test(name) && args.some((arg) => arg.toUpperCase() === "BLOCK"))
  return isBlocking || changing.has(name) || Object.hasOwn(transactional, name)
    ? refusal(
        `${name} would hold up or change the connection that all callers share: send it on a connection of Redis.reserve.`
      )
    : refuse(args)
}

/** What commands have left on a connection. */
export class Traces {
  #isChanged = false
  #isInTransaction = false

  /** Whether the connection is as it was opened. */
  get areNone(): boolean {
    return !this.#isChanged && !this.#isInTransaction
  }

  /** Notes a command that is sent. */
  note(args: ReadonlyArray<string>): void {
    const name = nameOf(args)
    this.#isChanged ||= changing.has(name)
    this.#isInTransaction = transactional[name] ?? this.#isInTransaction
  }
}
