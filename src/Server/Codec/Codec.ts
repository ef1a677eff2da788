/**
 * Codecs: how a request becomes the values of its handler, and a handler's result becomes a
 * reply.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as SchemaAST from "effect/SchemaAST"
import {
  type Issue,
  MethodNotAllowed,
  PayloadTooLarge,
  UnsupportedMediaType
} from "../../Contract/Catalogue.ts"
import * as OwnKeys from "../../Contract/OwnKeys.ts"
import * as StrictQuery from "../../Contract/StrictQuery.ts"
import { Upgrades } from "../../Contract/Upgrades.ts"
import { isStreamSchema, isUpgrade } from "../EffectInternals.ts"
import * as Decompression from "../Exchange/Decompression.ts"
import { aborted, CurrentExchange, type Exchange } from "../Exchange/Exchange.ts"
import * as Issues from "../Exchange/Issues.ts"
import { Moved } from "../Exchange/Plan.ts"
import * as Problem from "../Exchange/Problem.ts"
import * as Annotation from "../Route/Annotation.ts"
import * as HandlerCheck from "../Route/HandlerCheck.ts"
import type { InsideTransaction, ToReply } from "../Route/MiddlewareForm.ts"
import { obstacle } from "../Route/Obstacle.ts"
import { withoutSemicolons } from "../Route/RouteTable.ts"
import type { PayloadOfEffect, Row } from "../Route/Rows.ts"
import * as Decoding from "./Decoding.ts"
import * as Encoder from "./Encoder.ts"
import { type Handled, replied } from "./FailureReply.ts"
import * as HandlerReply from "./HandlerReply.ts"
import * as JsonText from "./JsonText.ts"
import * as MultipartFields from "./MultipartFields.ts"
import * as MultipartForm from "./MultipartForm.ts"
import * as Parts from "./Parts.ts"
import * as Payload from "./Payload.ts"
import * as QueryKeys from "./QueryKeys.ts"
import { Requested } from "./Requested.ts"
import * as RequestReferences from "./RequestReferences.ts"
import * as Strict from "./Strict.ts"
import * as Validation from "./Validation.ts"

/** The parts of serving a request that differ between routes. */
export interface Codec {
  /** Encodes the errors that the contract declares; undefined for a route without a contract. */
  readonly failure: Encoder.Encode | undefined
  /** Whether the listener has to open the request for Effect. */
  readonly isOpened: boolean
  /** Whether the handler continues when the client disconnects. */
  readonly isUninterruptible: boolean
  /** The media types that a body may have; empty if any will do. */
  readonly mediaTypes: ReadonlyArray<string>
  /** Whether the body is read before `serve`. */
  readonly readsBody: boolean
  /**
   * Decodes the request and calls the handler. If it throws, that is a defect. `services`
   * are those of the fiber; undefined if they are the exchange's own.
   */
  readonly serve: (exchange: Exchange, services?: Context.Context<unknown>) => Handled
  /** Encodes a value of the contract; undefined if the handler returns replies only. */
  readonly success: Encoder.Encode | undefined
  /** Whether a request may have neither a body nor a media type. */
  readonly takesNothing: boolean
  /** Whether the handler can upgrade the connection. */
  readonly upgrades: boolean
}

/** Which codec an endpoint has, and why. */
export interface Kind {
  /**
   * `compiled`: functions made from the schemas. `effect`: Effect's own handler. `partial`: the
   * compiled codec, with some parts of the request decoded by Effect's own decoder.
   */
  readonly codec: "compiled" | "effect" | "partial"
  /** Why it is not the compiled one; undefined for `compiled`. */
  readonly reason: string | undefined
}

/** Returns which codec an endpoint has. `inherited` are the annotations of its group. */
export const kindOf = (
  endpoint: HttpApiEndpoint.Top,
  inherited: Parts.Annotations = Context.empty()
): Kind => {
  const why = obstacle(endpoint)
  if (why !== undefined) return { codec: "effect", reason: why }
  const reason = partial(endpoint, Context.merge(inherited, endpoint.annotations))
  return { codec: reason === undefined ? "compiled" : "partial", reason }
}

