/**
 * The pipeline of one route, built once at start: its checks, its codec with the handler
 * inside, and the reply. Every request of the app runs through one pipeline.
 */
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpMethod from "effect/http/HttpMethod"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { ParentSpan } from "effect/Tracer"
import { PayloadTooLarge, UnsupportedMediaType } from "../../Contract/Catalogue.ts"
import * as Guard from "../../Contract/Guard.ts"
import { type Before, pass } from "../Exchange/Before.ts"
import * as BeforeEffect from "../Exchange/BeforeEffect.ts"
import type { EncodedReply } from "../Exchange/EncodedReply.ts"
import { CurrentExchange, type Exchange } from "../Exchange/Exchange.ts"
import type { Plan } from "../Exchange/Plan.ts"
import * as Problem from "../Exchange/Problem.ts"
import * as ReplyHeaders from "../Exchange/ReplyHeaders.ts"
import * as RequestId from "../Exchange/RequestId.ts"
import * as ContractMiddleware from "../Route/ContractMiddleware.ts"
import * as Guarding from "../Route/Guarding.ts"
import type { Next, RouteInfo, Wrap } from "../Route/MiddlewareForm.ts"
import type { Row } from "../Route/Rows.ts"
import * as Security from "../Route/Security.ts"
import type { Stack, Step } from "../Route/Stack.ts"
import type { Codec } from "./Codec.ts"
import { failureReply } from "./FailureReply.ts"
import * as HandlerReply from "./HandlerReply.ts"
import * as Payload from "./Payload.ts"

/** Serves the requests of one route. */
export interface Pipeline {
  readonly plan: Plan
  readonly serve: (exchange: Exchange) => void
}

/** Creates the pipeline of a route. */
export const make = ({
  bodyLimit,
  codec,
  info,
  stack,
  steps
}: {
  readonly bodyLimit: number
  readonly codec: Codec
  readonly info: RouteInfo
  readonly stack: Stack
  /** The middleware of the contract, outermost first. */
  readonly steps: ReadonlyArray<Step>
}): Pipeline => {
  const constant = stack.headers.filter((_, i) => {
    const name = stack.headers[i - (i % 2)]!
    // Each reply has the id of its own request.
    return name !== RequestId.header && !ReplyHeaders.isFraming(name)
  })
  ReplyHeaders.encodeLocation(constant)
  const invalid = ReplyHeaders.errorOf(constant)
  if (invalid !== undefined) {
    throw new TypeError(
      `The replies of "${info.method} ${info.path}" cannot have the constant headers of its middleware. ${invalid.message}`
    )
  }
  return {
    plan: {
      bodyLimit,
      constant: new Set(constant.filter((_, i) => i % 2 === 0)),
      headers: constant,
      endpoint: info.endpoint && `${info.group}.${info.endpoint.identifier}`,
      isBare: info.access.type === "bare",
      isOpened: codec.isOpened,
      maxBodySize: ByteSize.fromInputUnsafe(bodyLimit),
      observers: stack.observers,
      open: 0,
      plugin: info.plugin,
      readsBody: codec.readsBody,
      route: info,
      time: stack.time,
      transforms: stack.transforms,
      upgrades: codec.upgrades
    },
    serve: layOut(stack, steps, bodyLimit, codec)
  }
}

