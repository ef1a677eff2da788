/** The requests that a runtime accepts and its listener refuses. */
import type { Serving } from "../../Exchange/Serving.ts"
import * as Authority from "../Authority.ts"
import * as HeadRules from "../HeadRules.ts"
import { type Refusal, refusals, replyTo } from "../Refusal.ts"

/**
 * Returns the path and query of a request, or why the request is refused. The runtime shows no
 * version of HTTP, and a request of HTTP/1.0 may lack Host, so each request may.
 */
export const targetOf = ({ headers, method, url }: Request, maxBytes: number): Refusal | string => {
  if (method === "CONNECT") return refusals.Connect
  const host = headers.get("host")
  if (host !== null && !Authority.isValid(host)) return refusals.HostInvalid
  if (url.length > maxBytes) return refusals.RequestLineTooLong
  // Most URLs have the text of the Host field behind `http://`, and a path.
  const begin = host !== null && url.startsWith(host, 7) ? 7 + host.length : 0
  const target =
    url.charCodeAt(begin) === slash
      ? url.slice(begin)
      : HeadRules.target(url, method, host ?? undefined)
  if (typeof target !== "string") return target
  if (target.includes("#")) return refusals.Target
  return method === "OPTIONS" && target === "/*" ? "*" : target
}

const slash = 0x2f

/** Returns why a request is refused for what it expects or for its body; undefined if it is not. */
export const ofBody = ({ headers, method }: Request): Refusal | undefined => {
  const expectation = headers.get("expect")
  if (expectation !== null && expectation.toLowerCase() !== "100-continue") return refusals.Expect
  // A `Request` with these methods has no body.
  if (method === "GET" || method === "HEAD") return undefined
  const coding = headers.get("transfer-encoding")
  return coding === null ? undefined : HeadRules.transferEncoding(coding, 1)
}

/** Returns the reply to a refused request, which closes its connection. */
export const reply = (
  { error }: Pick<Refusal, "error">,
  request: Request,
  serving: Serving
): Response => {
  const { body, headers } = replyTo(
    error,
    {
      header: (name) => request.headers.get(name) ?? undefined,
      method: request.method,
      target: undefined
    },
    serving
  )
  const lines = new Headers({ connection: "close" })
  for (let i = 0; i < headers.length; i += 2) lines.append(headers[i]!, headers[i + 1]!)
  return new Response(request.method === "HEAD" ? null : body, {
    headers: lines,
    status: error.status
  })
}
