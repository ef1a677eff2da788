/** The upstreams of an app: those of the configuration, and one for each other origin. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { nearest } from "../../Config/Nearest.ts"
import { UnknownUpstream } from "./Errors.ts"
import * as Meters from "./Meters.ts"
import { limitsOf, type Settings } from "./OutgoingConfig.ts"
import * as Upstream from "./Upstream.ts"

/** The name of all upstreams that the configuration does not have. */
export const other = "other"

/** The most origins without a name. A caller who chooses URLs would fill the memory. */
const maxOrigins = 1000

/** An upstream of the configuration. */
export interface Named extends Upstream.Upstream {
  /** The origin of its URL. */
  readonly origin: string
  /** The path of its URL, without a slash at its end. */
  readonly path: string
  readonly url: string
}

/** The upstreams of an app. */
export interface Upstreams {
  /** Returns the upstream of a name. */
  readonly named: (name: string) => Effect.Effect<Named, UnknownUpstream>
  /** Returns the upstream of a URL. The longest path of a configured upstream wins. */
  readonly of: (url: URL) => Effect.Effect<Upstream.Upstream>
}

interface Kept {
  readonly scope: Scope.Closeable
  readonly upstream: Upstream.Upstream
}

/** Checks whether a URL is below that of an upstream. */
export const isBelow = (url: URL, { origin, path }: Pick<Named, "origin" | "path">): boolean =>
  url.origin === origin && (url.pathname === path || url.pathname.startsWith(`${path}/`))

/** Creates the upstreams of the configuration. */
export const make = (settings: Settings): Effect.Effect<Upstreams, never, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    const layerScope = yield* Effect.scope
    const named = new Map<string, Named>()
    for (const [name, own] of Object.entries(settings.upstreams)) {
      const { origin, pathname } = new URL(own.url)
      const upstream = yield* Upstream.make({
        isInternal: own.internal,
        limits: limitsOf(settings, own),
        meters: Meters.make(name, context),
        name,
        origin
      })
      const { breaker, bulkhead } = upstream
      Meters.register(
        name,
        {
          running: () => bulkhead.running,
          state: breaker.state,
          waiting: () => bulkhead.waiting
        },
        context
      )
      const path = pathname.replace(/\/$/, "")
      named.set(name, { ...upstream, origin, path, url: own.url })
    }
    const byLength = [...named.values()].toSorted((a, b) => b.path.length - a.path.length)

    const others = new Map<string, Kept>()
    const meters = Meters.make(other, context)
    const all = () => [...others.values()].map(({ upstream }) => upstream)
    const sum = (read: (upstream: Upstream.Upstream) => number) =>
      all().reduce((total, upstream) => total + read(upstream), 0)
    Meters.register(
      other,
      {
        running: () => sum(({ bulkhead }) => bulkhead.running),
        state: () => all().reduce((most, { breaker }) => Math.max(most, breaker.state()), 0),
        waiting: () => sum(({ bulkhead }) => bulkhead.waiting)
      },
      context
    )

    const ofOrigin = (origin: string): Effect.Effect<Upstream.Upstream> =>
      Effect.suspend(() => {
        const known = others.get(origin)
        if (known !== undefined) {
          // The order of the map is that of use.
          others.delete(origin)
          others.set(origin, known)
          return Effect.succeed(known.upstream)
        }
        return Effect.uninterruptible(
          Effect.gen(function* () {
            const [oldest] = others
            if (oldest !== undefined && others.size >= maxOrigins) {
              others.delete(oldest[0])
              yield* Scope.close(oldest[1].scope, Exit.void)
            }
            const scope = yield* Scope.fork(layerScope)
            const upstream = yield* Scope.provide(
              Upstream.make({ isInternal: false, limits: settings, meters, name: other, origin }),
              scope
            )
            others.set(origin, { scope, upstream })
            return upstream
          })
        )
      })

    return {
      named: (name) => {
        const found = named.get(name)
        if (found !== undefined) return Effect.succeed(found)
        const known = [...named.keys()].toSorted()
        return Effect.fail(
          new UnknownUpstream({ known, nearest: nearest(name, known), upstream: name })
        )
      },
      of: (url) => {
        const found = byLength.find((upstream) => isBelow(url, upstream))
        return found === undefined ? ofOrigin(url.origin) : Effect.succeed(found)
      }
    }
  })
