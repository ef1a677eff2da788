/** The problems of a request that cannot be read: the errors that list them, and their pointers. */
import * as SchemaIssue from "effect/SchemaIssue"
import {
  type Issue,
  MalformedRequest,
  PayloadTooLarge,
  ValidationFailed
} from "../../Contract/Catalogue.ts"

/** Creates the 400 for a part of a request that cannot be read. */
export const malformed = (location: Issue["location"], detail: string, pointer = "") =>
  new MalformedRequest({ errors: [{ detail, location, pointer }] })

/** Creates the 400 for a body that cannot be read. */
export const malformedBody = (detail: string, pointer?: string) =>
  malformed("body", detail, pointer)

/** Creates the 413 for a body that exceeds a limit other than that of its length. */
export const tooLarge = (detail: string, limit: number): PayloadTooLarge =>
  // An error that is given its detail keeps it.
  new PayloadTooLarge({ detail, limit } as { limit: number })

/** Creates the 400 for a body that `JSON.parse` refused with `error`. */
export const notJson = (error: unknown): MalformedRequest => {
  // The engine's message ends with a quotation of the input, which may be long.
  const message = String((error as Error).message).split(', "', 1)[0]!
  const reason = /^.*? at position \d+/s.exec(message)?.[0] ?? message
  return malformedBody(`Not JSON: ${reason}`)
}

const locations = { Headers: "header", Params: "path", Payload: "body", Query: "query" } as const

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** Returns the issues of one part of a request. */
export const fromSchema = (kind: keyof typeof locations, issue: SchemaIssue.Issue): Array<Issue> =>
  format(issue).issues.map(({ message, path }) => ({
    detail: message,
    location: locations[kind],
    pointer: (path ?? []).map(pointerSegment).join("")
  }))

/** The most issues that a reply lists. */
const maxIssues = 100

/** Returns the last issue of a list that is not complete. */
export const more = (location: Issue["location"]): Issue => ({
  detail: "There may be more problems, which are not listed",
  location,
  pointer: ""
})

/** Creates the 400 for a request with issues. Lists the first 100. */
export const invalid = (issues: ReadonlyArray<Issue>): ValidationFailed => {
  if (issues.length <= maxIssues) return new ValidationFailed({ errors: issues })
  return new ValidationFailed({
    // An error that is given its detail keeps it.
    detail: `The request has ${maxIssues} problems or more`,
    errors: [...issues.slice(0, maxIssues), more(issues[maxIssues]!.location)]
  } as { errors: Array<Issue> })
}

/** Returns one segment of a JSON pointer, with its slash. Source: RFC 6901, section 3. */
export const pointerSegment = (segment: PropertyKey | { readonly key: PropertyKey }): string => {
  const key = typeof segment === "object" ? segment.key : segment
  return `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`
}

/** Returns the segments of a JSON pointer. */
export const segments = (pointer: string): ReadonlyArray<string> =>
  pointer
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"))
