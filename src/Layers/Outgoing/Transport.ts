/** The connections of outgoing calls: undici through `NodeHttpClient`. */
import { lookup as dnsLookup } from "node:dns"
import { createRequire } from "node:module"
import { isIP, type LookupFunction } from "node:net"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type * as Undici from "@effect/platform-node/Undici"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as Scope from "effect/Scope"
import * as Address from "./Address.ts"
import type { ScopedClient } from "./Attempt.ts"
import * as Lookups from "./Lookups.ts"
import type { Settings } from "./OutgoingConfig.ts"

/** The clients that send requests, without limits other than those of connections. */
export interface Transport {
  /** Sends requests to URLs of the app. */
  readonly client: ScopedClient
  /** Sends requests to URLs of users. It connects to allowed addresses only. */
  readonly userClient: ScopedClient
}

/** How long the connections of calls that still run stay open when the app stops, in milliseconds. */
const grace = 5000

/** How long a connection is used, in milliseconds: a changed name is looked up again after that. */
const longestUse = 5 * 60_000

/** The host of a URL of a user has an address that must not be called. */
export class AddressRefused extends Error {
  readonly code = "ADDRESS_REFUSED"

  constructor() {
    super("The host has an address that is not public")
  }
}

/** Looks names up as `lookup` does, and fails if any address of a name is not allowed. */
export const guarded =
  (lookup: Lookups.Lookup, isAllowed: (address: string) => boolean): LookupFunction =>
  (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) callback(error, [])
      else if (addresses.length === 0 || !addresses.every(({ address }) => isAllowed(address))) {
        callback(new AddressRefused(), [])
      } else if (options.all === true) callback(null, addresses)
      else callback(null, addresses[0]!.address, addresses[0]!.family)
    })
  }

/**
 * Loads undici. Bun has a module of its own in its place, which opens no connections for others, and knows the
 * package by its files only.
 */
const load = async (): Promise<typeof Undici> => {
  if (!("Bun" in globalThis)) return import("@effect/platform-node/Undici")
  const own = createRequire(import.meta.url).resolve("@effect/platform-node/package.json")
  return createRequire(own)("undici/index.js") as typeof Undici
}

type Connect = NonNullable<Undici.Agent.Options["connect"]>

/** Creates a client with connections of its own. They end with the scope. */
const clientOf = (
  undici: typeof Undici,
  connect: Connect,
  { keepAlive, maxConnections }: Pick<Settings, "keepAlive" | "maxConnections">
): Effect.Effect<ScopedClient, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(
      () =>
        new undici.Agent({
          // The bounds of connections and of attempts hold for HTTP/1.1.
          allowH2: false,
          clientTtl: longestUse,
          connect,
          connections: maxConnections,
          keepAliveTimeout: Duration.toMillis(keepAlive)
        })
    ),
    (agent) =>
      Effect.promise(async () => {
        let timer: NodeJS.Timeout | undefined
        const over = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, grace)
        })
        await Promise.race([agent.close(), over])
        clearTimeout(timer)
        await agent.destroy()
      })
  ).pipe(
    Effect.flatMap((agent) =>
      Effect.provideService(NodeHttpClient.makeUndici, NodeHttpClient.Dispatcher, agent)
    ),
    Effect.map(HttpClient.withScope)
  )

/** Opens no connection yet. The connections of both clients end with the scope. */
export const make = (
  settings: Settings,
  lookup: typeof dnsLookup = dnsLookup
): Effect.Effect<Transport, never, Scope.Scope> =>
  Effect.gen(function* () {
    const undici = yield* Effect.promise(load)
    const { connectTimeout, userUrls } = settings
    const timeout = Duration.toMillis(connectTimeout)
    const isAllowed = (address: string) => Address.isAllowed(address, userUrls.allowNetworks)
    const most = Lookups.mostOf(process.env["UV_THREADPOOL_SIZE"])
    const connect = undici.buildConnector({
      allowH2: false,
      lookup: guarded(Lookups.bounded(lookup, most, connectTimeout), isAllowed),
      timeout
    })
    return {
      client: yield* clientOf(undici, { lookup, timeout }, settings),
      userClient: yield* clientOf(
        undici,
        (options, callback) => {
          // An address is not looked up.
          const host = options.hostname.replace(/^\[(.*)\]$/, "$1")
          if (isIP(host) !== 0 && !isAllowed(host)) callback(new AddressRefused(), null)
          else connect(options, callback)
        },
        settings
      )
    }
  })