/** Returns why Effect decodes or encodes some parts; undefined if it does not. */
const partial = (
  endpoint: HttpApiEndpoint.Top,
  annotations: Parts.Annotations
): string | undefined => {
  const { headers, params, payload, query } = endpoint
  const parts = [
    [headers !== undefined, "headers", HttpApi.HeadersParseOptions],
    [params !== undefined, "path", HttpApi.ParamsParseOptions],
    [payload.size > 0, "payload", HttpApi.PayloadParseOptions],
    [query !== undefined, "query", HttpApi.QueryParseOptions],
    [true, "success", HttpApi.SuccessParseOptions],
    [true, "errors", HttpApi.ErrorParseOptions]
  ] as const
  const names = parts.flatMap(([exists, name, part]) =>
    exists && Decoding.hasOptions(Parts.parseOptions<unknown>(annotations as never, part as never))
      ? [name]
      : []
  )
  return names.length === 0 ? undefined : `it has parse options for its ${names.join(", ")}`
}

const nothing = new Map<never, never>()

/** Returns the payload that Effect's own handler has to read if it serves an endpoint. */
export const payloadOfEffect = (endpoint: HttpApiEndpoint.Top): HttpApiEndpoint.Top["payload"] =>
  isWhole(endpoint) ? nothing : Payload.undecoded(endpoint.payload)

/** Returns this payload if Effect has to serve the endpoint; undefined if it does not. */
export const payloadIfNeeded: PayloadOfEffect = (endpoint) =>
  obstacle(endpoint) === undefined ? undefined : payloadOfEffect(endpoint)

/** Whether the payload is decoded from the whole body. */
const isWhole = ({ payload }: HttpApiEndpoint.Top): boolean =>
  [...payload.values()].every(({ encoding: { _tag } }) => _tag !== "Multipart" && _tag !== "Stream")

const upgrades = ({ success }: HttpApiEndpoint.Top): boolean => [...success].some(isUpgrade)

/** What a request may hold. */
export interface Limits extends Payload.Limits {
  /** Whether unknown keys of a query are refused if the contract does not decide. */
  readonly strictQuery: boolean
}

/** Creates the codec of a row. `around` runs around the handler of an endpoint. */
export const make = (row: Row, around: InsideTransaction | undefined, limits: Limits): Codec => {
  const { contract, effect, endpoint, handler } = row
  return contract === undefined || endpoint === undefined || handler === undefined
    ? routerCodec(effect!)
    : endpointCodec({ around, contract, effect, endpoint, handler, limits })
}

/** The parts of a codec that does not decode or encode. */
const withoutContract = {
  failure: undefined,
  isOpened: false,
  isUninterruptible: false,
  mediaTypes: [],
  readsBody: false,
  success: undefined,
  takesNothing: false,
  upgrades: false
}

/** Creates the codec of a plain router's route, whose handler decodes and encodes itself. */
const routerCodec = (effect: NonNullable<Row["effect"]>): Codec => {
  const routed = Effect.updateService(effect, HttpServerRequest, (request) => {
    const url = withoutSemicolons(request.url)
    return url === request.url ? request : request.modify({ url })
  })
  const served = Decompression.decompressed(routed) as Handled
  return { ...withoutContract, isOpened: true, serve: () => served, upgrades: true }
}

/** The codec of requests that no route takes. */
export const unmatched: Codec = {
  ...withoutContract,
  serve: (exchange) => {
    const refusal = exchange.match.refusal!
    if (refusal instanceof Moved) {
      const headers = { location: refusal.location }
      return Effect.succeed(HttpServerResponse.empty({ headers, status: 308 }))
    }
    if (!(refusal instanceof MethodNotAllowed)) return Problem.render(refusal, exchange)
    const allow = { allow: refusal.allow.join(", ") }
    return exchange.method === "OPTIONS"
      ? Effect.succeed(HttpServerResponse.empty({ headers: allow, status: 204 }))
      : Effect.mapEager(Problem.render(refusal, exchange), HttpServerResponse.setHeaders(allow))
  }
}

