// Pages of other sites, with the headers that only a browser sets: `fetch` would leave them out.
import * as Http from "node:http"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import { app, values } from "./fixture.ts"

interface Sent {
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: string
}

interface Reply {
  readonly code: unknown
  readonly headers: Http.IncomingHttpHeaders
  readonly status: number | undefined
}

const ask = (url: string, { body, headers = {}, method = "GET" }: Sent = {}) =>
  Effect.callback<Reply>((resume) => {
    const request = Http.request(url, { agent: false, headers, method }, (response) => {
      let text = ""
      response.on("data", (chunk) => (text += chunk))
      response.on("end", () =>
        resume(
          Effect.sync(() => ({
            code: JSON.parse(text)["code"],
            headers: response.headers,
            status: response.statusCode
          }))
        )
      )
    })
    request.end(body)
  })

const json = { "content-type": "application/json" }
const post = (headers: Readonly<Record<string, string>>): Sent => ({
  body: "{}",
  headers: { ...json, ...headers },
  method: "POST"
})

const boot = (admin: object = {}) =>
  Effect.map(TestApp.listening(app, { config: { admin }, values }), (test) => ({
    security: () => test.logs.filter(({ annotations }) => annotations["tag"] === "security"),
    url: test.port("admin").url
  }))

describe("a page of another site", () => {
  it.live.each(["evil.example", "evil.example:8081", "127.0.0.1.evil.example", "[::2]"])(
    "that has resolved its name %s to this machine is refused and audited",
    (host) =>
      Effect.gen(function* () {
        const { security, url } = yield* boot()
        const refused = { code: "ADMIN_HOST_REFUSED", status: 421 }
        expect(yield* ask(`${url}/config`, { headers: { host } })).toMatchObject(refused)
        expect(yield* ask(`${url}/nowhere`, { headers: { host } })).toMatchObject(refused)
        expect(yield* ask(`${url}/drain`, post({ host }))).toMatchObject(refused)
        expect(security()).toHaveLength(3)
      })
  )

  it.live.each(["localhost:8081", "127.0.0.1", "[::1]:8081", "LOCALHOST"])(
    "a request for %s is one of this machine",
    (host) =>
      Effect.gen(function* () {
        const { url } = yield* boot()
        expect(yield* ask(`${url}/info`, { headers: { host } })).toMatchObject({ status: 200 })
      })
  )

  it.live("with a token any name is one of the port", () =>
    Effect.gen(function* () {
      const token = "a-token-of-this-test"
      const { url } = yield* boot({ token })
      const headers = { authorization: `Bearer ${token}`, host: "admin.example.com" }
      expect(yield* ask(`${url}/info`, { headers })).toMatchObject({ status: 200 })
    })
  )

  it.live.each([
    ["Sec-Fetch-Site: cross-site", { "sec-fetch-site": "cross-site" }],
    ["Sec-Fetch-Site: same-site", { "sec-fetch-site": "same-site" }],
    ["another origin", { origin: "https://evil.example" }],
    ["the origin null", { origin: "null" }],
    ["the origin of another port", { origin: "http://127.0.0.1:3000" }],
    ["a link", { "sec-fetch-mode": "navigate", "sec-fetch-site": "cross-site" }]
  ] as const)("a change with %s is refused and audited", ([, headers]) =>
    Effect.gen(function* () {
      const { security, url } = yield* boot()
      const refused = { code: "CROSS_SITE_REQUEST", status: 403 }
      for (const path of ["/drain", "/actions/sweep"]) {
        expect(yield* ask(url + path, post(headers))).toMatchObject(refused)
      }
      const put = { ...post(headers), body: '{"text":"a"}', method: "PUT" }
      expect(yield* ask(`${url}/shelf/1`, put)).toMatchObject(refused)
      expect(security()).toHaveLength(3)
    })
  )

  it.live("embeds nothing of this port, and a person may follow its link", () =>
    Effect.gen(function* () {
      const { url } = yield* boot()
      const site = { "sec-fetch-site": "cross-site" }
      const embedded = { headers: { ...site, "sec-fetch-mode": "no-cors" } }
      expect(yield* ask(`${url}/config`, embedded)).toMatchObject({ code: "CROSS_SITE_REQUEST" })
      const linked = { headers: { ...site, "sec-fetch-mode": "navigate" } }
      const { headers, status } = yield* ask(`${url}/info`, linked)
      expect(status).toBe(200)
      expect(headers).toMatchObject({
        "cache-control": "no-store",
        "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
        "cross-origin-resource-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY"
      })
      expect(headers).not.toHaveProperty("access-control-allow-origin")
    })
  )

  it.live.each([
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/plain",
    "x/json"
  ])(
    "a change with the content type %s is refused: a form could send it, or nothing does",
    (type) =>
      Effect.gen(function* () {
        const { url } = yield* boot()
        const sent = post({ "content-type": type })
        expect(yield* ask(`${url}/drain`, sent)).toMatchObject({
          code: "ADMIN_HEADER_MISSING",
          status: 403
        })
      })
  )

  it.live("a preflight of another site allows nothing", () =>
    Effect.gen(function* () {
      const { url } = yield* boot()
      const reply = yield* Effect.promise(() =>
        fetch(`${url}/drain`, {
          headers: {
            "access-control-request-headers": "content-type",
            "access-control-request-method": "POST",
            origin: "https://evil.example"
          },
          method: "OPTIONS"
        })
      )
      expect([...reply.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual(
        []
      )
    })
  )

  it.live("a change of this port's own pages, and one with X-Requested-With, pass", () =>
    Effect.gen(function* () {
      const { url } = yield* boot()
      const own = post({ origin: url, "sec-fetch-site": "same-origin" })
      expect(yield* ask(`${url}/actions/sweep`, own)).toMatchObject({ status: 200 })
      const custom = {
        body: '{"text":"a"}',
        headers: { "content-type": "text/plain", "x-requested-with": "admin" },
        method: "PUT"
      }
      expect(yield* ask(`${url}/shelf/1`, custom)).toMatchObject({ status: 200 })
    })
  )
})
