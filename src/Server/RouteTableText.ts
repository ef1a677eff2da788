/** The routes of an app as a table for people. */
import * as Duration from "effect/Duration"
import type * as Guard from "../Contract/Guard.ts"
import type {
  RawGroupDescription,
  RouteDescription,
  RoutesDescription
} from "./Route/Description.ts"
import * as ErrorCodes from "./Route/ErrorCodes.ts"
import * as TextTable from "./TextTable.ts"

/** The text of a cell with nothing in it. */
const nothing = "-"

const columns: ReadonlyArray<readonly [string, (route: RouteDescription) => string]> = [
  ["METHOD", ({ method }) => method],
  ["PATH", ({ path }) => path],
  ["NAME", ({ name }) => name],
  ["ACCESS", accessOf],
  ["GUARDS", guardsOf],
  ["TRANSACTION", ({ transaction }) => (transaction === "none" ? nothing : transaction)],
  ["LIMITS", limitsOf],
  ["ERRORS", errorsOf]
]

/** Returns the table, and below it what is not in it. Lines end without spaces. */
export const render = ({ rawGroups, routes }: RoutesDescription): string => {
  const lines = TextTable.lines(
    columns.map(([name]) => name),
    routes.map((route) => columns.map(([, cell]) => cell(route)))
  )
  const notes = [
    ...rawGroups.map(
      (group) =>
        `Group "${group.group}" of ${group.plugin} (${accessOf(group)}): its routes are known after boot only.`
    ),
    ...[
      ...rawGroups.map(({ group, roles }) => ({ name: `Group "${group}"`, roles })),
      ...routes
    ].flatMap(({ name, roles }) =>
      roles === undefined || roles.includes("server")
        ? []
        : [`${name} is served in the role ${roles.join(" and ")} only.`]
    ),
    ...routes.flatMap(({ name, realtime }) =>
      realtime === undefined
        ? []
        : [`${name} ${realtime === "sse" ? "sends server-sent events" : "is a WebSocket"}.`]
    ),
    ...routes.flatMap(({ codecReason, name }) =>
      codecReason === undefined ? [] : [`${name} is not compiled: ${codecReason}.`]
    )
  ]
  return [...lines, ...(notes.length === 0 ? [] : ["", ...notes]), ""].join("\n")
}

/** Returns who may call a route: its access, and its chain if that is not the default one. */
export function accessOf({ access, chain }: Pick<RawGroupDescription, "access" | "chain">): string {
  return chain === undefined || chain === "default" ? access : `${access}:${chain}`
}

/** Returns the scopes of a guard, such as `orders:write` or `orders:read|orders:write`. */
export const scopesText = ({ match, scopes }: Guard.Scopes): string =>
  [...scopes].sort().join(match === "all" ? "+" : "|")

function guardsOf({ policies, scopes, unguarded }: RouteDescription): string {
  const guards = [...scopes.map(scopesText), ...policies]
  return guards.length === 0 ? (unguarded ? "unguarded" : nothing) : guards.join(", ")
}

function limitsOf({
  bodyLimit,
  cache,
  idempotency,
  rateLimits,
  timeout
}: RouteDescription): string {
  const limits = [
    ...(bodyLimit === undefined ? [] : [`body ${bytes(bodyLimit)}`]),
    ...(cache === undefined ? [] : [cacheOf(cache)]),
    ...(idempotency === undefined ? [] : [`key${idempotency.required ? " required" : ""}`]),
    ...rateLimits.map(rateOf),
    ...(timeout === undefined ? [] : [`time ${Duration.format(Duration.millis(timeout))}`])
  ]
  return limits.length === 0 ? nothing : limits.join(", ")
}

const cacheOf = ({ sharing, ttl, varyBy }: NonNullable<RouteDescription["cache"]>): string =>
  [
    `cache ${sharing === "public" ? "public" : "per identity"} ${Duration.format(Duration.millis(ttl))}`,
    ...(varyBy.length === 0 ? [] : [`by ${varyBy.join("+")}`])
  ].join(" ")

const rateOf = ({ by, cost, policy }: RouteDescription["rateLimits"][number]): string =>
  [
    policy === undefined
      ? "rate"
      : `rate ${policy.limit}/${Duration.format(Duration.millis(policy.window))}`,
    ...(by === "caller" ? [] : [`by ${by}`]),
    ...(cost === 1 ? [] : [`cost ${cost}`])
  ].join(" ")

const bytes = (count: number): string => {
  if (count === Number.MAX_SAFE_INTEGER) return "unlimited"
  for (const [unit, size] of [
    ["MiB", 1024 ** 2],
    ["KiB", 1024]
  ] as const) {
    if (count % size === 0) return `${count / size} ${unit}`
  }
  return `${count} B`
}

/** Returns the statuses of the errors that not every route has. */
function errorsOf({ errors }: RouteDescription): string {
  const own = Object.keys(errors).filter((status) =>
    errors[status]!.some((code) => !ErrorCodes.standard.has(code))
  )
  return own.length === 0 ? nothing : own.join(" ")
}
