/** `routes.lock`: what protects each route of an app, a line for each, to be committed. */
import { existsSync, readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as WholeFile from "../../Config/WholeFile.ts"
import { CommandError } from "../../Plugin/Cli.ts"
import type { RouteDescription, RoutesDescription } from "../../Server/Route/Description.ts"
import { sentenceOf } from "../Failure.ts"

/** The file of the lock, in the working directory. */
export const file = "routes.lock"

const Access = Schema.Literals(["bare", "optional", "protected", "public"])

const RateLimit = Schema.Struct({
  algorithm: Schema.optionalKey(Schema.Literal("sliding-window")),
  burst: Schema.optionalKey(Schema.Finite),
  by: Schema.optionalKey(Schema.String),
  cost: Schema.optionalKey(Schema.Finite),
  limit: Schema.optionalKey(Schema.Finite),
  name: Schema.String,
  window: Schema.optionalKey(Schema.Finite)
})

const RawGroup = Schema.Struct({ access: Access, chain: Schema.optionalKey(Schema.String) })

const Route = Schema.Struct({
  access: Access,
  anyScope: Schema.optionalKey(Schema.Array(Schema.Array(Schema.String))),
  bodyLimit: Schema.optionalKey(Schema.Finite),
  chain: Schema.optionalKey(Schema.String),
  name: Schema.String,
  policies: Schema.optionalKey(Schema.Array(Schema.String)),
  rateLimit: Schema.optionalKey(RateLimit),
  /** Instead of `rateLimit`, if there are several. */
  rateLimits: Schema.optionalKey(Schema.Array(RateLimit)),
  scopes: Schema.optionalKey(Schema.Array(Schema.String)),
  timeout: Schema.optionalKey(Schema.Finite),
  transaction: Schema.optionalKey(Schema.Literals(["read-only", "read-write"])),
  unguarded: Schema.optionalKey(Schema.Boolean)
})

const Lock = Schema.Struct({
  rawGroups: Schema.Record(Schema.String, RawGroup),
  routes: Schema.Record(Schema.String, Route),
  version: Schema.Literal(1)
})

/** The lock of an app. Routes have the keys `METHOD /path`. */
export type Lock = typeof Lock.Type

/** What protects a route. */
export type LockedRoute = typeof Route.Type

/** A limit on the rate of requests. What is usual is left out. */
export type LockedRateLimit = typeof RateLimit.Type

/** What protects a group of `Route.raw`. */
export type LockedRawGroup = typeof RawGroup.Type

/** Returns the lock of an app. */
export const of = ({ rawGroups, routes }: RoutesDescription): Lock => ({
  rawGroups: Object.fromEntries(
    rawGroups.map(({ access, chain, group }) => [group, { access, ...defined({ chain }) }])
  ),
  routes: Object.fromEntries(
    routes.map((route) => [`${route.method} ${route.path}`, lockedOf(route)])
  ),
  version: 1
})

const lockedOf = (route: RouteDescription): LockedRoute => {
  const { access, bodyLimit, chain, name, policies, rateLimits, scopes, timeout, transaction } =
    route
  const of = (wanted: "all" | "any") =>
    scopes.filter(({ match }) => match === wanted).map((guard) => guard.scopes.toSorted())
  const all = [...new Set(of("all").flat())].sort()
  const any = of("any")
  return {
    access,
    ...defined({
      anyScope: any.length === 0 ? undefined : any,
      bodyLimit,
      chain
    }),
    name,
    ...defined({
      policies: policies.length === 0 ? undefined : policies,
      ...(rateLimits.length > 1
        ? { rateLimits: rateLimits.map(rateOf) }
        : { rateLimit: rateLimits[0] && rateOf(rateLimits[0]) }),
      scopes: all.length === 0 ? undefined : all,
      timeout,
      transaction: transaction === "none" ? undefined : transaction,
      unguarded: route.unguarded ? true : undefined
    })
  }
}

const rateOf = ({ by, cost, name, policy }: RouteDescription["rateLimits"][number]) => {
  const { algorithm, ...numbers } = policy ?? { algorithm: undefined }
  return {
    name,
    ...numbers,
    ...defined({
      algorithm: algorithm === "sliding-window" ? algorithm : undefined,
      by: by === "caller" ? undefined : by,
      cost: cost === 1 ? undefined : cost
    })
  }
}

type Defined<A> = { readonly [K in keyof A]?: Exclude<A[K], undefined> }

/** Returns the members that are not undefined. */
const defined = <A extends object>(members: A): Defined<A> =>
  // The members that remain are those of the type.
  Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined)
  ) as Defined<A>

/** Returns the text of a lock, with a line for each route. */
export const print = ({ rawGroups, routes, version }: Lock): string => {
  const members = (of: Readonly<Record<string, unknown>>) => {
    const lines = Object.entries(of).map(
      ([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}`
    )
    return lines.length === 0 ? "{}" : `{\n${lines.join(",\n")}\n  }`
  }
  return `{\n  "rawGroups": ${members(rawGroups)},\n  "routes": ${members(routes)},\n  "version": ${version}\n}\n`
}

const decode = Schema.decodeEffect(Schema.fromJsonString(Lock), { errors: "all" })

/** Reads the lock. Fails with `CommandError` if there is none, or if it is not one. */
export const read: Effect.Effect<Lock, CommandError> = Effect.suspend(() =>
  existsSync(file)
    ? Effect.mapError(
        decode(readFileSync(file, "utf8")),
        (error) =>
          new CommandError({
            cause: error,
            exitCode: 2,
            reason: `${file} is not a lock of routes: ${error.message}\nRestore it, or make it again: flange routes --write`
          })
      )
    : Effect.fail(
        new CommandError({
          exitCode: 2,
          reason: `There is no ${file} in ${process.cwd()}. Make it and commit it: flange routes --write`
        })
      )
)

/** Writes the lock. */
export const write = (lock: Lock): Effect.Effect<void, CommandError> =>
  Effect.try({
    catch: (cause) =>
      new CommandError({
        cause,
        exitCode: 2,
        reason: `${file} cannot be written: ${sentenceOf(cause)}`
      }),
    try: () => WholeFile.write(file, print(lock))
  })
