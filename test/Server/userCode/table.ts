/** What every request of the table is checked for. */
import * as Cause from "effect/Cause"
import { assert } from "vitest"
import { failure, type Way } from "./misbehave.ts"
import { type Reply, type Server, until } from "./server.ts"
import type { Subject } from "./subject.ts"

let sent = 0

/** An id that no other request has. */
export const nextId = (): string => `r-${++sent}-`

/** Whether a cause has what the function failed with. */
const has = (cause: Cause.Cause<unknown>, way: Way): boolean => {
  const defects = cause.reasons.flatMap((reason) => (reason._tag === "Die" ? [reason.defect] : []))
  switch (way) {
    case "dies of undefined":
    case "throws undefined":
      return defects.includes(undefined)
    // What Effect or the reading of the value fails with is logged instead.
    case "returns no effect":
    case "throws what cannot be read":
      return cause.reasons.length > 0
    default:
      return defects.includes(failure) || Cause.pretty(cause).includes(failure.message)
  }
}

/** The log has the failure of a request, as it was logged and as a line of JSON. */
export const isLogged = async ({ failures, lines }: Server, id: string, way: Way) => {
  await until(`The line of the log for ${id}`, () =>
    failures.some(({ cause, requestId }) => requestId === id && has(cause, way))
  )
  assert.isTrue(
    lines.some((line) => line.includes('"level":"error"') && line.includes(`"${id}"`)),
    "the line in JSON"
  )
}

/** The reply is the one of a function that does what it should. */
export const isWell = ({ body, status }: Subject, reply: Reply) => {
  assert.strictEqual(reply.status, status, reply.body)
  assert.include(reply.body, body)
  assert.isFalse(reply.cut)
}

/** The reply is a problem that has nothing of the inside. */
export const isProblem = (reply: Reply, status: number, code: string, id: string) => {
  assert.strictEqual(reply.status, status, reply.body)
  assert.strictEqual(reply.headers.get("content-type"), "application/problem+json")
  const problem = JSON.parse(reply.body)
  assert.deepStrictEqual([problem.code, problem.correlationId], [code, id])
  assert.notInclude(reply.body, failure.message)
}

/** Sends the request of a row; each observer is told of it once. */
export const ask = async (
  server: Server,
  { init, path }: Subject
): Promise<readonly [Reply, string]> => {
  const id = nextId()
  const reply = await server.send(id, path, init)
  await until(`What observers are told of ${id}`, () =>
    server.told(id).every(({ length }) => length > 0)
  )
  // A client that got no head does not know the status that was to be in it.
  const status = reply.status === 0 ? server.told(id)[0]![0]! : reply.status
  assert.deepStrictEqual(server.told(id), [[status], [status]], "observers")
  return [reply, id]
}
