/** Turns failures into problem documents for clients, and into log lines for operators. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { HttpApiPayloadTooLarge, HttpApiSchemaError } from "effect/http-api/HttpApiError"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Multipart from "effect/http/Multipart"
import * as ProblemDetails from "effect/http/ProblemDetails"
import { hasProperty } from "effect/Predicate"
import type * as Catalogue from "../../Contract/Catalogue.ts"
import {
  Forbidden,
  GatewayTimeout,
  HeadersTooLarge,
  InternalError,
  MalformedRequest,
  PayloadTooLarge,
  RateLimited,
  RequestTimeout,
  ServiceUnavailable,
  Unauthenticated,
  UnsupportedMediaType,
  UriTooLong
} from "../../Contract/Catalogue.ts"
import * as ProblemBody from "../../Contract/ProblemBody.ts"
import { Answer } from "./Answer.ts"
import { logFailure } from "./FailureLog.ts"
import * as Issues from "./Issues.ts"

/** The parts of a request that its error reply needs. */
export interface About {
  /** The longest body the route takes, in bytes. */
  readonly bodyLimit: number
  /** The names of the group and of the endpoint; undefined for a raw route. */
  readonly endpoint?: string | undefined
  readonly requestId: string
  /** Path and query. */
  readonly target: string
}

/** The request of a document; `target` is undefined if it could not be read. */
type Named = Pick<About, "requestId"> & { readonly target: string | undefined }

/** The members of a problem document. An app may send one without members or with others. */
export interface Document {
  readonly [member: string]: unknown
}

/**
 * Returns the problem document of an error: the members of RFC 9457, then `code`,
 * `correlationId` and the error's own members, always in this order. `error` is an error
 * of the catalogue, or another error that its schema has encoded. `instance` and
 * `correlationId` are those of the request if the error does not have them.
 */
