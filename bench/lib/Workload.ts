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
  /** How many clients ask at once. Default: 64. */
  readonly connections?: number
  readonly name: string
  readonly requests: ReadonlyArray<Request>
}

const json = { "content-type": "application/json" }

/** So many callers send other ids, flags and names: a cache of one request is of no use. */
const callersOfBare = 1000

const users = Array.from({ length: callersOfBare }, (_, i): Request => {
  // A number that shares no factor with the count, so that ids come in no order.
  const id = ((i * 7919) % callersOfBare) + 1
  const query = ["", "?verbose=true", "?verbose=false"][i % 3]!
  return { headers: {}, method: "GET", path: `/users/${id}${query}` }
})

const echoes = Array.from({ length: 100 }, (_, i): Request => {
  const body = { name: `Ada Lovelace ${i}`, age: 20 + i, tags: ["maths", "engines", "poetry"] }
  return { body: JSON.stringify(body), headers: json, method: "POST", path: "/echo" }
})

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
        { name: "user", requests: users },
        { name: "echo", requests: echoes }
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

/** As many requests for each number of routes, all over the table. */
export const spreadOver = (routes: number): Endpoint => {
  const all = resources(routes)
  return {
    name: `routes-${routes}`,
    requests: Array.from({ length: callersOfBare }, (_, i) => {
      const { path } = all[Math.floor((i * routes) / callersOfBare)]!
      return { headers: {}, method: "GET", path: `${path}/${i + 1}` }
    })
  }
}
