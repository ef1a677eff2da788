/** The paths of routes, in the syntax of contracts and of Effect's router. */
import type * as FindMyWay from "effect/http/FindMyWay"
import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"

/**
 * How paths are compared. A path has one spelling, so that a proxy's rule for it cannot miss another
 * one: paths with another case, `//`, or a slash at the end are other paths.
 */
export const routerConfig: FindMyWay.RouterConfig = {
  caseSensitive: true,
  ignoreDuplicateSlashes: false,
  ignoreTrailingSlash: false,
  // The route table checks the length, so that the reply can name the reason.
  maxParamLength: Number.MAX_SAFE_INTEGER
}

/** A parameter of a path. */
export interface Parameter {
  /** Whether the path may end before it. */
  readonly isOptional: boolean
  readonly name: string
  /** Its regular expression, in parentheses. */
  readonly pattern: string | undefined
}

/** A part of a path: fixed text, a parameter, or `*` for the rest. */
export type Part = Parameter | string | typeof wildcard

/** The part of a path that takes everything behind it, also nothing. */
export const wildcard = Symbol("flange/RoutePath/wildcard")

/** A path in parts. */
export interface RoutePath {
  /** Why no request can have the path, and what to write instead; undefined if requests can. */
  readonly fault: string | undefined
  readonly parts: ReadonlyArray<Part>
}

/** Checks for a parameter. */
export const isParameter = (part: Part | undefined): part is Parameter => typeof part === "object"

/** Checks for a parameter before which the path may end. */
export const isOptional = (part: Part): boolean => isParameter(part) && part.isOptional

/**
 * Returns the names of the parameters that a contract declares; undefined if it does not list
 * them.
 */
export const declaredNames = (params: Schema.Top | undefined): ReadonlySet<string> | undefined => {
  const ast = params && SchemaAST.toEncoded(params.ast)
  return ast !== undefined && SchemaAST.isObjects(ast) && ast.indexSignatures.length === 0
    ? new Set(ast.propertySignatures.map(({ name }) => String(name)))
    : undefined
}

/**
 * Reads a path. `declared` holds the parameters of the contract; undefined if it does not list
 * them. A name behind `:` that is not among them is text, as in Effect's router.
 */