/** Creates the codec of an endpoint. */
const endpointCodec = ({
  around,
  contract,
  effect,
  endpoint,
  handler: { handler, isRaw, uninterruptible },
  limits
}: {
  readonly around: InsideTransaction | undefined
  readonly contract: NonNullable<Row["contract"]>
  readonly effect: Row["effect"]
  readonly endpoint: HttpApiEndpoint.Top
  readonly handler: NonNullable<Row["handler"]>
  readonly limits: Limits
}): Codec => {
  const name = `${contract.identifier}.${endpoint.identifier}`
  const annotations = Context.merge(contract.annotations, endpoint.annotations)
  const strict = Strict.of(limits.maxJsonDepth)
  const parts = Parts.decoders(endpoint, strict, annotations)
  const isStrict = StrictQuery.of(annotations) ?? limits.strictQuery
  const unknownKeys = isStrict ? QueryKeys.make(endpoint) : undefined
  const isReadHere = !isRaw && isWhole(endpoint)
  const payloads: ReadonlyMap<string, Payload.PayloadDecoder> = isRaw
    ? nothing
    : Payload.payloads(endpoint, strict, annotations)
  const isOpened = !isReadHere || upgrades(endpoint)
  const emptyPayload = [...payloads.values()].find(({ takesNothing }) => takesNothing)
  const failure = Encoder.failure(endpoint, annotations)
  const isChannel = Annotation.nearest(Upgrades, endpoint) === true
  const success = Encoder.success(endpoint, annotations)
  const toReply: ToReply = (value) =>
    Effect.withFiber((fiber) =>
      // The exchange provides itself to the fibers of its request.
      HandlerReply.make(
        success,
        value,
        Context.getUnsafe(fiber.context as Context.Context<CurrentExchange>, CurrentExchange)
      )
    )
  // The contract has checked the type of the handler's argument.
  const call = (request: Requested): Handled => {
    const returned = HandlerCheck.returned(name, handler(request as never))
    const handled = isChannel ? HandlerReply.required(name, returned) : returned
    return isRaw || around === undefined ? handled : around(handled, toReply)
  }

  /**
   * Returns a part of the request, not decoded. Throws the error to answer if the part
   * cannot be read. `body` is the body that Effect has read.
   */
  const input = (
    exchange: Exchange,
    part: Parts.Decoder["part"],
    payload: Payload.PayloadDecoder | undefined,
    body: unknown
  ): unknown => {
    switch (part) {
      case "headers": {
        const { headers } = exchange.request
        JsonText.refusePrototype("header", isOpened ? recordOf(exchange.headers) : headers)
        return headers
      }
      case "params":
        return exchange.params
      case "payload":
        return payload!.read(
          typed(body ?? bodyOf(exchange), exchange),
          exchange.searchParams,
          limits
        )
      case "query":
        JsonText.refusePrototype("query", exchange.searchParams)
        return exchange.searchParams
    }
  }

  /**
   * Returns a whole body. A page of another site can send any body, but not the type of
   * JSON without asking, so a body without a type is not taken for JSON.
   */
  const typed = (body: unknown, exchange: Exchange): Uint8Array => {
    // A multipart form has a type, and a reader that takes it.
    const bytes = body as Uint8Array
    if (bytes.length > 0 && exchange.header("content-type") === undefined) {
      throw new UnsupportedMediaType({ supported: [...endpoint.payload.keys()] })
    }
    return bytes
  }

  const only = payloads.size > 1 ? undefined : [...payloads.values()][0]

  /** Returns the decoder of the payload that a request has. */
  const payloadOf = (exchange: Exchange): Payload.PayloadDecoder | undefined => {
    if (only !== undefined && isReadHere) return only
    const type = exchange.header("content-type")
    if (type === undefined && emptyPayload !== undefined) return emptyPayload
    // Without one, a request with another type has an empty body.
    return payloads.get(Payload.mediaType(endpoint.method, type)) ?? emptyPayload
  }

  const withoutPayload: Selected = { decoders: parts, payload: undefined }
  const withPayload = new Map(
    isReadHere
      ? [...payloads.values()].map((payload): [Payload.PayloadDecoder, Selected] => [
          payload,
          { decoders: [...parts, payload.decoder], payload }
        ])
      : []
  )
  const all = only === undefined ? undefined : withPayload.get(only)
  const select = (exchange: Exchange): Selected => {
    if (all !== undefined) return all
    const payload = withPayload.size === 0 ? undefined : payloadOf(exchange)
    return (payload && withPayload.get(payload)) ?? withoutPayload
  }

  /** Decodes the parts from index `from` on, then calls `then`. */
  const decode = (
    exchange: Exchange,
    request: Requested,
    selected: Selected,
    from: number,
    then: Then,
    body?: unknown
  ): Handled => {
    const { decoders, payload } = selected
    const refused = (at: number) =>
      refuse([], decoders.slice(at), (part) => input(exchange, part, payload, body))
    for (let i = from; i < decoders.length; i++) {
      const { first, part } = decoders[i]!
      const decoded = first(input(exchange, part, payload, body))
      if (!Exit.isExit(decoded)) {
        return Effect.matchEffect(decoded, {
          onFailure: () => refused(i),
          onSuccess: (value) => {
            request[part] = value
            return decode(exchange, request, selected, i + 1, then, body)
          }
        })
      }
      if (decoded._tag === "Failure") return refused(i)
      request[part] = decoded.value
    }
    return then(request, exchange)
  }

  // Effect's own encoder would take what a value inherits for its keys.
  const isEncodedHere =
    effect !== undefined &&
    [...endpoint.success].every((schema) => !isStreamSchema(schema) && !isUpgrade(schema)) &&
    [...endpoint.success].some(({ ast }) => OwnKeys.matters(SchemaAST.flip(ast)))

  const formLimits = MultipartForm.limitsOf(endpoint)

  // A handler of raw requests decides itself.
  const checked =
    effect === undefined || isRaw || !Payload.hasForm(endpoint)
      ? effect
      : Effect.updateService(effect, HttpServerRequest, (request) =>
          MultipartFields.check(request, limits.maxJsonDepth)
        )

  /** Decodes a payload that Effect has read. */
  const decodeRead = (body: unknown, request: Requested, exchange: Exchange): Handled => {
    const payload = payloadOf(exchange)
    if (payload !== undefined) {
      const { decoder } = payload
      return decode(exchange, request, { decoders: [decoder], payload }, 0, call, body)
    }
    request.payload = body
    return call(request)
  }

  /** Lets Effect read the payload and encode the reply. Effect calls `handle` in between. */
  const throughEffect: Then = (request, exchange) =>
    Effect.withFiber((fiber) => {
      const outer = fiber.context
      // Effect calls it with the members of a handler's argument.
      const handle: typeof exchange.handle = (own) => {
        const { payload, request: opened, upgrade } = own as Partial<Requested>
        request.request = opened!
        request.upgrade = upgrade
        const returned = isReadHere ? call(request) : decodeRead(payload, request, exchange)
        const handled = isEncodedHere
          ? Effect.flatMap(returned, (value) => HandlerReply.make(success, value, exchange))
          : returned
        return RequestReferences.restored(replied(handled, failure, exchange), outer)
      }
      exchange.handle = handle
      return MultipartForm.explained(Decompression.decompressed(checked!), formLimits, {
        bodyLimit: exchange.bodyLimit,
        maxFields: limits.maxFields
      })
    })

  /** Passes the request itself to the handler, with its body decompressed. */
  const readingItself: Then = (request) =>
    // It returns the handler's value, or the 415 for an unknown coding.
    Decompression.decompressed(
      Effect.flatMap(HttpServerRequest, (opened) => {
        request.request = opened
        return call(request) as Effect.Effect<HttpServerResponse.HttpServerResponse, unknown>
      })
    )

  const then = effect === undefined ? (isRaw ? readingItself : call) : throughEffect
  return {
    failure,
    isOpened,
    isUninterruptible: uninterruptible,
    mediaTypes: [...endpoint.payload.keys()],
    readsBody: isReadHere && payloads.size > 0,
    serve: (exchange, services) => {
      if (exchange.body === "Aborted") return aborted
      const selected = select(exchange)
      const unknown = unknownKeys === undefined ? [] : unknownKeys(exchange.searchParams)
      if (unknown.length > 0) {
        return refuse(unknown, selected.decoders, (part) =>
          input(exchange, part, selected.payload, undefined)
        )
      }
      const request = new Requested(exchange, services, endpoint, contract)
      return decode(exchange, request, selected, 0, then)
    },
    success,
    takesNothing: emptyPayload !== undefined,
    upgrades: isRaw || upgrades(endpoint) || isChannel
  }
}

