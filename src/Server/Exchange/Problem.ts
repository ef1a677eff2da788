/** From a failure to the problem document that the client sees and the log line that the owner sees. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { HttpApiPayloadTooLarge, HttpApiSchemaError } from "effect/http-api/HttpApiError"
import * as HttpServerError from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as ProblemDetails from "effect/http/ProblemDetails"
import * as SchemaIssue from "effect/SchemaIssue"
import {
  Forbidden,
  GatewayTimeout,
  HeadersTooLarge,
  InternalError,
  type Issue,
  MalformedRequest,
  PayloadTooLarge,
  RateLimited,
  RequestTimeout,
  RouteNotFound,
  ServiceUnavailable,
  Unauthenticated,
  UnsupportedMediaType,
  UriTooLong,
  ValidationFailed
} from "../../Contract/Catalogue.ts"

/** What is known of the request that failed. */
export interface Failed {
  /** The longest body the route takes, in bytes. */
  readonly bodyLimit: number
  /** The text of a JSON body, once it was read. */
  readonly bodyText: string | undefined
  readonly request: HttpServerRequest
  readonly requestId: string
}

/**
 * The reply to a request whose handling ended in `cause`. Failures that the
 * contract does not declare are logged with their whole cause and answered with
 * a 500 that says nothing of the inside. Interruption is passed on.
 */
export const fromCause = (
  cause: Cause.Cause<unknown>,
  failed: Failed
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  let error: unknown
  for (const reason of cause.reasons) {
    if (reason._tag === "Fail") error = reason.error
    else if (reason._tag === "Die") error = reason.defect
    else continue
    break
  }
  if (error === undefined) return Effect.failCause(cause as Cause.Cause<never>)
  if (HttpServerResponse.isHttpServerResponse(error)) return complete(error, failed)
  const known = clientError(error, failed)
  if (known !== undefined) return render(known, failed)
  if (HttpServerRespondable.isRespondable(error) && !HttpServerError.isHttpServerError(error)) {
    return Effect.matchCauseEffect(
      Effect.suspend(() => HttpServerRespondable.toResponse(error)),
      {
        onFailure: (broken) =>
          Effect.andThen(log(Cause.combine(cause, broken)), render(new InternalError(), failed)),
        onSuccess: (response) =>
          response.status < 500
            ? complete(response, failed)
            : Effect.andThen(log(cause), complete(response, failed))
      }
    )
  }
  return Effect.andThen(log(cause), render(new InternalError(), failed))
}

/** Whether a request was interrupted because its client went away. */
export const isClientAbort = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some(
    (reason) =>
      reason._tag === "Interrupt" && reason.annotations.has(HttpServerError.ClientAbort.key)
  )

/** The reply to an interruption that did not come from the client: the server is stopping. */
export const interrupted = (failed: Failed) =>
  Effect.map(
    render(new ServiceUnavailable(), failed),
    HttpServerResponse.setHeaders({ connection: "close", "retry-after": "1" })
  )

/** Adds that the connection ends with this reply: the client may still be sending its body. */
export const closing = (reply: Effect.Effect<HttpServerResponse.HttpServerResponse>) =>
  Effect.map(reply, HttpServerResponse.setHeader("connection", "close"))

