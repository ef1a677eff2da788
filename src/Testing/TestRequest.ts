/** Creates web requests from the options of a test. */
import * as Result from "effect/Result"

/** A body that is sent as it is. */
export type RawBody =
  | Blob
  | FormData
  | ReadableStream<Uint8Array<ArrayBuffer>>
  | string
  | Uint8Array<ArrayBuffer>
  | URLSearchParams

/** The options of a request without a body. */
export interface RequestOptions {
  /** Headers; they win over those that `json` and `body` imply. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Parameters to append to the path; a list repeats the parameter. */
  readonly query?:
    | Readonly<Record<string, boolean | number | ReadonlyArray<boolean | number | string> | string>>
    | undefined
}

/** The options of a request with a body: `json` or `body`, not both. */
export interface BodyOptions extends RequestOptions {
  /** A body that is sent as it is. */
  readonly body?: RawBody | undefined
  /** A value that is sent as JSON, with content type `application/json`. */
  readonly json?: unknown
}

const bodiless = new Set(["GET", "HEAD"])

/** Returns every reason why no request can be made from the options. */
const contradictions = (
  method: string,
  path: string,
  { body, json, query }: BodyOptions
): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const bodies = [...(body === undefined ? [] : ["body"]), ...(json === undefined ? [] : ["json"])]
  if (bodies.length === 2) {
    problems.push(
      "`json` and `body` are both given: use `json` for a value, `body` for text or bytes as they are."
    )
  }
  if (bodiless.has(method) && bodies.length > 0) {
    problems.push(
      `method ${method} and \`${bodies[0]}\` do not go together: a web request with ${method} has no body.`
    )
  }
  if (!path.startsWith("/")) {
    problems.push(`the path "${path}" does not start with "/": write "/${path}".`)
  }
  if (query !== undefined && path.includes("?")) {
    problems.push(
      `\`query\` and the path "${path}" both have a query: put all parameters in one of them.`
    )
  }
  return problems
}

/** Creates the request, or returns every reason why it cannot be made. */
export const make = (
  url: string,
  method: string,
  path: string,
  options: BodyOptions
): Result.Result<Request, ReadonlyArray<string>> => {
  const problems = contradictions(method, path, options)
  if (problems.length > 0) return Result.fail(problems)
  const { body, json, query } = options
  const headers = new Headers(json === undefined ? {} : { "content-type": "application/json" })
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value)
  return Result.succeed(
    new Request(url + path + search(query ?? {}), {
      body: json === undefined ? (body ?? null) : JSON.stringify(json),
      duplex: "half",
      headers,
      method,
      redirect: "manual"
    })
  )
}

const search = (query: NonNullable<RequestOptions["query"]>): string => {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) parameters.append(name, String(each))
  }
  return parameters.size === 0 ? "" : `?${parameters}`
}
