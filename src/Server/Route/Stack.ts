/** The slot middleware of a route, gathered from the app's plugins. */
import type { Before } from "../Exchange/Before.ts"
import type { Observe } from "../Exchange/Observers.ts"
import * as ReplyHeaders from "../Exchange/ReplyHeaders.ts"
import type { Transform } from "../Exchange/ReplyTransform.ts"
import {
  type AroundHandler,
  type Form,
  type RouteInfo,
  type Slot,
  slots,
  slotsOf,
  type Wrap
} from "./Middleware.ts"

/** One step in front of a handler: a check, or a function around everything inside. */
export type Step =
  | { readonly before: Before; readonly wrap?: undefined }
  | { readonly before?: undefined; readonly wrap: Wrap }

/** The slot middleware of one route. */
export interface Stack {
  /** Runs around the handler itself; undefined if no middleware does. */
  readonly handler: AroundHandler | undefined
  /**
   * Constant headers, names in lower case and values in turn. Of several middlewares the outer
   * one's header wins.
   */
  readonly headers: ReadonlyArray<string>
  /** The steps between the middleware of the contract and the handler, outermost first. */
  readonly inner: ReadonlyArray<Step>
  readonly observers: ReadonlyArray<Observe>
  /** Outermost first. */
  readonly steps: ReadonlyArray<Step>
  /** Innermost first. */
  readonly transforms: ReadonlyArray<Transform>
}

/** Returns the slot middleware of a route. `built` is in plugin order. */
export const make = (
  info: RouteInfo,
  built: ReadonlyArray<Form & { readonly slot: Slot }>
): Stack => {
  const present = new Set<Slot>(slotsOf(info.access))
  const forms = slots.flatMap(({ name }) =>
    present.has(name) ? built.filter(({ slot }) => slot === name) : []
  )
  return {
    handler: forms
      // A plain router has no handler of its own.
      .flatMap((form) =>
        some(info.endpoint !== undefined && "handler" in form && form.handler(info))
      )
      .reduceRight<AroundHandler | undefined>(
        (inner, outer) => (inner === undefined ? outer : (handler) => outer(inner(handler))),
        undefined
      ),
    headers: ReplyHeaders.constants(
      forms.map((form) => ("headers" in form && form.headers(info)) || {})
    ),
    inner: forms
      .flatMap((form) => some("around" in form && form.around(info)))
      .flatMap(({ before, wrap }): ReadonlyArray<Step> => [
        { before },
        ...some(wrap).map((wrap) => ({ wrap }))
      ]),
    observers: forms.flatMap((form) => some("observe" in form && form.observe(info))),
    steps: forms.flatMap((form): ReadonlyArray<Step> =>
      "before" in form
        ? some(form.before(info)).map((before) => ({ before }))
        : some("reply" in form && form.reply(info)).map((wrap) => ({ wrap }))
    ),
    transforms: forms
      .flatMap((form) => some("transform" in form && form.transform(info)))
      .toReversed()
  }
}

const some = <A>(value: A | false | undefined): ReadonlyArray<A> =>
  value === undefined || value === false ? [] : [value]
