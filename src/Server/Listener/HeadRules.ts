/** Rules for the head of a request on every socket listener. Source: RFC 9112. */
import * as Semantics from "../Exchange/Semantics.ts"
import * as Authority from "./Authority.ts"
import { type Refusal, refusals } from "./Refusal.ts"

/** A request without a body, as far as it offers to upgrade its connection. */
interface Offer {
  /** Returns the value of a header by its lower-case name; several lines are joined. */
  readonly header: (name: string) => string | undefined
  readonly method: string
  /** 0 for HTTP/1.0 and 1 for HTTP/1.1. */
  readonly minor: number
}

/**
 * Whether a request with `Connection: upgrade` and without a body offers one other protocol.
 * A server may ignore an offer, so one that is not whole is no offer here: a list of
 * protocols, a WebSocket handshake that is not valid, and `h2c`, which is no longer
 * negotiated this way. Source: RFC 9110, section 7.8; RFC 9113, section 3.1.
 */
export const offersUpgrade = (request: Offer): boolean => {
  const protocol = request.header("upgrade")?.toLowerCase()
  if (request.minor === 0 || protocol === undefined || protocol === "h2c") return false
  return protocol === "websocket"
    ? isHandshake(request)
    : /^[a-z0-9!#$%&'*+.^_`|~-]+(?:\/[a-z0-9!#$%&'*+.^_`|~-]+)?$/.test(protocol)
}

/** Whether a request has the fields of a WebSocket handshake. Source: RFC 6455, section 4.2.1. */
const isHandshake = (request: Offer): boolean => {
  const subprotocols = Semantics.elements(request.header("sec-websocket-protocol") ?? "any")
  return (
    request.method === "GET" &&
    request.header("sec-websocket-version") === "13" &&
    /^[A-Za-z0-9+/]{22}==$/.test(request.header("sec-websocket-key") ?? "") &&
    subprotocols.every((name) => /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) &&
    new Set(subprotocols).size === subprotocols.length
  )
}

/**
 * Returns why a request is refused for its Host field. `value` is undefined if it has no
 * such field. `minor` is 0 for HTTP/1.0 and 1 for HTTP/1.1. Source: RFC 9112, section 3.2.
 */
export const host = (value: string | undefined, minor: number): Refusal | undefined => {
  if (value === undefined) return minor === 0 ? undefined : refusals.HostMissing
  return Authority.isValid(value) ? undefined : refusals.HostInvalid
}

/**
 * Returns the path and query of a target that is not a path, `*`, or why the request is
 * refused. `host` is the Host field. Source: RFC 9112, section 3.2.
 */
export const target = (
  value: string,
  method: string,
  host: string | undefined
): Refusal | string => {
  if (value === "*") return method === "OPTIONS" ? value : refusals.Target
  const parts = /^(https?):\/\/([^/?]*)(\/[^?]*)?(\?.*)?$/i.exec(value)
  if (parts === null) return refusals.Target
  const [, scheme, authority, path, query] = parts
  if (!Authority.isValid(authority!)) return refusals.Target
  const http = scheme!.length === 4 ? "http" : "https"
  if (host !== undefined && !Authority.isSame(authority!, host, http)) {
    return refusals.AbsoluteTargetAndHost
  }
  return path === undefined && query === undefined && method === "OPTIONS"
    ? "*"
    : (path ?? "/") + (query ?? "")
}

/**
 * Returns why a request is refused for its Transfer-Encoding field. Source: RFC 9112,
 * sections 6.1 and 6.3.
 */
export const transferEncoding = (value: string, minor: number): Refusal | undefined => {
  if (minor === 0) return refusals.TransferEncodingOn10
  const codings = Semantics.elements(value)
  if (codings.indexOf("chunked") !== codings.length - 1) return refusals.TransferEncoding
  if (codings.length === 1) return undefined
  return codings.every((coding) => /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(coding))
    ? refusals.TransferCoding
    : refusals.TransferEncoding
}
