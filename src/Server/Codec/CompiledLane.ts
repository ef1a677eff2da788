/**
 * The compiled lane: the common endpoint as one function, built once at start
 * from its schemas. It decodes, runs the handler with a prepared context,
 * encodes, and writes once. It gives the same answers as the general lane.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import { HttpApiSchemaError } from "effect/http-api/HttpApiError"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpMethod from "effect/http/HttpMethod"
import * as Respondable from "effect/http/HttpServerRespondable"
import * as Response from "effect/http/HttpServerResponse"
import {
  PayloadTooLarge,
  UnsupportedMediaType,
  ValidationFailed
} from "../../Contract/Catalogue.ts"
import { StandardErrors } from "../../Contract/StandardErrors.ts"
import * as Before from "../Exchange/Before.ts"
import { aborted, CurrentExchange, type LaneExchange, type Plan } from "../Exchange/Exchange.ts"
import * as Problem from "../Exchange/Problem.ts"
import { CurrentReply } from "../Exchange/ReplyHeaders.ts"
import * as RequestId from "../Exchange/RequestId.ts"
import { ofText } from "../Exchange/WireReply.ts"
import type { Around, Next, RouteInfo } from "../Route/Middleware.ts"
import { call, type Row } from "../Route/Rows.ts"
import * as Internals from "./EffectInternals.ts"
import * as EndpointCodec from "./EndpointCodec.ts"
import * as JsonText from "./JsonText.ts"
import * as Validation from "./Validation.ts"

/** Answers one request of an endpoint. */
export interface Compiled {
  readonly plan: Plan
  readonly run: (exchange: LaneExchange) => void
}

/** Why an endpoint cannot take the compiled lane; undefined where it can. */
export const obstacle = (endpoint: HttpApiEndpoint.Top): string | undefined => {
  if (endpoint.payload.size > 1) return "its payload has several content types"
  for (const { encoding } of endpoint.payload.values()) {
    if (encoding._tag !== "Json") return `its payload is ${encoding._tag}`
  }
  for (const schema of [
    ...Internals.getSuccessSchemas(endpoint),
    ...Internals.getErrorSchemas(endpoint)
  ]) {
    if (Internals.isUpgrade(schema)) return "it upgrades the connection"
    if (HttpApiSchema.isWithHeaders(schema)) return "a response carries typed headers"
    if (Internals.isStreamSchema(schema)) return "its success is a stream"
    const { _tag } = Internals.getResponseEncodingSchema(schema)
    if (_tag !== "Json") return `a response is ${_tag}`
  }
  for (const key of middlewares(endpoint)) {
    if (HttpApiMiddleware.isSecurity(key)) return `${key.key} chooses among security schemes`
  }
  return undefined
}

/** What a compiled endpoint is made of. */
export interface Options {
  readonly around: Around
  readonly bodyLimit: number
  /** Every service of the app. */
  readonly context: Context.Context<unknown>
  readonly info: RouteInfo
  readonly row: Row
}

/** Parses a body; throws the answer to one that is not JSON. */
const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw Problem.notJson(error)
  }
}

/** Compiles an endpoint that has no obstacle. */
export const compile = (options: Options): Compiled => {
  const { headers, observers } = options.around
  // The id of a request is its own.
  const constant = Object.entries(headers).filter(([name]) => name !== RequestId.header)
  const names = new Set(constant.map(([name]) => name))
  return {
    plan: {
      bodyLimit: options.bodyLimit,
      hasType: names.has("content-type"),
      headers: constant.flat(),
      info: options.info,
      names: new Set([...names, "content-type", RequestId.header]),
      observers
    },
    run: runner(options)
  }
}

