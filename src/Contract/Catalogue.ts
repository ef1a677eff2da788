/** Every error that Flange itself answers with: one place for code, status, meaning and remedy. */
import * as Schema from "effect/Schema"
import * as ApiError from "./ApiError.ts"

/** One problem of a request. */
export const Issue = Schema.Struct({
  /** The expected shape and the received value. It never has the value of a header or cookie. */
  detail: Schema.String,
  /** The part of the request. */
  location: Schema.Literals(["body", "header", "path", "query"]),
  /** The place in that part: an RFC 6901 JSON pointer, `""` for the whole part. */
  pointer: Schema.String
})

/** One problem of a request. */
export type Issue = typeof Issue.Type

/** The request's parameters, headers or body do not have the shape that the endpoint declares. */
export class ValidationFailed extends ApiError.make<ValidationFailed>()(
  "ValidationFailed",
  {
    code: "VALIDATION_FAILED",
    detail: ({ errors }) =>
      errors.length === 1
        ? "The request has 1 problem"
        : `The request has ${errors.length} problems`,
    meaning: "Parameters, headers or body do not have the declared shape.",
    remedy: "Correct the problems in `errors`; each has its location and a JSON pointer.",
    status: 400
  },
  { errors: Schema.Array(Issue) }
) {}

/**
 * The request cannot be read: broken JSON, invalid UTF-8, bad percent-encoding, a forbidden
 * key.
 */
export class MalformedRequest extends ApiError.make<MalformedRequest>()(
  "MalformedRequest",
  {
    code: "MALFORMED_REQUEST",
    detail: "The request cannot be read",
    meaning:
      "The request cannot be read: broken JSON, invalid UTF-8, bad percent-encoding, or the key __proto__.",
    remedy:
      "Correct the problems in `errors`. Encode bodies as UTF-8 and paths with percent-encoding.",
    status: 400
  },
  { errors: Schema.Array(Issue) }
) {}

/** A request to a protected route has no valid credentials. */
export class Unauthenticated extends ApiError.make<Unauthenticated>()("Unauthenticated", {
  code: "UNAUTHENTICATED",
  detail: "Authentication is required",
  meaning: "The request has no valid credentials.",
  remedy: "Send credentials of a kind that WWW-Authenticate names.",
  status: 401
}) {}

/** The caller is known and may not do this. */
export class Forbidden extends ApiError.make<Forbidden>()("Forbidden", {
  code: "FORBIDDEN",
  detail: "You are not allowed to do this",
  meaning: "The caller is known and may not do this.",
  remedy: "Use credentials with the scope that the endpoint's description names.",
  status: 403
}) {}

/** A page of another origin started the request, and the browser added the credentials. */
export class CrossSiteRequest extends ApiError.make<CrossSiteRequest>()("CrossSiteRequest", {
  code: "CROSS_SITE_REQUEST",
  detail: "Pages of other origins may not send this request with the credentials of a browser",
  meaning:
    "A page of another origin started the request, and the browser added the caller's cookie or password.",
  remedy:
    "Send the request from a page of the service's own origin, or list the origin of the page in `crossSite.allowedOrigins`.",
  status: 403
}) {}

/** A page of an origin that the channel does not list wants to open a WebSocket. */
export class OriginRefused extends ApiError.make<OriginRefused>()("OriginRefused", {
  code: "ORIGIN_REFUSED",
  detail: "Pages of this origin may not open the WebSocket",
  meaning:
    "A page of another origin wants to open a WebSocket, or a request with a cookie does not name its origin.",
  remedy:
    "Open it from a page of the service's own origin, or list the origin in `origins` of the channel's options.",
  status: 403
}) {}

/** No route has this path. */
export class RouteNotFound extends ApiError.make<RouteNotFound>()("RouteNotFound", {
  code: "ROUTE_NOT_FOUND",
  detail: "No route has this path",
  meaning: "No route has this path.",
  remedy: "Compare the path with /openapi.json.",
  status: 404
}) {}

/** Routes have this path, but none with this method. The `Allow` header lists the methods. */
export class MethodNotAllowed extends ApiError.make<MethodNotAllowed>()(
  "MethodNotAllowed",
  {
    code: "METHOD_NOT_ALLOWED",
    detail: ({ allow }) => `This path takes ${allow.join(", ")}`,
    meaning: "The path exists, but not with this method.",
    remedy: "Use one of the methods in the Allow header.",
    status: 405
  },
  { allow: Schema.Array(Schema.String) }
) {}

