/** Parses the URL of a Redis server. */
import * as Redacted from "effect/Redacted"

/** A Redis server. */
export interface Target {
  /** The number of the database. */
  readonly database: number
  /** A host name or an address, without brackets. */
  readonly host: string
  readonly password: Redacted.Redacted<string>
  readonly port: number
  readonly tls: boolean
  /** Empty for the user `default`. */
  readonly user: string
}

/** A description of the accepted URLs. */
export const expectedUrl =
  'a Redis URL such as "redis://host:6379", or "rediss://user:password@host:6379/0" for TLS'

/**
 * The reasons for which a URL is refused. They are fixed sentences: a part of a URL that is not
 * understood may be a piece of its password.
 */
export const mistakes = {
  database: "its path is not the number of a database, such as /0",
  encoding:
    "it cannot be divided into its parts: in a user and a password write %23 for #, %25 for %, %2F for /, %3F for ? and %40 for @",
  host: "its host is neither a name nor an address",
  hosts: "it names several hosts, and one connection has one host: name one",
  parameter: "it has parameters, and none is applied",
  port: "its port is not between 1 and 65535",
  scheme: "it does not begin with redis:// or rediss://"
} as const

/** The name of a reason for which a URL is refused. */
export type Mistake = keyof typeof mistakes

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const isHost = (host: string): boolean => /^(?:\[[0-9A-Fa-f:.]+\]|[\p{L}\p{N}._-]+)$/u.test(host)

/** Checks the port behind a host. It may be missing. */
const isPort = (host: string): boolean => {
  const colon = host.indexOf(":")
  const port = colon === -1 ? "" : host.slice(colon + 1)
  return port === "" || (/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536)
}

/** Returns the server that a URL names, or why the URL is refused. */
export const read = (given: string): Mistake | Target => {
  const text = given.trim()
  const scheme = /^(rediss?):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) return "scheme"
  const authority = /^[^/]*\/\/([^/?#]*)/.exec(text)![1]!
  const rest = text.slice(text.indexOf("//") + 2 + authority.length)
  if (/[@#]/.test(rest)) return "encoding"
  const address = authority.slice(authority.lastIndexOf("@") + 1)
  if (address === "") return "host"
  if (address.includes(",")) return "hosts"
  if (!isPort(address.replace(/^\[.*\]/, ""))) return "port"
  if (!URL.canParse(text)) return "encoding"
  const url = new URL(text)
  if (url.search !== "") return "parameter"
  const path = url.pathname.replace(/^\//, "")
  if (!/^\d{0,5}$/.test(path)) return "database"
  const user = decode(url.username)
  const password = decode(url.password)
  if (user === undefined || password === undefined) return "encoding"
  if (!isHost(url.hostname)) return "host"
  return {
    database: Number(path),
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    password: Redacted.make(password, { label: "redis.password" }),
    port: url.port === "" ? 6379 : Number(url.port),
    tls: scheme === "rediss",
    user
  }
}

/** Returns the server that a URL names, or undefined if the URL is not accepted. */
export const parse = (text: string): Target | undefined => {
  const target = read(text)
  return typeof target === "string" ? undefined : target
}

/** Returns a description without user and password: `Redis at cache:6379`. */
export const describe = ({ host, port }: Target): string =>
  `Redis at ${host.includes(":") ? `[${host}]` : host}:${port}`
