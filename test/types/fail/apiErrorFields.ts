// Errors that hide or show fields which they cannot.
import * as Schema from "effect/Schema"
import { ApiError } from "flange"

const code = "CODE"
const detail = ""
const fields = { query: Schema.String, retryAfter: Schema.Int }

export class Unknown extends ApiError.make<Unknown>()("Unknown", {
  code,
  detail,
  internal: ["qery"],
  // ^ expect: Type '"qery"' is not assignable to type '"query" | "retryAfter"'
  status: 404
}, fields) {}

export class UnknownToo extends ApiError.make<UnknownToo>()("UnknownToo", {
  code,
  detail,
  expose: ["retry"],
  // ^ expect: Type '"retry"' is not assignable to type '"query" | "retryAfter"'
  status: 503
}, fields) {}

export class Internal extends ApiError.make<Internal>()("Internal", { code, detail, internal: ["query"], status: 500 }, fields) {}
// ^ expect: The client gets no field of a 5xx: leave out internal, and name in expose those that it may get

export class Exposed extends ApiError.make<Exposed>()("Exposed", { code, detail, expose: ["query"], status: 404 }, fields) {}
// ^ expect: The client gets all fields of a 4xx: leave out expose, and name in internal those that it must not get

export class Taken extends ApiError.make<Taken>()("Taken", { code, detail, internal: ["detail"], status: 404 }, { detail: Schema.String }) {}
// ^ expect: Rename the field detail: every error has a member of this name

export class Told extends ApiError.make<Told>()("Told", { code, detail: (error) => error.query, expose: ["retryAfter"], status: 503 }, fields) {}
// ^ expect: Property 'query' does not exist on type

class Found extends ApiError.make<Found>()("Found", { code, detail: (error) => error.query, internal: ["query"], status: 404 }, fields) {}

export const without = new Found({ retryAfter: 1 })
// ^ expect: Property 'query' is missing

export const hidden: string = new Found({ query: "select", retryAfter: 1 }).query
// ^ expect: Type 'string | undefined' is not assignable to type 'string'

export const sent: number = new Found({ query: "select", retryAfter: 1 }).retryAfter

export const encoded: string = Schema.encodeSync(Found)(new Found({ query: "", retryAfter: 1 })).query
// ^ expect: Property 'query' does not exist on type
