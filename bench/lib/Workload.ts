/** The requests that are timed. */
import { origin, resources } from "../servers/support/Contract.ts"
import * as Token from "./Token.ts"

export type Tier = "bare" | "production"

export interface Request {
  readonly body?: string
  readonly headers: Readonly<Record<string, string>>
  readonly method: "GET" | "OPTIONS" | "POST"
  readonly path: string
}

/** Requests that are sent in turn. */
export interface Endpoint {
  readonly name: string
  readonly requests: ReadonlyArray<Request>
}

const json = { "content-type": "application/json" }

const echo = JSON.stringify({ name: "Ada Lovelace", age: 36, tags: ["maths", "engines", "poetry"] })

const item = JSON.stringify({ name: "Analytical engine", price: 1250.5, tags: ["brass", "steam"] })

/** So many callers take turns: a limit per subject has to find each. */
const subjects = 64

const callers = () =>
  Array.from({ length: subjects }, (_, i) => ({
    authorization: `Bearer ${Token.make(`user-${i}`)}`,
    origin
  }))

export const endpoints = (tier: Tier): ReadonlyArray<Endpoint> =>
  tier === "bare"
    ? [
        { name: "json", requests: [{ headers: {}, method: "GET", path: "/json" }] },
        {
          name: "user",
          requests: [{ headers: {}, method: "GET", path: "/users/42?verbose=true" }]
        },
        {
          name: "echo",
          requests: [{ body: echo, headers: json, method: "POST", path: "/echo" }]
        }
      ]
    : [
        {
          name: "read",
          requests: callers().map((headers, i) => ({
            headers,
            method: "GET",
            path: `/v1/items/${i + 1}`
          }))
        },
        {
          name: "create",
          requests: callers().map((headers) => ({
            body: item,
            headers: { ...headers, ...json },
            method: "POST",
            path: "/v1/items"
          }))
        }
      ]

/** Requests that meet routes all over a table of so many. */
export const spreadOver = (routes: number): Endpoint => {
  const paths = resources(routes)
  const wanted = Math.min(paths.length, 50)
  return {
    name: `routes-${routes}`,
    requests: Array.from({ length: wanted }, (_, i) => {
      const path = paths[Math.floor((i * paths.length) / wanted)]!
      return { headers: {}, method: "GET", path: i % 2 === 0 ? path : `${path}/42` }
    })
  }
}
