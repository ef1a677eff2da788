/** Paths of the router as path templates of OpenAPI. */
import * as RoutePath from "../../Contract/RoutePath.ts"

/** A path of the document. */
export interface PathTemplate {
  /** The names of its parameters in order. */
  readonly names: ReadonlyArray<string>
  /** The path with `{}` for each parameter: paths of one shape are the same path in a document. */
  readonly shape: string
  /** Such as `/items/{id}`. */
  readonly text: string
}

/**
 * Returns the templates of a path: two if its last parameter is optional, the one with the
 * parameter first. OpenAPI has neither optional path parameters nor wildcards, so a
 * wildcard is a parameter with the name `*`.
 */
export const fromParts = (parts: ReadonlyArray<RoutePath.Part>): ReadonlyArray<PathTemplate> => {
  const without = RoutePath.withoutOptional(parts)
  return without === undefined ? [template(parts)] : [template(parts), template(without)]
}

const template = (parts: ReadonlyArray<RoutePath.Part>): PathTemplate => {
  const names = parts.flatMap((part) => (typeof part === "string" ? [] : [nameOf(part)]))
  const text = parts
    .map((part) => (typeof part === "string" ? escaped(part) : `{${nameOf(part)}}`))
    .join("")
  const path = text.startsWith("/") ? text : `/${text}`
  return { names, shape: path.replaceAll(/\{[^{}]*\}/g, "{}"), text: path }
}

const nameOf = (part: Exclude<RoutePath.Part, string>): string =>
  RoutePath.isParameter(part) ? part.name : "*"

/** Braces are the syntax of templates. */
const escaped = (text: string): string => text.replaceAll("{", "%7B").replaceAll("}", "%7D")
