/** Parses database URLs into a driver, a server and a database. */
import * as Redacted from "effect/Redacted"

/** A PGlite database inside this process: in memory, or in a directory. */
export interface Embedded {
  readonly _tag: "Embedded"
  /** The data directory as the URL has it. Undefined for a database in memory. */
  readonly directory: string | undefined
}

/** A database server. */
export interface Server {
  readonly _tag: "MySql" | "Postgres"
  readonly database: string
  /** A host name, an address, or the directory of a Unix socket. */
  readonly host: string
  readonly port: number
  /** The whole URL, with the password. */
  readonly url: Redacted.Redacted<string>
  readonly user: string
}

/** The database that a URL names. */
export type Target = Embedded | Server

/** A description of the accepted URLs. */
export const expectedUrl =
  'a database URL such as "postgres://host:5432/name" (or postgresql://), ' +
  '"mysql://host:3306/name" (or mariadb://), "pglite://memory" or "pglite://./data"'

const servers: Readonly<Record<string, { readonly port: number; readonly tag: Server["_tag"] }>> = {
  "mariadb:": { port: 3306, tag: "MySql" },
  "mysql:": { port: 3306, tag: "MySql" },
  "postgres:": { port: 5432, tag: "Postgres" },
  "postgresql:": { port: 5432, tag: "Postgres" }
}

const pglite = "pglite://"

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Returns the database that a URL names, or undefined if the URL is not accepted. */
export const parse = (text: string): Target | undefined => {
  if (text.startsWith(pglite)) {
    const directory = text.slice(pglite.length)
    if (directory === "") return undefined
    return { _tag: "Embedded", directory: directory === "memory" ? undefined : directory }
  }
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const known = servers[url.protocol]
  const user = decode(url.username)
  const host = decode(url.searchParams.get("host") ?? url.hostname)
  const path = decode(url.pathname.slice(1))
  if (known === undefined || host === undefined || user === undefined || path === undefined) {
    return undefined
  }
  if (decode(url.password) === undefined) return undefined
  return {
    _tag: known.tag,
    database: path === "" ? user : path,
    host: host === "" ? "localhost" : host,
    port: url.port === "" ? known.port : Number(url.port),
    url: Redacted.make(text, { label: "database.url" }),
    user
  }
}

/** The configuration keys that can replace a URL. */
export interface Parts {
  readonly engine: "mariadb" | "mysql" | "postgres"
  readonly host: string
  readonly name?: string | undefined
  readonly password?: Redacted.Redacted<string> | undefined
  readonly port?: number | undefined
  readonly user?: string | undefined
}

/** Returns the URL of the parts. */
export const fromParts = (parts: Parts): string => {
  const user = encodeURIComponent(parts.user ?? "")
  const password =
    parts.password === undefined ? "" : `:${encodeURIComponent(Redacted.value(parts.password))}`
  const credentials = user === "" && password === "" ? "" : `${user}${password}@`
  const socket = parts.host.startsWith("/")
  const bracketed = parts.host.includes(":") && !parts.host.startsWith("[")
  const host = socket ? "localhost" : bracketed ? `[${parts.host}]` : parts.host
  const port = parts.port === undefined ? "" : `:${parts.port}`
  const name = parts.name === undefined ? "" : `/${encodeURIComponent(parts.name)}`
  const query = socket ? `?host=${encodeURIComponent(parts.host)}` : ""
  return `${parts.engine}://${credentials}${host}${port}${name}${query}`
}

/** Returns a description without the password: `PostgreSQL at db:5432, database "shop"`. */
export const describe = (target: Target): string => {
  switch (target._tag) {
    case "Embedded":
      return target.directory === undefined
        ? "PGlite in memory"
        : `PGlite in the directory ${target.directory}`
    case "MySql":
      return `MySQL at ${target.host}:${target.port}, database "${target.database}"`
    case "Postgres":
      return `PostgreSQL at ${target.host}:${target.port}, database "${target.database}"`
  }
}