/** The body did not arrive in time. */
export class RequestTimeout extends ApiError.make<RequestTimeout>()("RequestTimeout", {
  code: "REQUEST_TIMEOUT",
  detail: "The request did not arrive in time",
  meaning: "The request did not arrive in time.",
  remedy: "Send the request again, faster.",
  status: 408
}) {}

/** The body is longer than the route accepts. */
export class PayloadTooLarge extends ApiError.make<PayloadTooLarge>()(
  "PayloadTooLarge",
  {
    code: "PAYLOAD_TOO_LARGE",
    detail: ({ limit }) => `The body is longer than ${limit} bytes`,
    meaning: "The body is longer than the route accepts.",
    remedy: "Send less, or raise `server.bodyLimit` or the endpoint's BodyLimit.",
    status: 413
  },
  { limit: Schema.Int }
) {}

/** The target is longer than the server accepts. */
export class UriTooLong extends ApiError.make<UriTooLong>()("UriTooLong", {
  code: "URI_TOO_LONG",
  detail: "The request target is too long",
  meaning: "The request target is longer than the server reads.",
  remedy: "Move data from the query to a body.",
  status: 414
}) {}

/** A request with this idempotency key is still running. */
export class IdempotencyKeyInUse extends ApiError.make<IdempotencyKeyInUse>()(
  "IdempotencyKeyInUse",
  {
    code: "IDEMPOTENCY_KEY_IN_USE",
    detail: "A request with this Idempotency-Key is still running",
    meaning: "A request with this Idempotency-Key is still running.",
    remedy: "Send the request again, with the same key, after the time in Retry-After.",
    status: 409
  }
) {}

/** The value of `Idempotency-Key` is no key. */
export class IdempotencyKeyMalformed extends ApiError.make<IdempotencyKeyMalformed>()(
  "IdempotencyKeyMalformed",
  {
    code: "IDEMPOTENCY_KEY_MALFORMED",
    detail: "Idempotency-Key is one key of 1 to 255 visible ASCII characters",
    meaning: "The value of Idempotency-Key is not one key of 1 to 255 visible ASCII characters.",
    remedy: "Send a random UUID, with or without double quotes around it.",
    status: 400
  }
) {}

/** The endpoint needs an idempotency key, and the request has none. */
export class IdempotencyKeyMissing extends ApiError.make<IdempotencyKeyMissing>()(
  "IdempotencyKeyMissing",
  {
    code: "IDEMPOTENCY_KEY_MISSING",
    detail: "This endpoint needs the header Idempotency-Key",
    meaning: "The endpoint needs the header Idempotency-Key, and the request has none.",
    remedy:
      "Send a random UUID as Idempotency-Key, and the same one with each attempt of the request.",
    status: 400
  }
) {}

/** The caller has sent another request with this idempotency key. */
export class IdempotencyKeyReused extends ApiError.make<IdempotencyKeyReused>()(
  "IdempotencyKeyReused",
  {
    code: "IDEMPOTENCY_KEY_REUSED",
    detail: "Another request was sent with this Idempotency-Key",
    meaning: "The caller has sent a different request to this endpoint with the same key.",
    remedy:
      "Send a new key with a new request, and exactly the same request with the same key: equal JSON with other spaces is another request.",
    status: 422
  }
) {}

/** The request was carried out, and its reply is too large to be sent again. */
export class IdempotencyReplyTooLarge extends ApiError.make<IdempotencyReplyTooLarge>()(
  "IdempotencyReplyTooLarge",
  {
    code: "IDEMPOTENCY_REPLY_TOO_LARGE",
    detail:
      "The request with this Idempotency-Key was carried out, and its reply is too large to be sent again",
    meaning:
      "The request was carried out with this key, and its reply is a stream or larger than `idempotency.maxBytes`.",
    remedy: "Read what the request has made in another way, or raise `idempotency.maxBytes`.",
    status: 409
  }
) {}