/** Returns the steps of the middleware in a row's contract, outermost first. */
export const contractSteps = (
  { contract, endpoint: written, guarded }: Row,
  context: Context.Context<unknown>
): ReadonlyArray<Step> => {
  const options =
    contract === undefined || written === undefined
      ? guarded
      : { endpoint: written, group: contract }
  if (options === undefined) return []
  const { endpoint } = options
  // Only middleware keys get into an endpoint's set; the last one is the outermost.
  const keys = [...endpoint.middlewares] as unknown as ReadonlyArray<HttpApiMiddleware.AnyService>
  return keys.toReversed().flatMap((key): ReadonlyArray<Step> => {
    const decision = Guard.decisionOf(key)
    if (decision !== undefined) {
      return [{ before: Guarding.make(decision.decide, decision.isOptional)(options) }]
    }
    const service: unknown = Context.getUnsafe(context, key)
    if (HttpApiMiddleware.isSecurity(key)) {
      // The service of a security key has this shape. Its failures are encoded outside.
      return [{ wrap: Security.wrap(key, service as never, options) as unknown as Wrap }]
    }
    const apply = service as ContractMiddleware.ContractMiddleware
    const before = ContractMiddleware.beforeOf(apply)
    // It may fail with errors of the contract, which are encoded outside.
    if (before === undefined) return [{ wrap: (next) => apply(next, options) as Next }]
    const made = before(options)
    return made === undefined ? [] : [{ before: made }]
  })
}

/** Runs the steps before the first `wrap` as functions, and the others as effects. */
const layOut = (
  { inner, steps: slots }: Stack,
  contract: ReadonlyArray<Step>,
  bodyLimit: number,
  codec: Codec
): Pipeline["serve"] => {
  const admitted: Step = { before: admission(bodyLimit, codec) }
  const behind = [...contract, ...inner]
  const steps: ReadonlyArray<Step> = [...slots, admitted, ...behind]
  const first = steps.findIndex(({ wrap }) => wrap !== undefined)
  const functions = steps.slice(0, first === -1 ? undefined : first)
  const befores = functions.map(({ before }) => before!)
  if (first === -1) return decide(befores, asFunction(codec))
  const outer = steps.slice(first, slots.length + 1)
  const handled = asEffect(codec)
  const core =
    inner.length === 0
      ? handled
      : // The steps around a reply see errors as replies.
        withExchange((exchange) => replyOf(handled, codec, exchange))
  const rest = layered(behind.slice(Math.max(0, first - slots.length - 1)), core)
  const program = layered(
    outer,
    withExchange((exchange) => replyOf(rest, codec, exchange))
  )
  return decide(befores, (exchange) => exchange.respond(program))
}

/** Runs the checks in turn until one answers the request, or calls `arrive`. */
const decide = (
  befores: ReadonlyArray<Before>,
  arrive: (exchange: Exchange) => void
): Pipeline["serve"] => {
  const from = (exchange: Exchange, at: number): void => {
    for (let i = at; i < befores.length; i++) {
      const before = befores[i]!
      const decision = guarded(() => before(exchange))
      if (decision === pass) continue
      return exchange.run(decision, false, (exit) => {
        if (exit._tag === "Failure") exchange.respond(Exit.failCause(exit.cause))
        else if (exit.value === undefined) from(exchange, i + 1)
        else exchange.sendResponse(exit.value)
      })
    }
    arrive(exchange)
  }
  return (exchange) => from(exchange, 0)
}

/** Puts steps around an effect, the first step outermost. */
const layered = (
  steps: ReadonlyArray<Step>,
  core: Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, unknown>
): Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, unknown> =>
  steps.reduceRight(
    (next, { before, wrap }) =>
      // Contract middleware passes failures on, and the exchange provides the services.
      before === undefined ? wrap(next as Next) : BeforeEffect.run(before)(next),
    core
  )

/** Refuses a request if its head announces a body that is too long or of another media type. */
const admission = (bodyLimit: number, { mediaTypes, takesNothing }: Codec): Before => {
  const taken = new Set(mediaTypes)
  return (request) => {
    if (!HttpMethod.hasBody(request.method)) return pass
    if (Number(request.header("content-length")) > bodyLimit) {
      return Problem.closing(Problem.render(new PayloadTooLarge({ limit: bodyLimit }), request))
    }
    if (taken.size === 0) return pass
    const sent = request.header("content-type")
    // If there is a body without a type, it is refused when it is read.
    if (takesNothing && (sent === undefined || request.header("content-length") === "0")) {
      return pass
    }
    return taken.has(sent ?? "application/json") ||
      (taken.has(Payload.mediaType(request.method, sent)) && Payload.isUtf8(sent))
      ? pass
      : Problem.render(new UnsupportedMediaType({ supported: mediaTypes }), request)
  }
}

