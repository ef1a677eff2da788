/** Finds the reply to a request, or says which recorded requests are near. */
import * as Data from "effect/Data"
import type { Redaction } from "../../../Server/Exchange/Redaction.ts"
import { redactAsked } from "./Cassette.ts"
import type { Asked, Exchange, Reply } from "./Exchange.ts"

/** How many near requests a message lists. */
const most = 3

const line = ({ body, bodyBase64, method, url }: Asked): string => {
  const shown = body ?? bodyBase64
  if (shown === undefined) return `${method} ${url}`
  const cut = shown.length > 200 ? `${shown.slice(0, 200)}...` : shown
  return `${method} ${url} with the ${body === undefined ? "body in base64" : "body"} ${cut}`
}

/** A test sent a request to which its double has no reply. It is a defect, so that no fallback hides it. */
export class UnmatchedRequest extends Data.TaggedError("UnmatchedRequest")<{
  /** The recorded requests that are most like it, without secrets. */
  readonly nearest: ReadonlyArray<Asked>
  readonly request: Asked
}> {
  override get message(): string {
    const { nearest, request } = this
    return [
      `The test has no reply to ${line(request)}.`,
      nearest.length === 0 ? "It has no replies." : "The nearest requests with a reply are:",
      ...nearest.map((each) => `  - ${line(each)}`),
      "Add the reply to `replies`, or record the cassette again with `record: true`."
    ].join("\n")
  }
}

const commonPrefix = (left: string, right: string): number => {
  let length = 0
  while (length < left.length && left[length] === right[length]) length++
  return length
}

/** How much two requests are alike: the URL counts most, then the method. */
const likeness = (left: Asked, right: Asked): number =>
  commonPrefix(left.url, right.url) * 2 +
  (left.url === right.url ? 1000 : 0) +
  (left.method === right.method ? 20 : 0)

/** Returns the members of a JSON body in one order; another text as it is. */
const canonical = (body: string | undefined): string => {
  if (body === undefined) return ""
  try {
    return JSON.stringify(JSON.parse(body), (_, value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : value
    )
  } catch {
    return body
  }
}

const keyOf = ({ body, bodyBase64, method, url }: Asked): string =>
  bodyBase64 === undefined
    ? `${method} ${url}\n${canonical(body)}`
    : `${method} ${url}\nbase64\n${bodyBase64}`

/** The replies of a test double. */
export class Replies {
  readonly #asked: ReadonlyArray<Asked>
  readonly #redaction: Redaction
  readonly #replies = new Map<string, Array<Reply>>()

  constructor(exchanges: ReadonlyArray<Exchange>, redaction: Redaction) {
    this.#asked = exchanges.map(({ request }) => redactAsked(request, redaction))
    this.#redaction = redaction
    for (const [index, { response }] of exchanges.entries()) {
      const key = keyOf(this.#asked[index]!)
      const known = this.#replies.get(key)
      if (known === undefined) this.#replies.set(key, [response])
      else known.push(response)
    }
  }

  /** Returns the next reply to a request. The last one is given again and again. */
  next(request: Asked): Reply | UnmatchedRequest {
    const asked = redactAsked(request, this.#redaction)
    const replies = this.#replies.get(keyOf(asked))
    if (replies !== undefined) return replies.length > 1 ? replies.shift()! : replies[0]!
    const nearest = this.#asked
      .toSorted((a, b) => likeness(asked, b) - likeness(asked, a))
      .slice(0, most)
    return new UnmatchedRequest({ nearest, request: asked })
  }
}
