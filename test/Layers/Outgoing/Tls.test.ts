/** Tests of calls over TLS. */
import { getCACertificates, setDefaultCACertificates } from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { generate } from "selfsigned"
import { refusalOf } from "../../../src/Layers/Outgoing/index.ts"
import { clients, limitOf, resolver, serve, serveTls, until, type Upstream } from "./rig.ts"

const day = 24 * 3600 * 1000

/** Makes a certificate that signs itself, for names. */
const made = (names: ReadonlyArray<string>, days = 1) =>
  Effect.map(
    Effect.promise(() =>
      generate([{ name: "commonName", value: names[0]! }], {
        algorithm: "sha256",
        extensions: [
          { cA: true, critical: true, name: "basicConstraints" },
          {
            altNames: names.map((value) => ({ type: 2 as const, value })),
            name: "subjectAltName"
          }
        ],
        keyType: "ec",
        notAfterDate: new Date(Date.now() + days * day),
        notBeforeDate: new Date(Date.now() - 2 * day)
      })
    ),
    ({ cert, private: key }) => ({ cert, key })
  )

/** Makes a certificate that this process trusts until the scope closes, as with NODE_EXTRA_CA_CERTS. */
const trusted = (...options: Parameters<typeof made>) =>
  Effect.tap(made(...options), ({ cert }) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const before = getCACertificates("default")
        setDefaultCACertificates([...before, cert])
        return before
      }),
      (before) => Effect.sync(() => setDefaultCACertificates(before))
    )
  )

const portOf = ({ url }: Upstream) => Number(new URL(url).port)

const urlOf = (host: string, upstream: Upstream) => `https://${host}:${portOf(upstream)}/`

/** Settings of a test whose upstreams are on loopback: 127.0.0.1 stands for a public address. */
const local = (...upstreams: ReadonlyArray<Upstream>) => ({
  retryDelay: "1 millis",
  userUrls: { allowNetworks: ["127.0.0.1"], ports: upstreams.map(portOf) }
})

const { lookup } = resolver(["127.0.0.1"])

describe("a call over TLS", () => {
  it.live("succeeds if the process trusts the certificate and it is that of the host", () =>
    Effect.gen(function* () {
      const pair = yield* trusted(["good.example"])
      const upstream = yield* serveTls(pair, (_, response) => response.end("secret"))
      const { client, userUrls } = yield* clients(local(upstream), lookup)
      for (const each of [client, userUrls]) {
        const response = yield* each.get(urlOf("good.example", upstream))
        assert.strictEqual(yield* response.text, "secret")
      }
    })
  )

  for (const [name, pair, host] of [
    ["that nobody has signed", made(["good.example"]), "good.example"],
    ["of another host", trusted(["good.example"]), "evil.example"],
    ["of a domain whose subdomain is called", trusted(["example"]), "good.example"],
    ["that has expired", trusted(["good.example"], -1), "good.example"]
  ] as const) {
    it.live(`to a server with a certificate ${name} sends nothing`, () =>
      Effect.gen(function* () {
        const upstream = yield* serveTls(yield* pair, (_, response) => response.end("secret"))
        const { client, userUrls } = yield* clients(local(upstream), lookup)
        for (const each of [client, userUrls]) {
          const error = yield* Effect.flip(each.get(urlOf(host, upstream)))
          assert.strictEqual(error.reason._tag, "TransportError")
          assert.isUndefined(refusalOf(error))
        }
        assert.strictEqual(upstream.requests.length, 0)
        yield* until(() => upstream.connections.size === 0)
      })
    )
  }
})

describe("a URL of a user over TLS", () => {
  it.live("is refused if its host has a private address", () =>
    Effect.gen(function* () {
      const pair = yield* trusted(["good.example"])
      const upstream = yield* serveTls(pair, (_, response) => response.end())
      const { userUrls } = yield* clients(local(upstream), resolver(["127.0.0.2"]).lookup)
      assert.strictEqual(yield* limitOf(userUrls.get(urlOf("good.example", upstream))), "url")
      assert.strictEqual(yield* limitOf(userUrls.get(urlOf("[::1]", upstream))), "url")
    })
  )

  it.live("is not followed to http, and one over http is followed to https", () =>
    Effect.gen(function* () {
      const pair = yield* trusted(["good.example"])
      const plain = yield* serve((request, response) => {
        if (request.url === "/end") return response.end("plain")
        response.writeHead(302, { location: urlOf("good.example", secure) + "end" }).end()
      })
      const secure: Upstream = yield* serveTls(pair, (request, response) => {
        if (request.url === "/end") return response.end("secure")
        const location = `http://good.example:${portOf(plain)}/end`
        response.writeHead(302, { location }).end()
      })
      const { userUrls } = yield* clients(local(plain, secure), lookup)
      const error = yield* Effect.flip(userUrls.get(urlOf("good.example", secure)))
      assert.strictEqual(refusalOf(error)?.limit, "url")
      assert.include(error.message, "https redirects to http")
      assert.strictEqual(plain.requests.length, 0)
      const response = yield* userUrls.get(`http://good.example:${portOf(plain)}/`, {
        headers: { authorization: "Bearer secret" }
      })
      assert.strictEqual(yield* response.text, "secure")
      assert.isUndefined(secure.requests.at(-1)!.headers.authorization)
    })
  )
})