const runner = ({ around, bodyLimit, context, row }: Options): Compiled["run"] => {
  const endpoint = row.endpoint!
  const runtime = row.runtime!
  const decoders = EndpointCodec.decoders(endpoint)
  const empty = EndpointCodec.emptyPayload(endpoint)
  const encode = EndpointCodec.success(endpoint)
  const encodeFailure = EndpointCodec.failure(endpoint)
  const mediaType = [...endpoint.payload.keys()][0]
  const takesBody = HttpMethod.hasBody(endpoint.method)

  /** Answers a request with a body whose head the endpoint does not take. */
  const refuse: Before.Before = (request) => {
    if (!takesBody) return Before.pass
    if (Number(request.header("content-length")) > bodyLimit) {
      return Problem.closing(Problem.render(new PayloadTooLarge({ limit: bodyLimit }), request))
    }
    const sent = mediaType === undefined ? undefined : request.header("content-type")
    return sent === undefined || sent === mediaType || normalized(sent) === mediaType
      ? Before.pass
      : Problem.render(new UnsupportedMediaType({ supported: [mediaType!] }), request)
  }

  const input = (exchange: LaneExchange, slot: EndpointCodec.Decoder["slot"]): unknown => {
    switch (slot) {
      case "headers":
        return exchange.request.headers
      case "params":
        return exchange.params
      case "payload":
        return exchange.bodyText === "" || exchange.bodyText === undefined
          ? empty
          : parse(exchange.bodyText)
      case "query":
        return exchange.searchParams
    }
  }

  /** A part of the request; throws the answer to a body that cannot be read. */
  const read = (exchange: LaneExchange, slot: EndpointCodec.Decoder["slot"]): unknown => {
    const unreadable = slot === "payload" ? readText(exchange) : undefined
    if (unreadable !== undefined) throw unreadable
    return input(exchange, slot)
  }

  /** Fails with everything that is wrong from a decoder on. */
  const refused = (exchange: LaneExchange, from: number) =>
    Effect.flatMap(
      Validation.issues(decoders.slice(from), (slot) => read(exchange, slot)),
      (errors) => Effect.die(new ValidationFailed({ errors }))
    )

  /** Decodes what is left to decode, then calls the handler. */
  const handle = (
    exchange: LaneExchange,
    from: number,
    request: Requested
  ): Effect.Effect<unknown, unknown, unknown> => {
    try {
      for (let i = from; i < decoders.length; i++) {
        const { first, slot } = decoders[i]!
        const decoded = first(read(exchange, slot))
        if (!Exit.isExit(decoded)) {
          return Effect.matchEffect(decoded, {
            onFailure: () => refused(exchange, i),
            onSuccess: (value) => {
              request[slot] = value
              return handle(exchange, i + 1, request)
            }
          })
        }
        if (decoded._tag === "Failure") return refused(exchange, i)
        request[slot] = decoded.value
      }
      return call(runtime, request as never)
    } catch (defect) {
      return Effect.die(defect)
    }
  }

  const start = (exchange: LaneExchange) =>
    exchange.body === "Aborted" ? aborted : handle(exchange, 0, new Requested(exchange, row))

  /** The reply to a handler's end that is not a value of the contract. */
  const reply = (
    effect: Effect.Effect<Response.HttpServerResponse, unknown, unknown>,
    exchange: LaneExchange
  ) =>
    effect.pipe(
      Effect.catch((error) => declared(encodeFailure, error)),
      Effect.flatMap((response) => Problem.complete(response, exchange)),
      Effect.catchCause((cause) => Problem.fromCause(cause, exchange))
    )

  const inner = middlewares(endpoint)
    .filter(({ key }) => key !== StandardErrors.key)
    .map((key) => Context.getUnsafe(context, key) as Apply)
  const contract = { endpoint, group: row.contract! }
  // The last in the contract is the outermost.
  const guards = inner.toReversed().map((apply) => Before.ofMiddleware(apply)?.(contract))
  if (around.wraps.length === 0 && guards.every((guard) => guard !== undefined)) {
    const finish = (exchange: LaneExchange) => (exit: Exit.Exit<unknown, unknown>) => {
      if (exit._tag === "Failure") {
        return exchange.respond(reply(Effect.failCause(exit.cause), exchange))
      }
      let encoded: ReturnType<typeof encode> | undefined
      try {
        encoded = isReply(exit.value) ? undefined : encode(exit.value)
      } catch (defect) {
        encoded = Exit.die(defect)
      }
      if (encoded === undefined) {
        return exchange.respond(reply(toResponse(encode, exit.value), exchange))
      }
      if (Exit.isExit(encoded) && encoded._tag === "Success") {
        const { body, contentType, status } = encoded.value as EndpointCodec.Encoded
        return exchange.send(status, contentType, body)
      }
      exchange.respond(reply(responseTo(encoded), exchange))
    }
    const go = (exchange: LaneExchange) =>
      exchange.run(start(exchange), runtime.uninterruptible, finish(exchange))
    return pipeline([...around.befores, refuse, ...guards], (exchange) => {
      if (mediaType === undefined || !exchange.hasBody) return go(exchange)
      exchange.readBody(() => go(exchange))
    })
  }

  const core = withExchange((exchange) =>
    Effect.flatMap(
      mediaType !== undefined && exchange.hasBody
        ? Effect.flatMap(bodyOf(exchange), () => start(exchange))
        : start(exchange),
      (value) => toResponse(encode, value)
    )
  )
  const inside = inner.reduce((effect, apply) => apply(effect, contract), core)
  const program = around.wraps.reduceRight<Next>(
    (next, wrap) => wrap(next),
    withExchange(
      (exchange) =>
        Effect.flatMap(refuse(exchange), (refused) =>
          refused === undefined ? reply(inside, exchange) : Effect.succeed(refused)
        )
      // Its services are those of the exchange that it runs in.
    ) as Next
  )
  return pipeline(around.befores, (exchange) => {
    exchange.provide(CurrentExchange, exchange)
    exchange.provide(CurrentReply, exchange)
    exchange.respond(program)
  })
}

