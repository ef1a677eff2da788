/** The failures of templates by request, from which the page of a local failure is made. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { CurrentExchange } from "../../Server/Exchange/Exchange.ts"
import type { TemplateError } from "./TemplateError.ts"

const failures = new WeakMap<object, TemplateError>()

/** Records a failure of the request that this fiber serves. Does nothing outside of a request. */
export const record = (error: TemplateError): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    // The context may have no request.
    const context = fiber.context as Context.Context<CurrentExchange>
    const exchange = Context.getOrUndefined(context, CurrentExchange)
    if (exchange !== undefined) failures.set(exchange, error)
    return Effect.void
  })

/** Returns the failure of a request. */
export const of = (request: object): TemplateError | undefined => failures.get(request)
