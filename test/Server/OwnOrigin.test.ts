/** What the service knows about the origin that its clients use. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { Network } from "flange"
import { secureness } from "../../src/Server/Exchange/OwnOrigin.ts"
import type { ServerConfig } from "../../src/Server/ServerConfig.ts"

type Config = (typeof ServerConfig)["Service"]

const unread = () => {
  throw new Error("It was read")
}

describe("whether a client has used https", () => {
  it("is known without reading the request if no proxy is trusted", () => {
    for (const config of [undefined, { trustedProxies: [] } as unknown as Config]) {
      const isSecure = secureness(config)
      for (const tls of [undefined, { clientCertificate: undefined }]) {
        const request = { find: unread, header: unread, peer: "10.0.0.1", tls }
        assert.strictEqual(isSecure(request), tls !== undefined)
      }
    }
  })

  it("is what a trusted proxy says", () => {
    const config = {
      trustedProxies: [Schema.decodeSync(Network)("10.0.0.0/8")]
    } as unknown as Config
    const isSecure = secureness(config)
    const header = (name: string) => (name === "x-forwarded-proto" ? "https" : undefined)
    // The only service that is read.
    const find = () => config as never
    for (const [peer, expected] of [
      ["10.0.0.1", true],
      ["192.0.2.1", false]
    ] as const) {
      assert.strictEqual(isSecure({ find, header, peer, tls: undefined }), expected)
    }
  })
})
