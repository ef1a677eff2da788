/** Paths of the router as path templates of OpenAPI. */

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
 *
 * `declared` holds the parameters of the contract; undefined if it does not list them.
 * A name behind `:` that is not among them is text, as in Effect's router.
 */
export const fromRouter = (
  path: string,
  declared: ReadonlySet<string> | undefined
): ReadonlyArray<PathTemplate> => {
  const names: Array<string> = []
  let text = ""
  let without: string | undefined
  for (let at = 0; at < path.length;) {
    const [whole, name] = /^(?:::|:(\w+)|[^:*]+|[^])/.exec(path.slice(at))!
    at += whole.length
    const parameter = whole === "*" ? "*" : name
    if (parameter === undefined) {
      text += whole === "::" ? ":" : escaped(whole)
    } else if (whole !== "*" && declared?.has(parameter) === false) {
      text += whole
    } else {
      if (path[at] === "(") at = closing(path, at) + 1
      if (path[at] === "?") {
        at += 1
        without = text.replace(/\/$/, "") + path.slice(at)
      }
      names.push(parameter)
      text += `{${parameter}}`
    }
  }
  const all = [template(text, names)]
  if (without !== undefined) all.push(template(without, names.slice(0, -1)))
  return all
}

const template = (text: string, names: ReadonlyArray<string>): PathTemplate => {
  const path = text.startsWith("/") ? text : `/${text}`
  return { names, shape: path.replaceAll(/\{[^{}]*\}/g, "{}"), text: path }
}

/** Braces are the syntax of templates. */
const escaped = (text: string): string => text.replaceAll("{", "%7B").replaceAll("}", "%7D")

/** Returns the place of the parenthesis that closes the one at `open`. */
const closing = (path: string, open: number): number => {
  let depth = 0
  for (let at = open; at < path.length; at++) {
    if (path[at] === "\\") at++
    else if (path[at] === "(") depth++
    else if (path[at] === ")" && --depth === 0) return at
  }
  return path.length
}
