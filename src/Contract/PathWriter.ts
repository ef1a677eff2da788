/** Writes the path of a request from the parameters of its endpoint. */
import * as FindMyWay from "effect/http/FindMyWay"
import * as Result from "effect/Result"
import * as RoutePath from "./RoutePath.ts"

/** The encoded parameters of a request. */
export type Values = Readonly<Record<string, string | undefined>>

/** The routes of a contract by their names. */
export type Routes = FindMyWay.Router<string>

/** A parameter that a path cannot carry. */
export interface Refusal {
  readonly parameter: string
  readonly reason: string
  readonly value: string | undefined
}

/** Returns a value in quotation marks, without the end of a long one. */
export const quoted = (value: string): string =>
  JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}...` : value)

/** A parameter, or the rest of a path. */
type Variable = Exclude<RoutePath.Part, string>

/**
 * Returns the function that writes the path of a route, without the host, and adds the route to
 * `routes`. It refuses parameters that the server would not read as the same values, or with
 * which the request would go to another one of `routes`.
 */
export const make = (
  parts: ReadonlyArray<RoutePath.Part>,
  {
    method,
    name,
    routes
  }: { readonly method: string; readonly name: string; readonly routes: Routes }
): ((values: Values) => Result.Result<string, Refusal>) => {
  try {
    routes.on(method, RoutePath.toRouter(parts), name)
  } catch {
    // A server refuses to boot with two such routes. Each may still be called on a server of its own.
  }
  const variables = parts.filter((part) => typeof part !== "string")
  const [first] = variables
  if (first === undefined) {
    const path = encodeURI(parts.join(""))
    return () => Result.succeed(path)
  }
  const reader = FindMyWay.make<true>(RoutePath.routerConfig)
  reader.on("GET", RoutePath.toRouter(parts), true)
  return (values) => {
    const refused = (variable: Variable, reason: string) => {
      const parameter = nameOf(variable)
      return Result.fail({ parameter, reason, value: values[parameter] })
    }
    let path = ""
    for (const part of parts) {
      const value = typeof part === "string" ? encodeURI(part) : valueOf(part, values)
      if (typeof part === "string") path += value
      else if (value === undefined) {
        if (!RoutePath.isOptional(part)) return refused(part, missing)
        path = path.replace(/\/$/, "")
      } else {
        const reason = reasonAgainst(part, value)
        if (reason !== undefined) return refused(part, reason)
        path += part === RoutePath.wildcard ? encodedRest(value) : encodeURIComponent(value)
      }
    }
    path ||= "/"
    // The same normalization as that of `fetch`.
    if (new URL(path, "http://localhost").pathname !== path) {
      return refused(
        variables.find((variable) => /^\.*$/.test(valueOf(variable, values) ?? "")) ?? first,
        dots
      )
    }
    const read = reader.find("GET", path)?.params ?? {}
    const other = variables.find((variable) => read[nameOf(variable)] !== valueOf(variable, values))
    if (other !== undefined) return refused(other, misread(read[nameOf(other)]))
    const found = routes.find(method, path)
    return found === undefined || found.handler === name || Object.values(found.params).includes("")
      ? Result.succeed(path)
      : refused(first, `makes the path ${path} of ${found.handler}. Use another value`)
  }
}

const nameOf = (variable: Variable): string =>
  variable === RoutePath.wildcard ? "*" : variable.name

/** Returns the value of a parameter. The rest of a path is empty if it is absent. */
const valueOf = (variable: Variable, values: Values): string | undefined =>
  (Object.hasOwn(values, nameOf(variable)) ? values[nameOf(variable)] : undefined) ??
  (variable === RoutePath.wildcard ? "" : undefined)

const missing = "is missing. Declare it in `params` of the contract, and give it a value"

const dots =
  "makes a segment . or .. of the path, which clients resolve. Use another value, or send it in the query or the body"

/** Returns the rest of a path with its slashes. Proxies merge a slash behind a slash. */
const encodedRest = (value: string): string =>
  value
    .split("/")
    .map(encodeURIComponent)
    .reduce((path, segment) => path + (path === "" || path.endsWith("/") ? "%2F" : "/") + segment)

/** Returns why no path can carry a value; undefined if one can. */
const reasonAgainst = (variable: Variable, value: string): string | undefined => {
  if (/\p{Surrogate}/u.test(value)) {
    return "is not well-formed Unicode. Remove the half of a surrogate pair"
  }
  if (variable === RoutePath.wildcard) {
    return value.split("/").some((segment) => segment === "." || segment === "..")
      ? dots
      : undefined
  }
  const { isOptional, pattern } = variable
  if (value === "") {
    return `is empty: the request would go to another path. Use a value that is not empty${isOptional ? ", or leave the parameter out" : ""}`
  }
  return pattern === undefined || new RegExp(`^${pattern}$`).test(value)
    ? undefined
    : `does not match the pattern ${pattern}. Use a value that does`
}

const misread = (value: string | undefined): string =>
  value === undefined
    ? "is not read as a value of this path. Use another value"
    : `would be read as ${quoted(value)}. Use values without the text that separates the parameters of the path`