/** The body has a content type that the endpoint does not take. */
export class UnsupportedMediaType extends ApiError.make<UnsupportedMediaType>()(
  "UnsupportedMediaType",
  {
    code: "UNSUPPORTED_MEDIA_TYPE",
    detail: ({ supported }) => `This endpoint takes ${supported.join(", ")}`,
    meaning: "The body has a content type that the endpoint does not take.",
    remedy: "Send one of the types in `supported`.",
    status: 415
  },
  { supported: Schema.Array(Schema.String) }
) {}

/** The request has an `Expect` field other than `100-continue`. */
export class ExpectationFailed extends ApiError.make<ExpectationFailed>()("ExpectationFailed", {
  code: "EXPECTATION_FAILED",
  detail: "The only expectation this server meets is 100-continue",
  meaning: "The request has an Expect field that the server does not know.",
  remedy: "Leave Expect out, or send `Expect: 100-continue`.",
  status: 417
}) {}

/** The service does not call a URL that the caller sent. */
export class UrlRefused extends ApiError.make<UrlRefused>()("UrlRefused", {
  code: "URL_REFUSED",
  detail: "The service does not call this URL",
  meaning:
    "A URL that the caller sent has a scheme, a port or credentials that are not allowed, or its host has no public address.",
  remedy:
    "Send an http or https URL of a public host, on the default port and without credentials.",
  status: 422
}) {}

/** The caller sent more requests than its limit allows. */
export class RateLimited extends ApiError.make<RateLimited>()("RateLimited", {
  code: "RATE_LIMITED",
  detail: "Too many requests",
  meaning: "The caller sent more requests than its limit allows.",
  remedy: "Wait for the time in Retry-After.",
  status: 429
}) {}

/** A request to a channel is not the handshake of a WebSocket that the server can accept. */
export class UpgradeRequired extends ApiError.make<UpgradeRequired>()("UpgradeRequired", {
  code: "UPGRADE_REQUIRED",
  detail: "This path speaks WebSocket over HTTP/1.1 only",
  meaning:
    "The request is not a valid handshake of a WebSocket, or its protocol, such as HTTP/2, has none here.",
  remedy: "Connect with a client of WebSocket over HTTP/1.1, and let proxies pass `Upgrade` on.",
  status: 426
}) {}

/** A client offers subprotocols, and the channel speaks none of them. */
export class SubprotocolRefused extends ApiError.make<SubprotocolRefused>()(
  "SubprotocolRefused",
  {
    code: "SUBPROTOCOL_REFUSED",
    detail: ({ supported }) => `The channel speaks ${supported.join(", ")}`,
    meaning: "The client offers subprotocols of WebSocket, and the channel speaks none of them.",
    remedy: "Offer one of the subprotocols in `supported`.",
    status: 400
  },
  { supported: Schema.Array(Schema.String) }
) {}

/** The headers are longer than the server accepts. */
export class HeadersTooLarge extends ApiError.make<HeadersTooLarge>()("HeadersTooLarge", {
  code: "HEADERS_TOO_LARGE",
  detail: "The request's headers are too large",
  meaning: "The request's headers are larger than the server reads.",
  remedy: "Send fewer or shorter headers and cookies.",
  status: 431
}) {}

/** The server failed unexpectedly. The log has the cause under the correlation id. */
export class InternalError extends ApiError.make<InternalError>()("InternalError", {
  code: "INTERNAL_ERROR",
  detail: "The server could not complete the request",
  meaning: "A handler failed in a way that its contract does not declare.",
  remedy: "Look up the cause in the log by the correlation id. Retrying may help.",
  status: 500
}) {}

/** The request has a transfer coding that the server does not know. */
export class UnsupportedCoding extends ApiError.make<UnsupportedCoding>()("UnsupportedCoding", {
  code: "UNSUPPORTED_CODING",
  detail: "The only transfer coding that the server takes is chunked",
  meaning: "The request has a Transfer-Encoding other than chunked.",
  remedy: "Send the body with a Content-Length, or with Transfer-Encoding: chunked.",
  status: 501
}) {}

/** The request uses a feature of HTTP that this server does not implement. */
export class NotImplemented extends ApiError.make<NotImplemented>()("NotImplemented", {
  code: "NOT_IMPLEMENTED",
  detail: "This server does not do what the request asks for",
  meaning: "The request uses CONNECT, or asks a mounted listener for a WebSocket.",
  remedy:
    "Check the proxy's configuration. Serve WebSockets with a route that is no mounted listener.",
  status: 501
}) {}