/**
 * Reads the body, decodes, calls the handler, and sends the reply, with a fiber only for an
 * effect that waits.
 */
const asFunction = (codec: Codec): Pipeline["serve"] => {
  const { isUninterruptible, readsBody, serve, success } = codec
  const finish = (exchange: Exchange, exit: Exit.Exit<unknown, unknown>): void => {
    if (exit._tag === "Failure")
      return exchange.respond(replyOf(Exit.failCause(exit.cause), codec, exchange))
    const { value } = exit
    try {
      if (HttpServerResponse.isHttpServerResponse(value)) return exchange.sendResponse(value)
      if (!HttpServerRespondable.isRespondable(value)) {
        const encoded = guarded(() => success!(value))
        if (Exit.isExit(encoded) && encoded._tag === "Success") {
          // An exit that is not a failure has the value.
          return exchange.send(encoded.value as EncodedReply)
        }
        return exchange.respond(replyOf(HandlerReply.encoded(encoded, exchange), codec, exchange))
      }
      exchange.respond(replyOf(HandlerReply.make(success, value, exchange), codec, exchange))
    } catch (defect) {
      // Reading a value may throw.
      exchange.respond(replyOf(Effect.die(defect), codec, exchange))
    }
  }
  const start = (exchange: Exchange): void => {
    const handled = guarded(() => serve(exchange))
    if (Exit.isExit(handled)) return finish(exchange, handled)
    exchange.enter()
    exchange.run(handled, isUninterruptible, (exit) => {
      exchange.leave(exit)
      finish(exchange, exit)
    })
  }
  return (exchange) => {
    if (readsBody && exchange.hasBody) exchange.readBody(() => start(exchange))
    else start(exchange)
  }
}

/** Returns the same as an effect. It fails if the handler fails. */
const asEffect = (
  codec: Codec
): Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, unknown> =>
  withExchange((exchange) => {
    const handled = traced(
      exchange,
      Effect.contextWith((services) => codec.serve(exchange, services))
    )
    return (codec.readsBody && exchange.hasBody ? bodyRead(exchange) : Effect.void).pipe(
      Effect.andThen(codec.isUninterruptible ? Effect.uninterruptible(handled) : handled),
      Effect.flatMap((value) => HandlerReply.make(codec.success, value, exchange))
    )
  })

/** Runs a handler in its span, if the request is sampled. */
const traced = <A, E, R>(
  exchange: Exchange,
  handled: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const span = exchange.enter()
    return span === undefined
      ? handled
      : Effect.onExit(Effect.provideService(handled, ParentSpan, span), (exit) =>
          Effect.sync(() => exchange.leave(exit))
        )
  })

const bodyRead = (exchange: Exchange) =>
  Effect.callback<void>((resume) => exchange.readBody(() => resume(Effect.void)))

const withExchange = <A>(use: (exchange: Exchange) => Effect.Effect<A, unknown, unknown>) =>
  Effect.flatMap(CurrentExchange, use)

/** Calls user code outside a fiber. A thrown value becomes a defect. */
const guarded = <A, E, R>(call: () => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  try {
    return call()
  } catch (defect) {
    return Effect.die(defect)
  }
}

/** Returns the reply to any exit of a handler. Interruption is passed on. */
const replyOf = (
  handled: Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, unknown>,
  { failure }: Codec,
  exchange: Exchange
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, unknown> =>
  Effect.onError(handled, (cause) => Effect.sync(() => exchange.ended(Exit.failCause(cause)))).pipe(
    Effect.catch((error) => failureReply(failure, error, exchange)),
    Effect.flatMap((response) => Problem.complete(response, exchange)),
    Effect.catchCause((cause) => Problem.fromCause(cause, exchange))
  )