/** Asks in turn whether the request may go on, and lets it arrive or answers it. */
const pipeline = (
  befores: ReadonlyArray<Before.Before>,
  arrive: (exchange: LaneExchange) => void
): Compiled["run"] => {
  const from = (exchange: LaneExchange, at: number): void => {
    for (let i = at; i < befores.length; i++) {
      const decision = ask(befores[i]!, exchange)
      if (decision === Before.pass) continue
      return exchange.run(decision, false, (exit) => {
        if (exit._tag === "Failure") exchange.respond(Effect.failCause(exit.cause))
        else if (exit.value === undefined) from(exchange, i + 1)
        else exchange.sendResponse(exit.value)
      })
    }
    arrive(exchange)
  }
  return (exchange) => from(exchange, 0)
}

const ask = (before: Before.Before, exchange: LaneExchange) => {
  try {
    return before(exchange)
  } catch (defect) {
    return Effect.die(defect)
  }
}

type Apply = (
  effect: Effect.Effect<Response.HttpServerResponse, unknown, unknown>,
  options: object
) => Effect.Effect<Response.HttpServerResponse, unknown, unknown>

const withExchange = <A>(f: (exchange: LaneExchange) => Effect.Effect<A, unknown, unknown>) =>
  Effect.withFiber<A, unknown, unknown>((fiber) =>
    f(Context.getUnsafe(fiber.context as Context.Context<CurrentExchange>, CurrentExchange))
  )

const middlewares = (endpoint: HttpApiEndpoint.Top) =>
  // Only middleware keys get into an endpoint's set.
  [...endpoint.middlewares] as unknown as ReadonlyArray<HttpApiMiddleware.AnyService>

const normalized = (mediaType: string) => mediaType.split(";", 1)[0]!.trim().toLowerCase()

/** Makes the body's bytes its text, or says why that cannot be. */
const readText = (exchange: LaneExchange): Respondable.Respondable | undefined => {
  const { body, bodyLimit } = exchange
  if (body === undefined) return undefined
  if (body === "TooLarge") return new PayloadTooLarge({ limit: bodyLimit })
  if (typeof body === "string") return Problem.malformedBody("The body cannot be read")
  const text = JsonText.decode(body)
  if (typeof text !== "string") return text
  exchange.bodyText = text
  return undefined
}

const bodyOf = (exchange: LaneExchange) =>
  Effect.callback<void>((resume) => exchange.readBody(() => resume(Effect.void)))

/** Whether a handler returned a reply rather than a value of the contract. */
const isReply = (value: unknown): value is Respondable.Respondable =>
  Response.isHttpServerResponse(value) || Respondable.isRespondable(value)

/** The reply to what a handler returned. */
const toResponse = (
  encode: ReturnType<typeof EndpointCodec.success>,
  value: unknown
): Effect.Effect<Response.HttpServerResponse> =>
  // What the value's own code throws is a defect of this effect.
  Effect.suspend(() => (isReply(value) ? Respondable.toResponse(value) : responseTo(encode(value))))

const responseTo = (encoded: ReturnType<ReturnType<typeof EndpointCodec.success>>) =>
  Effect.matchEffect(encoded, {
    onFailure: (cause) => Effect.die(new HttpApiSchemaError({ cause, kind: "Body" })),
    onSuccess: (encoded) => Effect.succeed(responseOf(encoded))
  })

/** The reply to a failure that the contract declares; other failures stay. */
const declared = (
  encode: ReturnType<typeof EndpointCodec.failure>,
  error: unknown
): Effect.Effect<Response.HttpServerResponse, unknown> =>
  encode === undefined
    ? Effect.fail(error)
    : Effect.matchEffect(
        Effect.suspend(() => encode(error)),
        {
          onFailure: () => Effect.fail(error),
          onSuccess: (encoded) => Effect.succeed(responseOf(encoded))
        }
      )

const responseOf = ({ body, contentType, status }: EndpointCodec.Encoded) =>
  contentType === undefined ? Response.empty({ status }) : ofText(body, { contentType, status })

/** What a handler is given. The request as Effect knows it is made only if it is asked for. */
class Requested {
  readonly #exchange: LaneExchange
  readonly #row: Row
  headers: unknown
  params: unknown
  payload: unknown
  query: unknown

  constructor(exchange: LaneExchange, row: Row) {
    this.#exchange = exchange
    this.#row = row
  }

  get endpoint() {
    return this.#row.endpoint
  }

  get group() {
    return this.#row.contract
  }

  get request() {
    return this.#exchange.request
  }
}