export const document = (error: object, about: Named): Document => {
  const { code, correlationId, detail, instance, status, title, type, ...rest } =
    // JSON has string keys only.
    error as Readonly<Record<string, unknown>>
  return {
    type,
    title,
    status,
    detail,
    instance: instance ?? about.target?.split(/[?#]/, 1)[0],
    code,
    correlationId: correlationId ?? about.requestId,
    ...rest
  }
}

/**
 * Returns the problem document of a value that an app sends as
 * `application/problem+json`; undefined if the value is not an object.
 */
export const completed = (value: unknown, about: Named): Document | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? document(value, about)
    : undefined

/** Whether a reply of this media type is a problem document. */
export const isProblem = (contentType: string | undefined): boolean =>
  contentType?.startsWith(ProblemDetails.contentType) === true

/** Returns the JSON text of a problem document. */
export const toText: (document: object) => string = JSON.stringify

/** A failure that the contract does not declare, as a defect: Effect's own handler passes it on. */
export class Undeclared {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

/**
 * Returns the reply to a request that ended in `cause`. A failure that the contract does
 * not declare is logged with its whole cause and answered with a 500 that does not show
 * it. Interruption is passed on.
 */
export const fromCause = (
  cause: Cause.Cause<unknown>,
  about: About
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const reason = cause.reasons.find(({ _tag }) => _tag !== "Interrupt")
  // A cause of interruptions only has no type of failure.
  if (reason === undefined) return Effect.failCause(cause as Cause.Cause<never>)
  try {
    if (reason._tag === "Fail") return fromError(reason.error, cause, about)
    const { defect } = reason as Cause.Die
    return defect instanceof Undeclared
      ? fromError(defect.error, Cause.fail(defect.error), about)
      : fromError(defect, cause, about)
  } catch {
    // Reading a value that user code has thrown may throw too.
    return internal(cause, about)
  }
}

/** Returns a cause without the defect around a failure that the contract does not declare. */
export const declaredCause = (cause: Cause.Cause<unknown>): Cause.Cause<unknown> =>
  Cause.fromReasons(
    cause.reasons.map((reason) =>
      reason._tag === "Die" && reason.defect instanceof Undeclared
        ? Cause.makeFailReason(reason.defect.error)
        : reason
    )
  )

const fromError = (
  error: unknown,
  cause: Cause.Cause<unknown>,
  about: About
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  if (HttpServerResponse.isHttpServerResponse(error)) return complete(error, about)
  if (error instanceof Answer) {
    return Effect.succeed(HttpServerResponse.setHeaders(reply(error.error, about), error.headers))
  }
  const known = clientError(error, about)
  if (known === noUpgrade) {
    // Source: RFC 6455, section 4.4.
    const version = { "sec-websocket-version": "13" }
    return Effect.succeed(HttpServerResponse.setHeaders(reply(known, about), version))
  }
  if (known !== undefined) {
    return known instanceof PayloadTooLarge ? closing(render(known, about)) : render(known, about)
  }
  // Of a request they are known by now.
  if (HttpApiSchemaError.is(error)) return internal(misfit(error, cause, about.endpoint), about)
  if (HttpServerRespondable.isRespondable(error) && !HttpServerError.isHttpServerError(error)) {
    return Effect.matchCauseEffect(
      Effect.suspend(() => HttpServerRespondable.toResponse(error)),
      {
        onFailure: (broken) => internal(Cause.combine(cause, broken), about),
        onSuccess: (response) =>
          response.status < 500
            ? complete(response, about)
            : Effect.andThen(log(cause), complete(response, about))
      }
    )
  }
  return internal(undeclared(error, cause, about.endpoint), about)
}

/** Returns the cause of a value that does not fit its contract, with the endpoint and what to write. */
const misfit = (
  { cause: { message }, kind }: HttpApiSchemaError,
  cause: Cause.Cause<unknown>,
  endpoint: string | undefined
): Cause.Cause<unknown> => {
  if (endpoint === undefined) return cause
  const part = kind === "Body" ? "`success`" : "the headers of `success`"
  const why = message.replace(/\s+/g, " ")
  return Cause.die(
    new TypeError(
      `The handler of ${endpoint} returned a value that does not fit ${part} in its contract: ${why}. Return a value that fits, or change the contract.`
    )
  )
}

/**
 * Adds what to write to the failure of a handler that the contract does not declare. The types
 * refuse such a handler, and Node runs programs that were not checked.
 */
const undeclared = (
  error: unknown,
  cause: Cause.Cause<unknown>,
  endpoint: string | undefined
): Cause.Cause<unknown> => {
  if (endpoint === undefined || !cause.reasons.some(Cause.isFailReason)) return cause
  const name = hasProperty(error, "_tag") ? String(error._tag) : String(error)
  const message = `The handler of ${endpoint} failed with ${name}, which its contract does not declare. Add it to \`error\` of the endpoint, or turn it into a defect with Effect.orDie.`
  return Cause.combine(Cause.die(new Error(message)), cause)
}

/** Whether a request was interrupted because its client disconnected. */
export const isClientAbort = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some(
    (reason) =>
      reason._tag === "Interrupt" && reason.annotations.has(HttpServerError.ClientAbort.key)
  )

/** Returns the reply to a request that the drain interrupted. */
export const interrupted = (about: Named) =>
  Effect.succeed(
    HttpServerResponse.setHeaders(reply(unavailable, about), {
      connection: "close",
      "retry-after": "1"
    })
  )

/** Closes the connection after a reply: the client may still be sending its body. */
export const closing = (reply: Effect.Effect<HttpServerResponse.HttpServerResponse>) =>
  Effect.mapEager(reply, HttpServerResponse.setHeader("connection", "close"))

/** Returns the reply of an error of the catalogue, as an `Exit`. */
export const render = (
  error: Catalogue.Any,
  about: Named
): Effect.Effect<HttpServerResponse.HttpServerResponse> => Effect.succeed(reply(error, about))

const reply = (error: Catalogue.Any, about: Named) => written(error, error.status, about)

/** Returns the reply of an error whose members are encoded for JSON. */
export const written = (
  members: object,
  status: number,
  about: Named
): HttpServerResponse.HttpServerResponse => {
  const whole = document(members, about)
  const response = HttpServerResponse.text(toText(whole), {
    contentType: ProblemDetails.contentType,
    status
  })
  asComplete(response.body, whole)
  return response
}

/**
 * Adds `instance` and `correlationId` to a problem document, and turns an empty error
 * reply into a document. Other replies stay as they are. If a reply has the content type
 * of a problem document and its body is not a JSON object, the failure is logged and
 * answered with 500.
 */
export const complete = (
  response: HttpServerResponse.HttpServerResponse,
  about: Named
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  if (!isIncomplete(response)) return Effect.succeed(response)
  const { body } = response
  if (body._tag !== "Uint8Array") {
    const { status } = response
    const { body } = written(byStatus.get(status) ?? unnamed(status), status, about)
    return Effect.succeed(HttpServerResponse.setBody(response, body))
  }
  const whole = completed(ProblemBody.membersOf(body) ?? parsed(body), about)
  if (whole === undefined) {
    const defect = new TypeError(
      `A reply to ${about.target} with status ${response.status} has the type ${body.contentType}, and its body is not a JSON object. Fail with an ApiError, or write an object.`
    )
    return internal(Cause.die(defect), about)
  }
  return Effect.succeed(
    HttpServerResponse.setBody(
      response,
      asComplete(HttpBody.text(toText(whole), ProblemDetails.contentType), whole)
    )
  )
}

/** Returns the value of a JSON body; undefined if the body is not JSON. */
const parsed = (body: HttpBody.Uint8Array): unknown => {
  try {
    return JSON.parse(body.text ?? new TextDecoder().decode(body.body))
  } catch {
    return undefined
  }
}

const isComplete = Symbol("flange/Problem/isComplete")

/** A body or a reply with the mark, which Effect's types do not have. */
interface Marked {
  [isComplete]?: Document
}

/** Marks a body that is a whole problem document already with the document. */
const asComplete = <Body extends HttpBody.HttpBody>(body: Body, document: Document): Body => {
  ;(body as Marked)[isComplete] = document
  return body
}

/** Returns the whole problem document that a reply is; undefined for any other reply. */
export const documentOf = ({ body }: HttpServerResponse.HttpServerResponse): Document | undefined =>
  (body as Marked)[isComplete]

/** Marks an empty reply that the contract declares: it is sent as it is. */
export const asDeclared = (
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse => Object.assign(response, { [isComplete]: {} })

/** Whether `complete` would change this reply. */
export const isIncomplete = (response: HttpServerResponse.HttpServerResponse): boolean => {
  const { body, status } = response
  if (status < 400) return false
  if (body._tag === "Empty") return (response as Marked)[isComplete] === undefined
  return (
    body._tag === "Uint8Array" &&
    isProblem(body.contentType) &&
    (body as Marked)[isComplete] === undefined
  )
}

const unavailable = new ServiceUnavailable()

const internalError = new InternalError()

/** The error to write if only the status of a reply is known. */
const byStatus: ReadonlyMap<number, Catalogue.Any> = new Map(
  [
    new Forbidden(),
    new GatewayTimeout(),
    new HeadersTooLarge(),
    internalError,
    new MalformedRequest({ errors: [] }),
    new RateLimited(),
    new RequestTimeout(),
    unavailable,
    new Unauthenticated(),
    new UnsupportedMediaType({ supported: ["gzip", "deflate"] }),
    new UriTooLong()
  ].map((error) => [error.status, error])
)

/** Returns the members of a problem document for a status without an error in the catalogue. */
export const unnamed = (status: number): Document => {
  const title = statusTexts()[status] ?? `Status ${status}`
  const code = title
    .replace(/'/g, "")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .toUpperCase()
  return { code, detail: title, status, title, type: "about:blank" }
}

// The import statement would also evaluate the module's lazy parts.
const statusTexts = () => process.getBuiltinModule("node:http").STATUS_CODES

/** Logs a cause and returns a 500 that does not show it. */
const internal = (cause: Cause.Cause<unknown>, about: Named) =>
  Effect.as(log(cause), reply(internalError, about))

const log = (cause: Cause.Cause<unknown>) => logFailure("Request failed", cause)

const clientError = (error: unknown, about: About): Catalogue.Any | undefined => {
  const { bodyLimit } = about
  if (HttpApiSchemaError.is(error)) {
    if (error.kind === "Body" || error.kind === "ResponseHeaders") return undefined
    return Issues.invalid(Issues.fromSchema(error.kind, error.cause.issue))
  }
  if (HttpApiPayloadTooLarge.is(error)) return new PayloadTooLarge({ limit: bodyLimit })
  if (Multipart.isMultipartError(error) && error.reason._tag === "InternalError") {
    return clientError(error.reason.cause, about)
  }
  if (HttpServerError.isHttpServerError(error) && error.reason._tag === "RequestParseError") {
    // Effect has no other mark for it.
    if (/^not an upgradeable/i.test(error.reason.description ?? "")) return noUpgrade
    return error.reason.reason === "BodyTooLarge"
      ? new PayloadTooLarge({ limit: bodyLimit })
      : Issues.malformedBody("The body cannot be read")
  }
  return undefined
}

const noUpgrade = Issues.malformed(
  "header",
  "The connection cannot be upgraded: the request is not a handshake of one protocol without a body"
)
