/** What the slots of a route put around its replies, gathered from the app's middleware. */
import type { Before } from "../Exchange/Before.ts"
import type { Observe } from "../Exchange/Observers.ts"
import {
  type AroundHandler,
  type Form,
  type RouteInfo,
  type Slot,
  slots,
  slotsOf,
  type Wrap
} from "./Middleware.ts"

/** One thing that stands before a handler: a function that decides, or an effect around the rest. */
export type Step =
  | { readonly before: Before; readonly wrap?: undefined }
  | { readonly before?: undefined; readonly wrap: Wrap }

/** What stands around the replies of one route. */
export interface Around {
  /** Around the handler itself; undefined for nothing. */
  readonly handler: AroundHandler | undefined
  /** Headers of every reply that has none of the same name. */
  readonly headers: Readonly<Record<string, string>>
  readonly observers: ReadonlyArray<Observe>
  /** Outermost first. */
  readonly steps: ReadonlyArray<Step>
}

/** Gathers what built middleware, in plugin order, puts around a route. */
export const around = (
  info: RouteInfo,
  built: ReadonlyArray<Form & { readonly slot: Slot }>
): Around => {
  const present = new Set<Slot>(slotsOf(info.access))
  const standing = slots.flatMap(({ name }) =>
    present.has(name) ? built.filter(({ slot }) => slot === name) : []
  )
  return {
    handler: standing
      // A plain router has no handler that it could stand around.
      .flatMap((form) =>
        some(info.endpoint !== undefined && "handler" in form && form.handler(info))
      )
      .reduceRight<AroundHandler | undefined>(
        (inner, outer) => (inner === undefined ? outer : (handler) => outer(inner(handler))),
        undefined
      ),
    headers: Object.assign(
      {},
      // The outer middleware's header stands.
      ...standing.map((form) => ("headers" in form ? form.headers(info) : undefined)).toReversed()
    ),
    observers: standing.flatMap((form) => some("observe" in form && form.observe(info))),
    steps: standing.flatMap((form): ReadonlyArray<Step> =>
      "before" in form
        ? some(form.before(info)).map((before) => ({ before }))
        : some("reply" in form && form.reply(info)).map((wrap) => ({ wrap }))
    )
  }
}

const some = <A>(value: A | false | undefined): ReadonlyArray<A> =>
  value === undefined || value === false ? [] : [value]