/** A service that the request needs did not answer, or answered with something else. */
export class BadGateway extends ApiError.make<BadGateway>()("BadGateway", {
  code: "BAD_GATEWAY",
  detail: "A service that the request needs did not answer",
  meaning: "A call to another service failed, or its response was too long.",
  remedy: "Retry later. The log has the cause by the correlation id.",
  status: 502
}) {}

/** The server cannot take the request now: it is stopping, or something it needs is down. */
export class ServiceUnavailable extends ApiError.make<ServiceUnavailable>()("ServiceUnavailable", {
  code: "SERVICE_UNAVAILABLE",
  detail: "The service cannot take the request now",
  meaning: "The server is stopping, or something it needs is down.",
  remedy: "Retry after the time in Retry-After, or at another replica.",
  status: 503
}) {}

/** More requests have come than the server can serve. */
export class Overloaded extends ApiError.make<Overloaded>()("Overloaded", {
  code: "OVERLOADED",
  detail: "The service has too many requests to take this one",
  meaning: "More requests have come than the server can serve. This one was not begun.",
  remedy: "Send the request again after the time in Retry-After, or to another replica.",
  status: 503
}) {}

/** The handler did not finish in time. */
export class GatewayTimeout extends ApiError.make<GatewayTimeout>()(
  "GatewayTimeout",
  {
    code: "TIMEOUT",
    detail: ({ activity }) =>
      activity === undefined
        ? "The request was not completed in time"
        : `The request was not completed in time: its time ended in ${activity}`,
    expose: ["activity", "spent"],
    meaning: "The handler did not finish in time.",
    remedy: "Retry later, ask for less, or give the handler more time.",
    status: 504
  },
  {
    /** What the request was doing, such as `handler` or `SQL`. */
    activity: Schema.optionalKey(Schema.String),
    /** The milliseconds that the request took for each thing that it waited for. */
    spent: Schema.optionalKey(Schema.Record(Schema.String, Schema.Finite))
  }
) {}

/** The request is in a version of HTTP that the server does not speak. */
export class HttpVersionNotSupported extends ApiError.make<HttpVersionNotSupported>()(
  "HttpVersionNotSupported",
  {
    code: "HTTP_VERSION_NOT_SUPPORTED",
    detail: "This server speaks HTTP/1.1 and HTTP/1.0",
    meaning: "The request is in a version of HTTP that the server does not speak.",
    remedy: "Let the proxy speak HTTP/1.1 to the service.",
    status: 505
  }
) {}

/** One error in the catalogue. */
export interface Entry {
  readonly code: string
  /** When the server answers with the error. */
  readonly meaning: string
  /** What the caller or the service's owner can do. */
  readonly remedy: string
  readonly status: number
}

const classes = [
  BadGateway,
  CrossSiteRequest,
  ExpectationFailed,
  Forbidden,
  GatewayTimeout,
  HeadersTooLarge,
  HttpVersionNotSupported,
  IdempotencyKeyInUse,
  IdempotencyKeyMalformed,
  IdempotencyKeyMissing,
  IdempotencyKeyReused,
  IdempotencyReplyTooLarge,
  InternalError,
  MalformedRequest,
  MethodNotAllowed,
  NotImplemented,
  OriginRefused,
  Overloaded,
  PayloadTooLarge,
  RateLimited,
  RequestTimeout,
  RouteNotFound,
  ServiceUnavailable,
  SubprotocolRefused,
  Unauthenticated,
  UnsupportedCoding,
  UnsupportedMediaType,
  UpgradeRequired,
  UriTooLong,
  UrlRefused,
  ValidationFailed
] as const

/** An error that Flange itself answers with. */
export type Any = InstanceType<(typeof classes)[number]>

/**
 * Every error that Flange itself answers with, by code. The reference page is generated from
 * it.
 */
export const catalogue: ReadonlyArray<Entry> = classes
  .map(({ code, meaning, remedy, status }) => ({ code, meaning, remedy, status }))
  .sort((a, b) => (a.code < b.code ? -1 : 1))
