/** Rules for the head of a request on every socket listener. Source: RFC 9112. */
import * as Semantics from "../Exchange/Semantics.ts"
import * as Authority from "./Authority.ts"
import { type Refusal, refusals } from "./Refusal.ts"

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
