/** The differences between a lock of routes and the routes of an app, in words for a reviewer. */
import * as Duration from "effect/Duration"
import type { Lock, LockedRateLimit, LockedRawGroup, LockedRoute } from "./Lock.ts"

/** One difference. */
export interface Change {
  /**
   * `weaker`: less protects the route than before. `different`: anything else, such as a route that
   * is new.
   */
  readonly kind: "different" | "weaker"
  /** A sentence that names the route. */
  readonly message: string
}

/** What a change says about a route, without its name. */
type Part = readonly [Change["kind"], string]

/** Returns the differences of an app from its lock, the weaker ones first. */
export const of = (before: Lock, after: Lock): ReadonlyArray<Change> => {
  const changes = [
    ...pairs(before.routes, after.routes).flatMap(ofRoute),
    ...groups(before.rawGroups, after.rawGroups)
  ]
  return [
    ...changes.filter(({ kind }) => kind === "weaker"),
    ...changes.filter(({ kind }) => kind === "different")
  ]
}

/** A route of the lock and that of the app. */
interface Pair {
  readonly after: LockedRoute | undefined
  readonly before: LockedRoute | undefined
  readonly key: string
  /** The key in the lock, if it is another one. */
  readonly movedFrom?: string
}

type Routes = Lock["routes"]

/** Pairs routes by method and path; those that remain, by name. */
const pairs = (before: Routes, after: Routes): ReadonlyArray<Pair> => {
  const removed = new Map(Object.entries(before).filter(([key]) => !Object.hasOwn(after, key)))
  const found = Object.entries(after).map(([key, route]): Pair => {
    if (Object.hasOwn(before, key)) return { after: route, before: before[key], key }
    const moved = [...removed].find(([, { name }]) => name === route.name)
    if (moved === undefined) return { after: route, before: undefined, key }
    removed.delete(moved[0])
    return { after: route, before: moved[1], key, movedFrom: moved[0] }
  })
  return [
    ...found,
    ...[...removed].map(([key, route]): Pair => ({ after: undefined, before: route, key }))
  ]
}

const ofRoute = ({ after, before, key, movedFrom }: Pair): ReadonlyArray<Change> => {
  const name = `${key} (${(after ?? before)!.name})`
  const parts: ReadonlyArray<Part> =
    before === undefined
      ? [["different", `is new: ${summary(after!)}.`]]
      : after === undefined
        ? [["different", "was removed: callers of it get an error."]]
        : [
            ...(movedFrom === undefined
              ? []
              : [["different", `was ${movedFrom}: callers of it get an error.`] as const]),
            ...(before.name === after.name
              ? []
              : [["different", `was named ${before.name}.`] as const]),
            ...access(before, after),
            ...guards(before, after),
            ...transaction(before, after),
            ...limits(before, after)
          ]
  return parts.map(([kind, text]) => ({ kind, message: `${name} ${text}` }))
}

/** Returns what protects a new route. */
const summary = (route: LockedRoute): string =>
  [
    accessText(route),
    ...(route.scopes ?? []).map((scope) => `scope ${scope}`),
    ...(route.anyScope ?? []).map((scopes) => `one of the scopes ${scopes.join(", ")}`),
    ...(route.policies ?? []).map((policy) => `policy ${policy}`),
    route.transaction === undefined ? "no transaction" : `${route.transaction} transaction`
  ].join(", ")

const accessText = ({ access, chain }: LockedRawGroup): string =>
  chain === undefined || chain === "default" ? access : `${access} by the chain "${chain}"`

/** How much each access asks of a caller. */
const strictness = { bare: 0, optional: 2, protected: 3, public: 1 } as const

const consequence = {
  bare: "everybody may call it, without limits and without a line in the log",
  optional: "callers without credentials reach it",
  protected: "only authenticated callers reach it",
  public: "everybody may call it"
} as const

const access = (before: LockedRawGroup, after: LockedRawGroup): ReadonlyArray<Part> => {
  if (before.access !== after.access) {
    const isWeaker = strictness[after.access] < strictness[before.access]
    return [
      [
        isWeaker ? "weaker" : "different",
        `became ${accessText(after)}: ${consequence[after.access]}. It was ${accessText(before)}.`
      ]
    ]
  }
  return before.chain === after.chain
    ? []
    : [["different", `is ${accessText(after)} now. It was ${accessText(before)}.`]]
}

const guards = (before: LockedRoute, after: LockedRoute): ReadonlyArray<Part> => {
  const scopes = after.scopes ?? []
  const anyScope = after.anyScope ?? []
  const policies = after.policies ?? []
  const isImplied = (any: ReadonlyArray<string>) =>
    any.some((scope) => scopes.includes(scope)) ||
    anyScope.some((other) => other.every((scope) => any.includes(scope)))
  return [
    ...(before.scopes ?? [])
      .filter((scope) => !scopes.includes(scope) && !anyScope.some((any) => isOnly(any, scope)))
      .map((scope): Part => [
        "weaker",
        `lost the scope ${scope}: callers without it reach the handler.`
      ]),
    ...(before.anyScope ?? [])
      .filter((any) => !isImplied(any))
      .map((any): Part => [
        "weaker",
        `no longer asks for one of the scopes ${any.join(", ")}: callers without them reach the handler.`
      ]),
    ...(before.policies ?? [])
      .filter((policy) => !policies.includes(policy))
      .map((policy): Part => [
        "weaker",
        `lost the policy ${policy}: callers that it refuses reach the handler.`
      ]),
    ...scopes
      .filter((scope) => before.scopes?.includes(scope) !== true)
      .map((scope): Part => ["different", `asks for the scope ${scope} now.`]),
    ...anyScope
      .filter((any) => !(before.anyScope ?? []).some((other) => other.join() === any.join()))
      .map((any): Part => ["different", `asks for one of the scopes ${any.join(", ")} now.`]),
    ...policies
      .filter((policy) => before.policies?.includes(policy) !== true)
      .map((policy): Part => ["different", `has the policy ${policy} now.`]),
    ...(before.unguarded === after.unguarded
      ? []
      : [
          [
            "different",
            after.unguarded === true
              ? "is marked as unguarded now."
              : "is no longer marked as unguarded."
          ] as const
        ])
  ]
}

