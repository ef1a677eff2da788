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
  readonly password: Redacted.Redacted<string>
  readonly port: number
  /** The schema in which unqualified names are looked up. Undefined for the server's choice. */
  readonly schema: string | undefined
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

interface Engine {
  /** The parameters of a URL that are applied, each with a check of its value. */
  readonly parameters: Readonly<Record<string, (value: string) => boolean>>
  readonly port: number
  readonly tag: Server["_tag"]
  readonly unknownParameter: Mistake
}

const isAny = () => true
const isOneOf =
  (...values: ReadonlyArray<string>) =>
  (value: string) =>
    values.includes(value)
const isPort = (value: string) => /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535
const isSslMode = isOneOf("disabled", "preferred", "required", "verify_ca", "verify_identity")

const mySql: Engine = {
  parameters: {
    host: isAny,
    ssl: isOneOf("false", "true"),
    "ssl-mode": (value) => isSslMode(value.toLowerCase())
  },
  port: 3306,
  tag: "MySql",
  unknownParameter: "mySqlParameter"
}

const postgres: Engine = {
  parameters: {
    application_name: isAny,
    connect_timeout: (value) => /^\d{1,9}$/.test(value),
    dbname: isAny,
    host: isAny,
    options: isAny,
    password: isAny,
    port: isPort,
    schema: (value) => value !== "",
    sslmode: isOneOf("allow", "disable", "prefer", "require", "verify-ca", "verify-full"),
    user: isAny
  },
  port: 5432,
  tag: "Postgres",
  unknownParameter: "postgresParameter"
}

const engines: ReadonlyMap<string, Engine> = new Map([
  ["mariadb", mySql],
  ["mysql", mySql],
  ["postgres", postgres],
  ["postgresql", postgres]
])

const listed = ({ parameters }: Engine) => Object.keys(parameters).join(", ")

/**
 * The reasons for which a URL is refused. They are fixed sentences: a part of a URL that is not
 * understood may be a piece of its password.
 */
export const mistakes = {
  character: "it contains a control character",
  encoding:
    "it cannot be divided into its parts: in a user, a password and a name write %23 for #, %25 for %, %2F for /, %3F for ? and %40 for @",
  host: "its host is neither a name nor an address",
  hosts: "it names several hosts, and one connection has one host: name one",
  mySqlParameter: `it has a parameter that is not applied: for MySQL only ${listed(mySql)} are`,
  parameter: "a parameter of it is there twice, or has a value that is not known",
  pglite: "pglite:// is followed by memory or a directory, such as ./data, without @, ? and #",
  port: "its port is not between 1 and 65535",
  postgresParameter: `it has a parameter that is not applied: for PostgreSQL only ${listed(postgres)} are`,
  scheme: "it does not begin with postgres://, postgresql://, mysql://, mariadb:// or pglite://"
} as const

/** The name of a reason for which a URL is refused. */
export type Mistake = keyof typeof mistakes

const isControl = (character: string) => character < " " || character === "\u007F"

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const isHost = (host: string): boolean => /^(?:\/.*|\[[^\]]+\]|[\p{L}\p{N}._-]+)$/u.test(host)

const readEmbedded = (directory: string): Embedded | Mistake => {
  if (directory === "" || /[?#]/.test(directory)) return "pglite"
  // The URL of a server with another scheme would become the name of a directory.
  if (/^[^/]*@/.test(directory)) return "pglite"
  return { _tag: "Embedded", directory: directory === "memory" ? undefined : directory }
}

const readServer = (text: string, engine: Engine): Mistake | Server => {
  const authority = /^[^/]*\/\/([^/?#]*)/.exec(text)?.[1] ?? ""
  if (authority.slice(authority.lastIndexOf("@") + 1).includes(",")) return "hosts"
  if (!URL.canParse(text)) return "encoding"
  const url = new URL(text)
  const path = url.pathname.slice(1)
  if (url.hash !== "" || text.includes("#") || /[/@]/.test(path) || url.search.includes("@")) {
    return "encoding"
  }
  const parameters = new Map(url.searchParams)
  if ([...parameters.keys()].some((name) => !Object.hasOwn(engine.parameters, name))) {
    return engine.unknownParameter
  }
  const host = decode(parameters.get("host") ?? url.hostname)
  if (host?.includes(",") || parameters.get("port")?.includes(",")) return "hosts"
  for (const [name, value] of parameters) {
    if (!engine.parameters[name]?.(value)) return "parameter"
  }
  if (parameters.size < [...url.searchParams].length) return "parameter"
  const user = parameters.get("user") ?? decode(url.username)
  const password = parameters.get("password") ?? decode(url.password)
  const name = parameters.get("dbname") ?? decode(path)
  if (host === undefined || name === undefined) return "encoding"
  if (password === undefined || user === undefined) return "encoding"
  const port = parameters.get("port") ?? (url.port === "" ? String(engine.port) : url.port)
  if (!isPort(port)) return "port"
  if (host !== "" && !isHost(host)) return "host"
  if ([user, password, name, ...parameters.values()].some((part) => part.includes("\0"))) {
    return "character"
  }
  return {
    _tag: engine.tag,
    database: name === "" ? user : name,
    host: host === "" ? "localhost" : host,
    password: Redacted.make(password, { label: "database.password" }),
    port: Number(port),
    schema: parameters.get("schema"),
    url: Redacted.make(text, { label: "database.url" }),
    user
  }
}

/** Returns the database that a URL names, or why the URL is refused. */
export const read = (given: string): Mistake | Target => {
  const text = given.trim()
  if ([...text].some(isControl)) return "character"
  const scheme = /^([a-z]+):\/\//i.exec(text)?.[1] ?? ""
  if (scheme === "pglite") return readEmbedded(text.slice("pglite://".length))
  const engine = engines.get(scheme.toLowerCase())
  return engine === undefined ? "scheme" : readServer(text, engine)
}

/** Returns the database that a URL names, or undefined if the URL is not accepted. */
export const parse = (text: string): Target | undefined => {
  const target = read(text)
  return typeof target === "string" ? undefined : target
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