export const parse = (path: string, declared: ReadonlySet<string> | undefined): RoutePath => {
  if (path === "*") return parse("/*", declared)
  const parts: Array<Part> = []
  // With a list of names, a name ends where it does in the list; without one, as in the router.
  const nameAt = declared === undefined ? /:([^/.(?-]*)/y : /:(\w*)/y
  let open = false
  let text = ""
  const add = (part: Part) => {
    if (text !== "") parts.push(text)
    text = ""
    parts.push(part)
  }
  for (let at = 0; at < path.length;) {
    nameAt.lastIndex = at
    const name = path[at] === ":" && path[at + 1] !== ":" ? nameAt.exec(path)![1] : undefined
    if (name !== undefined && (name === "" || declared?.has(name) !== false)) {
      at += name.length + 1
      const end = path[at] === "(" ? closing(path, at) : at
      open ||= end === -1
      const pattern = end === at ? undefined : path.slice(at, end === -1 ? path.length : end)
      at += pattern?.length ?? 0
      const isOptional = path[at] === "?"
      if (isOptional) at++
      add({ isOptional, name, pattern })
    } else if (path[at] === "*") {
      add(wildcard)
      at++
    } else {
      text += path[at]
      at += path.startsWith("::", at) ? 2 : 1
    }
  }
  if (text !== "") parts.push(text)
  return { fault: open ? "Close the parenthesis of the pattern" : faultOf(parts), parts }
}

/** Returns the index behind the parenthesis that closes the one at `open`; -1 if none does. */
const closing = (path: string, open: number): number => {
  let depth = 0
  for (let at = open; at < path.length; at++) {
    if (path[at] === "\\") at++
    else if (path[at] === "(") depth++
    else if (path[at] === ")" && --depth === 0) return at + 1
  }
  return -1
}

/** Returns the path without the optional parameter at its end; undefined if it has none. */
export const withoutOptional = (parts: ReadonlyArray<Part>): ReadonlyArray<Part> | undefined => {
  const at = parts.findIndex(isOptional)
  if (at === -1) return undefined
  const before = parts[at - 1]
  const text = typeof before === "string" ? before.replace(/\/$/, "") : ""
  const rest = [...parts.slice(0, Math.max(0, at - 1)), text, ...parts.slice(at + 1)]
  const whole = rest.filter((part) => part !== "")
  return whole.length === 0 ? ["/"] : whole
}

/** Returns a path in the syntax of the router. */
export const toRouter = (parts: ReadonlyArray<Part>): FindMyWay.PathInput =>
  parts
    .map((part, at) => {
      if (typeof part === "string") return part.replaceAll(":", "::")
      if (part === wildcard) return "*"
      const next = parts[at + 1]
      // Only these characters and a pattern end a name.
      const isEnded = next === undefined || (typeof next === "string" && /^[/.-]/.test(next))
      return `:${part.name}${part.pattern ?? (isEnded ? "" : "(.*?)")}${part.isOptional ? "?" : ""}`
    })
    // A path without a fault starts with a slash.
    .join("") as FindMyWay.PathInput

const faultOf = (parts: ReadonlyArray<Part>): string | undefined => {
  const fixed = parts.map((part) => (typeof part === "string" ? part : "{}")).join("")
  const text = parts.filter((part) => typeof part === "string").join("")
  if (!fixed.startsWith("/")) return "Start it with /"
  if (fixed.includes("//"))
    return "Write one slash: // is another path than /, and proxies merge it"
  if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(fixed)) return "Leave out . and ..: clients resolve them"
  if (/[#;]/.test(text))
    return `Leave out ${/[#;]/.exec(text)![0]}: no request has it in fixed text`
  if (/%[0-9a-f]{2}/i.test(text)) return "Write the character itself, without percent-encoding"
  if (text.includes("?")) {
    return "Put ? behind a last parameter that is a whole segment, as in /:id?. Declare a query in the contract"
  }
  const names = parts.filter(isParameter).map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) < at)
  if (twice !== undefined) return `Use two names: it has two parameters "${twice}"`
  for (const [at, part] of parts.entries()) {
    const fault =
      part === wildcard ? wildcardFault(parts, at) : isParameter(part) && parameterFault(parts, at)
    if (fault) return fault
  }
  return undefined
}

const wildcardFault = (parts: ReadonlyArray<Part>, at: number): string | undefined => {
  if (at < parts.length - 1) return "Put * at the end, once: it takes the rest of the path"
  const before = parts[at - 1]
  return isParameter(before) || (isParameter(parts[at - 2]) && !String(before).includes("/"))
    ? "Put / between a parameter and *"
    : undefined
}

const parameterFault = (parts: ReadonlyArray<Part>, at: number): string | undefined => {
  // The caller has checked the part.
  const { isOptional, name, pattern } = parts[at] as Parameter
  const before = parts[at - 1]
  const next = parts[at + 1]
  if (name === "") return "Write a name behind the colon, as in /:id, or :: for a colon"
  if (!/^\w+$/.test(name)) {
    return `Name a parameter with letters, digits and _, not "${name}". Put /, - or . between it and what follows`
  }
  if (isParameter(next) && pattern === undefined) {
    return `Put text between :${name} and :${next.name}, as in /:${name}-:${next.name}`
  }
  const isLast = next === undefined || (next === "/" && at === parts.length - 2)
  const isSegment = typeof before === "string" && before.endsWith("/")
  if (isOptional && !(isLast && isSegment && pattern === undefined)) {
    return `Only a last parameter that is a whole segment, without a pattern, can be optional: :${name} is not`
  }
  return pattern === undefined ? undefined : patternFault(pattern, parts.slice(at + 1))
}

const patternFault = (pattern: string, rest: ReadonlyArray<Part>): string | undefined => {
  try {
    // The pattern itself is the first group.
    const groups = new RegExp(`${pattern}|`).exec("")!.length - 2
    return groups > 0 && rest.some((part) => typeof part !== "string")
      ? `Write (?:...) for a group inside of the pattern ${pattern}: the router takes it for the next parameter`
      : undefined
  } catch {
    return `Correct the regular expression ${pattern}`
  }
}