const isOnly = (scopes: ReadonlyArray<string>, scope: string): boolean =>
  scopes.every((other) => other === scope)

const transaction = (
  { transaction: before }: LockedRoute,
  { transaction: after }: LockedRoute
): ReadonlyArray<Part> => {
  if (before === after) return []
  if (after === undefined) {
    return [
      [
        "weaker",
        before === "read-write"
          ? "lost its read-write transaction: if it fails halfway, what it wrote stays."
          : "lost its read-only transaction: its queries may see different states."
      ]
    ]
  }
  if (before === undefined) return [["different", `has a ${after} transaction now.`]]
  return after === "read-write"
    ? [["weaker", "may write in its transaction: it was read-only."]]
    : [["different", "has a read-only transaction now: the database refuses its writes."]]
}

const limits = (before: LockedRoute, after: LockedRoute): ReadonlyArray<Part> => [
  ...limit(before.bodyLimit, after.bodyLimit, {
    name: "the limit of its body",
    none: "that of the configuration",
    text: (bytes) => `${bytes} bytes`,
    unset: "different"
  }),
  ...limit(before.timeout, after.timeout, {
    name: "its timeout",
    none: "none",
    text: (millis) => Duration.format(Duration.millis(millis)),
    unset: "weaker"
  }),
  ...rates(ratesOf(before), ratesOf(after))
]

const limit = (
  before: number | undefined,
  after: number | undefined,
  words: {
    readonly name: string
    readonly none: string
    readonly text: (value: number) => string
    /** The kind of the change from a value to none. */
    readonly unset: Change["kind"]
  }
): ReadonlyArray<Part> => {
  if (before === after) return []
  const text = (value: number | undefined) => (value === undefined ? words.none : words.text(value))
  const kind =
    after === undefined
      ? words.unset
      : before !== undefined && after > before
        ? "weaker"
        : "different"
  return [[kind, `has another limit: ${words.name} is ${text(after)}. It was ${text(before)}.`]]
}

type Rates = ReadonlyArray<LockedRateLimit>

const ratesOf = ({ rateLimit, rateLimits }: LockedRoute): Rates =>
  rateLimits ?? (rateLimit === undefined ? [] : [rateLimit])

const rates = (before: Rates, after: Rates): ReadonlyArray<Part> => {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  if (after.length === 0) {
    return [["weaker", "lost its rate limit: a caller may send any number of requests."]]
  }
  const text = after.map(rateText).join(" and ")
  if (before.length === 0) return [["different", `has a rate limit now: ${text}.`]]
  // A limit with another name is a limit of other requests; a single one may have been renamed.
  const isWeaker = before.some((old) => {
    const now =
      before.length === 1 && after.length === 1
        ? after[0]
        : after.find(({ name }) => name === old.name)
    return now === undefined || isRaised(old, now)
  })
  return [
    [
      isWeaker ? "weaker" : "different",
      `has another rate limit: ${text}. It was ${before.map(rateText).join(" and ")}.`
    ]
  ]
}

/** Whether a caller may send more requests, as far as the lock knows. */
const isRaised = (before: LockedRateLimit, after: LockedRateLimit): boolean => {
  const [old, now] = [perSecond(before), perSecond(after)]
  const [dear, cheap] = [before.cost ?? 1, after.cost ?? 1]
  if (old === undefined || now === undefined) return cheap < dear
  return now / cheap > old / dear || after.burst! / cheap > before.burst! / dear
}

const perSecond = ({ limit, window }: LockedRateLimit): number | undefined =>
  limit === undefined || window === undefined ? undefined : limit / window

const rateText = ({ algorithm, burst, by, cost, limit, name, window }: LockedRateLimit): string =>
  [
    limit === undefined || window === undefined
      ? "that of the configuration"
      : `${limit} requests in ${Duration.format(Duration.millis(window))}, ${burst} at once, as "${name}"`,
    ...(algorithm === undefined ? [] : ["in a sliding window"]),
    ...(by === undefined ? [] : [`by ${by}`]),
    ...(cost === undefined ? [] : [`at a cost of ${cost}`])
  ].join(", ")

const groups = (before: Lock["rawGroups"], after: Lock["rawGroups"]): ReadonlyArray<Change> =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().flatMap((name) => {
    const [old, now] = [own(before, name), own(after, name)]
    const parts: ReadonlyArray<Part> =
      old === undefined
        ? [["different", `is new: ${accessText(now!)}.`]]
        : now === undefined
          ? [["different", "was removed: callers of its routes get an error."]]
          : access(old, now)
    return parts.map(([kind, text]) => ({ kind, message: `The group "${name}" ${text}` }))
  })

const own = <A>(record: Readonly<Record<string, A>>, key: string): A | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined
