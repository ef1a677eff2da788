import * as ByteSize from "effect/ByteSize"
/** One request and its reply: finds the row, prepares what it runs in, and answers whatever comes of it. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import { HttpApiSchemaError } from "effect/http-api/HttpApiError"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpMethod from "effect/http/HttpMethod"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import { RouteContext } from "effect/http/HttpRouter"
import { HttpServerRequest, ParsedSearchParams } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Response from "effect/http/HttpServerResponse"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import { BodyLimit } from "../../Contract/BodyLimit.ts"
import {
  MalformedRequest,
  MethodNotAllowed,
  PayloadTooLarge,
  RouteNotFound,
  UnsupportedMediaType,
  ValidationFailed
} from "../../Contract/Catalogue.ts"
import { inFrontOf } from "../Exchange/Before.ts"
import * as Observers from "../Exchange/Observers.ts"
import * as Problem from "../Exchange/Problem.ts"
import * as ReplyHeaders from "../Exchange/ReplyHeaders.ts"
import * as RequestFields from "../Exchange/RequestFields.ts"
import * as RequestId from "../Exchange/RequestId.ts"
import type { Around, Next, Observe, Observed, RouteInfo } from "../Route/Middleware.ts"
import type { Row } from "../Route/Rows.ts"
import type { Found, RouteTable } from "../Route/Table.ts"
import * as EndpointCodec from "./EndpointCodec.ts"
import * as JsonText from "./JsonText.ts"
import * as Validation from "./Validation.ts"

/** What a listener runs for each request. It never fails but by interruption. */
export type Exchange = Effect.Effect<HttpServerResponse, never, HttpServerRequest | Scope.Scope>

/** What the exchange prepares for a row: the request is in the fiber's context. */
export interface Prepared {
  readonly failed: { -readonly [K in keyof Problem.Failed]: Problem.Failed[K] }
  readonly found: Found<Runnable, unknown>
  /** What the reply is given on the request's way in. */
  readonly reply: ReplyHeaders.Headers
}

/** A row with its slots around it. */
export interface Runnable {
  /** A reply with the headers that every reply of the row has. */
  readonly finish: (prepared: Prepared, response: HttpServerResponse) => HttpServerResponse
  readonly run: (
    prepared: Prepared
  ) => Effect.Effect<HttpServerResponse, never, HttpServerRequest | Scope.Scope>
}

/** Puts a row's checks around its handler and its slots around both. */
export const runnable = (
  row: Row,
  info: RouteInfo,
  around: Around,
  bodyLimit: number
): Runnable => {
  const limit = ByteSize.fromInputUnsafe(bodyLimit)
  const mediaTypes = row.endpoint === undefined ? undefined : [...row.endpoint.payload.keys()]
  const readsJson =
    row.endpoint !== undefined &&
    [...row.endpoint.payload.values()].some(({ encoding }) => encoding._tag === "Json")

  const inner = (prepared: Prepared): Next => {
    const { failed } = prepared
    failed.bodyLimit = bodyLimit
    const { request } = failed
    if (HttpMethod.hasBody(request.method)) {
      if (Number(request.headers["content-length"]) > bodyLimit) {
        return Problem.closing(Problem.render(new PayloadTooLarge({ limit: bodyLimit }), failed))
      }
      if (mediaTypes !== undefined && mediaTypes.length > 0) {
        const mediaType = (request.headers["content-type"] ?? "application/json")
          .split(";", 1)[0]!
          .trim()
          .toLowerCase()
        if (!mediaTypes.includes(mediaType)) {
          return Problem.render(new UnsupportedMediaType({ supported: mediaTypes }), failed)
        }
      }
    }
    const handler = readsJson
      ? Effect.updateService(row.handler, HttpServerRequest, (sent) => strictText(sent, failed))
      : row.handler
    // The slots and the row run in the fiber of a request, so its services are there.
    return (handler as Effect.Effect<HttpServerResponse, unknown>).pipe(
      decompress,
      Effect.flatMap((response) => Problem.complete(response, failed)),
      Effect.catchCause((cause) => {
        const part = row.endpoint === undefined ? undefined : wrongPart(cause)
        return part === undefined
          ? Problem.fromCause(cause, failed)
          : Effect.flatMap(allIssues(row.endpoint!, prepared), (errors) =>
              Problem.render(new ValidationFailed({ errors }), failed)
            )
      })
    )
  }
  const { finish, run } = stack(inner, info, around)
  return {
    finish,
    run: (prepared) =>
      Effect.updateContext(run(prepared), (context: Services) => {
        const { found } = prepared
        const bounded = Context.add(context, HttpIncomingMessage.MaxBodySize, limit)
        if (found._tag !== "Found") return bounded
        return Context.add(
          Context.add(bounded, RouteContext, {
            params: found.params,
            // The route is only read by Effect's own tracer, for its path.
            route: info as never
          }),
          ParsedSearchParams,
          found.searchParams
        )
      })
  }
}

type Services = Context.Context<HttpServerRequest | Scope.Scope>

const stack = (
  inner: (prepared: Prepared) => Next,
  info: RouteInfo,
  { befores, headers, observers, wraps }: Around
): Runnable => {
  const constant = Object.entries(headers)
  const isBare = info.access.type === "bare"
  const finish: Runnable["finish"] = ({ failed, reply }, response) => {
    const own = ReplyHeaders.onto(response, reply.all)
    return isBare
      ? own
      : Response.setHeaders(own, {
          ...Object.fromEntries(constant.filter(([name]) => !(name in own.headers))),
          [RequestId.header]: failed.requestId
        })
  }
  const all = [...befores.map(inFrontOf), ...wraps]
  const outer: Runnable["run"] =
    all.length === 0
      ? (inner as Runnable["run"])
      : (prepared) =>
          all
            .reduceRight<Next>((next, wrap) => wrap(next), inner(prepared))
            .pipe(
              Effect.catchCause((cause) => Problem.fromCause(cause, prepared.failed)),
              Effect.flatMap((response) => Problem.complete(response, prepared.failed))
            )
  const finished: Runnable["run"] = (prepared) =>
    Effect.flatMap(outer(prepared), (response) => {
      const whole = finish(prepared, response)
      const problem = ReplyHeaders.problem(whole.headers)
      if (problem === undefined) return Effect.succeed(whole)
      prepared.reply.all.length = 0
      return Effect.map(Problem.fromCause(Cause.die(problem), prepared.failed), (response) =>
        finish(prepared, response)
      )
    })
  return {
    finish,
    run: isBare ? finished : (prepared) => observed(observers, prepared, finished(prepared))
  }
}

/** Tells the observers how a request ended. */
const observed = (
  observers: ReadonlyArray<Observe>,
  { failed }: Prepared,
  next: ReturnType<Runnable["run"]>
): ReturnType<Runnable["run"]> =>
  observers.length === 0
    ? next
    : Effect.withFiber((fiber) => {
        const clock = fiber.getRef(Clock.Clock)
        const start = clock.monotonicTimeNanosUnsafe()
        const request: Observed = {
          elapsed: () => Number(clock.monotonicTimeNanosUnsafe() - start) / 1e6,
          fields: fiber.getRef(RequestFields.RequestFields),
          method: failed.request.method,
          requestId: failed.requestId,
          target: failed.request.url
        }
        return Effect.onExit(next, (exit) => {
          Observers.tell(observers, request, statusOf(exit), fiber.context)
          return Effect.void
        })
      })

/** The status that the client sees, or would see. */
const statusOf = (exit: Exit.Exit<HttpServerResponse>): number => {
  if (exit._tag === "Success") return exit.value.status
  if (!Cause.hasInterruptsOnly(exit.cause)) return 500
  return Problem.isClientAbort(exit.cause) ? 499 : 503
}

/** The replies to requests that no row takes, with the slots of a public route around them. */
export const unmatched = (info: RouteInfo, around: Around): Runnable =>
  stack(
    ({ failed, found }) => {
      switch (found._tag) {
        case "MalformedPath":
          return Problem.render(
            new MalformedRequest({
              errors: [
                {
                  detail: "The path is not valid percent-encoded UTF-8",
                  location: "path",
                  pointer: ""
                }
              ]
            }),
            failed
          )
        case "MethodNotAllowed": {
          const allow = { allow: found.allow.join(", ") }
          return failed.request.method === "OPTIONS"
            ? Effect.succeed(Response.empty({ headers: allow, status: 204 }))
            : Effect.map(
                Problem.render(new MethodNotAllowed({ allow: found.allow }), failed),
                Response.setHeaders(allow)
              )
        }
        default:
          return Problem.render(new RouteNotFound(), failed)
      }
    },
    info,
    around
  )

/** The exchange over a route table. */
export const make = (table: RouteTable<Runnable, unknown>, otherwise: Runnable): Exchange =>
  Effect.withFiber((fiber) => {
    const request = Context.getUnsafe(fiber.context, HttpServerRequest)
    const found = table.find(request.method, request.url)
    const requestId = RequestId.fromHeader(request.headers[RequestId.header])
    const failed: Prepared["failed"] = { bodyLimit: 0, bodyText: undefined, request, requestId }
    const reply = new ReplyHeaders.Headers()
    const prepared: Prepared = { failed, found, reply }
    const { finish, run } = found._tag === "Found" ? found.entry.run : otherwise
    let context = Context.add(fiber.context, RequestId.RequestId, requestId)
    context = Context.add(context, ReplyHeaders.CurrentReply, reply)
    context = Context.add(context, RequestFields.RequestFields, RequestFields.make())
    context = Context.add(context, References.CurrentLogAnnotations, {
      ...fiber.getRef(References.CurrentLogAnnotations),
      requestId
    })
    return Effect.catchCause(
      Effect.interruptible(
        Effect.provideContext(
          Effect.suspend(() => run(prepared)),
          context
        )
      ),
      (cause): Exchange =>
        Cause.hasInterruptsOnly(cause) && Problem.isClientAbort(cause)
          ? Effect.failCause(cause)
          : Effect.map(
              Cause.hasInterruptsOnly(cause)
                ? Problem.interrupted(failed)
                : Effect.provideContext(Problem.fromCause(cause, failed), context),
              (response) => finish(prepared, response)
            )
    )
  })

/** The longest body of an endpoint, in bytes. */
export const bodyLimitOf = (endpoint: HttpApiEndpoint.Top | undefined, fallback: number): number =>
  (endpoint &&
    Context.getOrUndefined(endpoint.annotations as Context.Context<BodyLimit>, BodyLimit)) ??
  fallback

/** The part of a request, before its body, that the contract refuses. */
const wrongPart = (cause: Cause.Cause<unknown>) => {
  for (const reason of cause.reasons) {
    const error = reason._tag === "Die" ? reason.defect : undefined
    if (HttpApiSchemaError.is(error) && before.has(error.kind)) return error.kind
  }
  return undefined
}

const before: ReadonlySet<HttpApiSchemaError["kind"]> = new Set(["Headers", "Params", "Query"])

/** Everything that is wrong with a request of which a part before the body is. */
const allIssues = (endpoint: HttpApiEndpoint.Top, { failed, found }: Prepared) =>
  Effect.gen(function* () {
    const isJson = [...endpoint.payload.values()].every(({ encoding }) => encoding._tag === "Json")
    const decoders = EndpointCodec.decoders(endpoint).filter(
      ({ slot }) => slot !== "payload" || isJson
    )
    const body = decoders.some(({ slot }) => slot === "payload")
      ? yield* Effect.exit(strictText(failed.request, failed).text)
      : Exit.succeed("")
    return yield* Validation.issues(decoders, (slot) => {
      switch (slot) {
        case "headers":
          return failed.request.headers
        case "params":
          return found._tag === "Found" ? found.params : {}
        case "payload": {
          if (body._tag === "Failure") throw Cause.squash(body.cause)
          if (body.value === "") return EndpointCodec.emptyPayload(endpoint)
          const broken = Problem.syntaxError(body.value)
          if (broken !== undefined) throw broken
          return JSON.parse(body.value)
        }
        case "query":
          return found._tag === "Found" ? found.searchParams : {}
      }
    })
  })

/** Takes gzip and deflate off a body; what comes out is bounded by the route's limit too. */
const decompress = HttpMiddleware.decompression()

/** Gives the request a `text` that refuses what a lenient decoder would let through. */
const strictText = (request: HttpServerRequest, failed: Prepared["failed"]): HttpServerRequest => {
  const text = Effect.flatMap(request.arrayBuffer, (bytes) => {
    const decoded = JsonText.decode(bytes)
    if (typeof decoded !== "string") return Effect.die(decoded)
    failed.bodyText = decoded
    return Effect.succeed(decoded)
  })
  // An object made of this one would keep both alive until the next full collection: V8 keeps the
  // shape of what is made of an object, and the shape keeps the object.
  return Object.defineProperty(request, "text", { configurable: true, value: text })
}