/** Turns one of the catalogue's errors, or any `ApiError`, into a reply. */
export const render = (
  error: HttpServerRespondable.Respondable,
  failed: Pick<Failed, "request" | "requestId">
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.flatMap(HttpServerRespondable.toResponse(error), (response) => complete(response, failed))

/**
 * Fills `instance` and `correlationId` into a problem document, and turns an
 * empty error reply into one. Other replies stay as they are.
 */
export const complete = (
  response: HttpServerResponse.HttpServerResponse,
  failed: Pick<Failed, "request" | "requestId">
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  if (!isIncomplete(response)) return Effect.succeed(response)
  const { body } = response
  if (body._tag !== "Uint8Array") {
    return Effect.map(render(byStatus[response.status]!(), failed), (problem) =>
      HttpServerResponse.setHeaders(problem, {
        ...response.headers,
        "content-type": ProblemDetails.contentType
      })
    )
  }
  const { code, correlationId, detail, instance, status, title, type, ...rest } = JSON.parse(
    new TextDecoder().decode(body.body)
  )
  const problem = {
    type,
    title,
    status,
    detail,
    instance: instance ?? path(failed.request.url),
    code,
    correlationId: correlationId ?? failed.requestId,
    ...rest
  }
  const { body: whole } = HttpServerResponse.jsonUnsafe(problem, {
    contentType: ProblemDetails.contentType
  })
  completed.add(whole)
  return Effect.succeed(HttpServerResponse.setBody(response, whole))
}

/** The bodies that `complete` has made, so that it does not read them again. */
const completed = new WeakSet<object>()

/** Whether `complete` would change this reply. */
export const isIncomplete = ({ body, status }: HttpServerResponse.HttpServerResponse): boolean => {
  if (status < 400) return false
  if (body._tag === "Empty") return byStatus[status] !== undefined
  return (
    body._tag === "Uint8Array" &&
    body.contentType.startsWith(ProblemDetails.contentType) &&
    !completed.has(body)
  )
}

const path = (url: string): string => {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}

const byStatus: Readonly<Record<number, () => HttpServerRespondable.Respondable>> = {
  400: () => new MalformedRequest({ errors: [] }),
  401: () => new Unauthenticated(),
  403: () => new Forbidden(),
  404: () => new RouteNotFound(),
  408: () => new RequestTimeout(),
  414: () => new UriTooLong(),
  415: () => new UnsupportedMediaType({ supported: ["gzip", "deflate"] }),
  429: () => new RateLimited(),
  431: () => new HeadersTooLarge(),
  500: () => new InternalError(),
  503: () => new ServiceUnavailable(),
  504: () => new GatewayTimeout()
}

const log = (cause: Cause.Cause<unknown>) => Effect.logError("Request failed", cause)

const clientError = (
  error: unknown,
  { bodyLimit, bodyText }: Failed
): HttpServerRespondable.Respondable | undefined => {
  if (HttpApiSchemaError.is(error)) {
    if (error.kind === "Body" || error.kind === "ResponseHeaders") return undefined
    if (error.kind === "Payload" && bodyText !== undefined && bodyText !== "") {
      const broken = syntaxError(bodyText)
      if (broken !== undefined) return broken
    }
    return new ValidationFailed({ errors: issues(error.kind, error.cause.issue) })
  }
  if (HttpApiPayloadTooLarge.is(error)) return new PayloadTooLarge({ limit: bodyLimit })
  if (HttpServerError.isHttpServerError(error) && error.reason._tag === "RequestParseError") {
    return error.reason.reason === "BodyTooLarge"
      ? new PayloadTooLarge({ limit: bodyLimit })
      : malformedBody("The body cannot be read")
  }
  return undefined
}

/** The answer to a body that cannot be read at all. */
export const malformedBody = (detail: string, pointer = "") =>
  new MalformedRequest({ errors: [{ detail, location: "body", pointer }] })

/** What is wrong with a text that should be JSON; undefined if nothing is. */
export const syntaxError = (text: string): MalformedRequest | undefined => {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return notJson(error)
  }
}

/** The answer to a body of which `JSON.parse` said `error`. */
export const notJson = (error: unknown): MalformedRequest => {
  // The engine's message quotes the input after the position; the client has the input.
  const reason = String((error as Error).message).replace(/, ".*$|(?<=position \d+) .*$/s, "")
  return malformedBody(`Not JSON: ${reason}`)
}

const locations = { Headers: "header", Params: "path", Payload: "body", Query: "query" } as const

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** The issues of one part of a request. */
export const issues = (kind: keyof typeof locations, issue: SchemaIssue.Issue): Array<Issue> =>
  format(issue).issues.map(({ message, path }) => ({
    detail: message,
    location: locations[kind],
    pointer: (path ?? []).map(pointerSegment).join("")
  }))

/** One segment of a JSON pointer, with its slash. Source: RFC 6901, section 3. */
export const pointerSegment = (segment: PropertyKey | { readonly key: PropertyKey }): string => {
  const key = typeof segment === "object" ? segment.key : segment
  return `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`
}
