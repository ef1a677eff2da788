/** A function of an app, as a row of the table. */
import type { Way } from "./misbehave.ts"

/** A function of an app that runs while a request is served. */
export interface Subject {
  /** The reply if the function does what it should. */
  readonly body: string
  readonly init?: RequestInit | undefined
  readonly name: string
  readonly path: string
  /**
   * What the request comes to if the function misbehaves: `failed` is a reply with
   * 500, `told` is the same reply as without, with an error in the log.
   */
  readonly result: "failed" | "told"
  readonly status: number
  /**
   * How the request ends if the function never does and the app stops: with 503,
   * as it would have without (`answered`), or in any way (`ended`), if nothing can
   * interrupt the function.
   */
  readonly stopped: "answered" | "ended" | "unavailable"
  readonly ways: ReadonlyArray<Way>
}

/** Makes a row; what is not named is that of a GET that is answered with the JSON text `well`. */
export const subject = (
  name: string,
  path: string,
  ways: ReadonlyArray<Way>,
  rest: Partial<Subject> = {}
): Subject => ({
  body: '"well"',
  name,
  path,
  result: "failed",
  status: 200,
  stopped: "unavailable",
  ways,
  ...rest
})

/** A POST with a JSON body. */
export const posts = (body: unknown): RequestInit => ({
  body: JSON.stringify(body),
  headers: { "content-type": "application/json" },
  method: "POST"
})
