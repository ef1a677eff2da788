/** The deadline that a caller sends with its request. */
import * as Effect from "effect/Effect"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import { GatewayTimeout } from "../../Contract/Catalogue.ts"
import * as Before from "../../Server/Exchange/Before.ts"
import * as ClientIp from "../../Server/Exchange/ClientIp.ts"
import { CurrentExchange } from "../../Server/Exchange/Exchange.ts"
import * as Issues from "../../Server/Exchange/Issues.ts"
import * as Problem from "../../Server/Exchange/Problem.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import { TimeoutConfig } from "./TimeoutConfig.ts"

/** Whole milliseconds, up to 11 days. */
const millis = /^(?:0|[1-9]\d{0,8})$/

const expired = new GatewayTimeout({ activity: "the caller" })

/** Shortens the time of a request to what its caller sends, if the caller is trusted. */
export const callerDeadline = Middleware.before("caller-deadline", {
  build: Effect.map(TimeoutConfig, ({ callers, header }) => {
    const name = header.toLowerCase()
    const isTrusted = (request: Before.Incoming): boolean => {
      if (callers === "any") return true
      const address = Result.getOrUndefined(
        NetAddress.ipFromString(ClientIp.resolve(request) ?? "")
      )
      return (
        address !== undefined && callers.some((network) => IpNetwork.contains(network, address))
      )
    }
    const malformed = Issues.malformed(
      "header",
      `${header} is not one whole number of milliseconds from 0 to 999999999, such as 1500`,
      `/${name}`
    )
    const before: Before.Before = (request) => {
      const sent = request.header(name)
      if (sent === undefined || !isTrusted(request)) return Before.pass
      if (!millis.test(sent)) return Problem.render(malformed, request)
      if (sent === "0") return Problem.render(expired, request)
      request.find(CurrentExchange)?.time?.shorten(Number(sent))
      return Before.pass
    }
    return () => (callers.length === 0 ? undefined : before)
  }),
  slot: "TransportSecurity"
})
