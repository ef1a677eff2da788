/** Decides whether a handshake of a channel is accepted. */
import {
  OriginRefused,
  ServiceUnavailable,
  SubprotocolRefused,
  UpgradeRequired
} from "../../Contract/Catalogue.ts"
import type * as Catalogue from "../../Contract/Catalogue.ts"
import type { Exchange } from "../../Server/Exchange/Exchange.ts"
import * as OwnOrigin from "../../Server/Exchange/OwnOrigin.ts"
import * as Semantics from "../../Server/Exchange/Semantics.ts"

/** The rules of a channel. */
export interface Rules {
  /** The origins whose pages may connect, besides that of the service. */
  readonly origins: ReadonlySet<string>
  /** The subprotocols that the server speaks, the one it prefers first. */
  readonly subprotocols: ReadonlyArray<string>
}

/** The error to answer, and headers of the reply. */
interface Refused {
  readonly error: Catalogue.Any
  readonly headers?: Readonly<Record<string, string>>
}

/** What a client has to ask for. Source: RFC 9110, section 15.5.22, and RFC 6455, section 4.2.2. */
const required: Refused = {
  error: new UpgradeRequired(),
  headers: { connection: "Upgrade", "sec-websocket-version": "13", upgrade: "websocket" }
}

/** Returns the error to answer; otherwise the subprotocol, which may be undefined. */
export const decide = (
  request: Exchange,
  { origins, subprotocols }: Rules,
  isDraining: boolean
): Refused | { readonly protocol: string | undefined } => {
  if (!request.acceptsWebSocket) return required
  if (isDraining) return { error: new ServiceUnavailable() }
  if (!isAllowed(request, origins)) return { error: new OriginRefused() }
  const sent = request.header("sec-websocket-protocol")
  // Names of subprotocols are case-sensitive.
  const offered = sent === undefined ? [] : sent.split(",").map(Semantics.withoutBlanks)
  const protocol = subprotocols.find((name) => offered.includes(name))
  return protocol === undefined && subprotocols.length > 0 && offered.length > 0
    ? { error: new SubprotocolRefused({ supported: subprotocols }) }
    : { protocol }
}

/**
 * Checks where the page comes from. A page of any origin may open a WebSocket, and the browser adds the
 * cookies of the service. Only browsers send `Origin`: a caller with a cookie has to.
 */
const isAllowed = (request: Exchange, origins: ReadonlySet<string>): boolean => {
  const origin = request.header("origin")
  if (origin === undefined) return !request.hasAmbientCredentials
  return (
    origins.has(origin) ||
    request.get(OwnOrigin.CredentialedOrigins).has(origin) ||
    OwnOrigin.isOwn(request, origin)
  )
}