/** Answers a request with the given issues and those of its parts. */
const refuse = (
  found: ReadonlyArray<Issue>,
  decoders: Selected["decoders"],
  read: (part: Parts.Decoder["part"]) => unknown
): Handled =>
  Effect.flatMap(Validation.issues(decoders, read), (issues) =>
    Effect.die(Issues.invalid([...found, ...issues]))
  )

/** Returns the headers of an opened request: its own record has lost a key `__proto__`. */
const recordOf = (headers: Exchange["headers"]): object =>
  Object.fromEntries(Array.from(headers, ([name, value]) => [name.toLowerCase(), value]))

/** The decoders of a request. */
interface Selected {
  readonly decoders: ReadonlyArray<Parts.Decoder>
  readonly payload: Payload.PayloadDecoder | undefined
}

/** Continues with a decoded request. */
type Then = (request: Requested, exchange: Exchange) => Handled

const noBytes = new Uint8Array(0)

/** Returns the whole body. Throws the error to answer if the body cannot be read. */
const bodyOf = ({ body, bodyLimit }: Exchange): Uint8Array => {
  if (body === undefined) return noBytes
  if (body instanceof Uint8Array) return body
  if (body === "TooLarge") throw new PayloadTooLarge({ limit: bodyLimit })
  if (body === "Fragmented") {
    throw Issues.malformedBody("The body came in too many small pieces. Send larger ones.")
  }
  throw typeof body === "string" ? Issues.malformedBody("The body cannot be read") : body
}
