/** Checks in front of a handler: functions that let a request continue, or answer it. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as RequestFields from "./RequestFields.ts"
import type * as SetCookie from "./SetCookie.ts"
import type { Tls } from "./Wire.ts"

/** A request on its way to its handler. */
export interface Incoming {
  /** Adds fields to the request's access line and span; see `RequestFields`. */
  annotate(fields: Readonly<RequestFields.Fields>): void
  /**
   * Adds a value to a header of the reply, error replies included: to the values that others
   * have set or added, and to those of the handler. They are joined with `, `; each
   * `set-cookie` has a line of its own. Only for headers that are lists, such as `link`, `vary`
   * and `www-authenticate`.
   */
  appendHeader(name: string, value: string): void
  /** Returns a service of the app or of this request; undefined if there is none. */
  find<I, S>(key: Context.Key<I, S>): S | undefined
  /** Returns the value of a reference, for this request. */
  get<S>(reference: Context.Reference<S>): S
  /**
   * Whether the caller was known by credentials that a browser may have added by itself, such as a
   * cookie. The Auth battery sets it. Set it in middleware that reads a session of its own: replies are
   * then not compressed.
   */
  hasAmbientCredentials: boolean
  /** Returns the value of a header by its lower-case name; several lines are joined with `, `. */
  header(name: string): string | undefined
  /** The method as it was sent: methods are case-sensitive. */
  readonly method: string
  /** Returns Unix milliseconds, by the clock of the request. */
  now(): number
  /** The parameters of the path, without percent-encoding and before they are decoded. */
  readonly params: Readonly<Record<string, string | undefined>>
  /** The address at the other end of the connection; undefined on a unix socket and in memory. */
  readonly peer: string | undefined
  /** Provides a service to the handler and to the middleware inside. */
  provide<I, S>(key: Context.Key<I, S>, service: S): void
  /** The request as Effect has it, made when it is first read. */
  readonly request: HttpServerRequest
  readonly requestId: string
  /** The query, without percent-encoding and before it is decoded. */
  readonly searchParams: Readonly<Record<string, Array<string> | string>>
  /**
   * Sets a cookie of the reply, error replies included, as `SetCookie.header` does: with
   * `HttpOnly`, `Path=/`, `SameSite=Lax` and `Secure` unless `options` say otherwise. If the
   * handler sets a cookie of the same name, that one is kept. Throws a `CookieError` if a client
   * would ignore the cookie.
   */
  setCookie(name: string, value: string, options?: SetCookie.Options): void
  /**
   * Sets a header of the reply, error replies included. A later value replaces an earlier
   * one and that of the handler; values of `appendHeader` stay. `set-cookie` and `vary` are added
   * to the others. `content-length` and `transfer-encoding` are ignored: the listener writes them.
   */
  setHeader(name: string, value: string): void
  /** Path and query. */
  readonly target: string
  /** The TLS of its connection; undefined if the server itself does not speak TLS on it. */
  readonly tls: Tls | undefined
}

/**
 * Returns the reply to send, or `undefined` to let the request continue. If
 * nothing has to be waited for, return an `Exit`: no fiber is started.
 */
export type Before = (
  request: Incoming
) => Effect.Effect<HttpServerResponse | undefined, never, HttpServerRequest>

/** Lets a request continue. */
export const pass: Effect.Effect<undefined> = Effect.succeed(undefined)
