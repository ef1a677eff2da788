/** The slot middleware of a route, gathered from the app's plugins. */
import type { Before } from "../Exchange/Before.ts"
import type { Observe } from "../Exchange/Observers.ts"
import * as ReplyHeaders from "../Exchange/ReplyHeaders.ts"
import type { Transform } from "../Exchange/ReplyTransform.ts"
import type { TimeRule } from "../Exchange/TimeLimit.ts"
import type { AroundHandler, Form, InsideTransaction, RouteInfo, Wrap } from "./MiddlewareForm.ts"
import { type Slot, slots, slotsOf } from "./Slots.ts"

/** One step in front of a handler: a check, or a function around everything inside. */
export type Step =
  | { readonly before: Before; readonly wrap?: undefined }
  | { readonly before?: undefined; readonly wrap: Wrap }

/** The slot middleware of one route. */
export interface Stack {
  /** Runs around the handler itself, with what runs inside its transaction; undefined if nothing does. */
  readonly handler: InsideTransaction | undefined
  /**
   * Constant headers, names in lower case and values in turn. Of several middlewares the outer
   * one's header wins.
   */
  readonly headers: ReadonlyArray<string>
  /** The steps between the middleware of the contract and the handler, outermost first. */
  readonly inner: ReadonlyArray<Step>
  /** Whether a step needs the reply inside the transaction, which `handleRaw` does not have. */
  readonly needsReply: boolean
  readonly observers: ReadonlyArray<Observe>
  /** Outermost first. */
  readonly steps: ReadonlyArray<Step>
  /** The time limits; undefined if no middleware has one. The outermost wins. */
  readonly time: TimeRule | undefined
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
  const arounds = forms.flatMap((form) => some("around" in form && form.around(info)))
  const inside = arounds.flatMap((form) => some(form.inside))
  const handlers = forms
    // A plain router has no handler of its own.
    .flatMap((form) => some(info.endpoint !== undefined && "handler" in form && form.handler(info)))
  return {
    handler: around(handlers, inside),
    headers: ReplyHeaders.constants(
      forms.map((form) => ("headers" in form && form.headers(info)) || {})
    ),
    inner: arounds.flatMap(({ before, wrap }): ReadonlyArray<Step> => [
      { before },
      ...some(wrap).map((wrap) => ({ wrap }))
    ]),
    needsReply: inside.length > 0,
    observers: forms.flatMap((form) => some("observe" in form && form.observe(info))),
    steps: forms.flatMap((form): ReadonlyArray<Step> =>
      "before" in form
        ? some(form.before(info)).map((before) => ({ before }))
        : some("reply" in form && form.reply(info)).map((wrap) => ({ wrap }))
    ),
    time: forms.flatMap((form) => some("time" in form && form.time(info)))[0],
    transforms: forms
      .flatMap((form) => some("transform" in form && form.transform(info)))
      .toReversed()
  }
}

const some = <A>(value: A | false | undefined): ReadonlyArray<A> =>
  value === undefined || value === false ? [] : [value]

/** Puts handlers around what runs inside of all of them; the first is the outermost. */
const around = (
  handlers: ReadonlyArray<AroundHandler>,
  inside: ReadonlyArray<InsideTransaction>
): InsideTransaction | undefined =>
  handlers.length + inside.length === 0
    ? undefined
    : (handler, toReply) =>
        handlers.reduceRight(
          (inner, outer) => outer(inner),
          inside.reduceRight((inner, outer) => outer(inner, toReply), handler)
        )
