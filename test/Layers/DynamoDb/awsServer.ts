// The wire of DynamoDB as a stub: JSON 1.0 by POST, the operation in a header.
import { createServer } from "node:http"
import { text } from "node:stream/consumers"
import * as Effect from "effect/Effect"
import { listening } from "./backends.ts"

/** A request as it was sent. */
export interface Sent {
  readonly authorization: string
  readonly body: Readonly<Record<string, unknown>>
  readonly operation: string
}

/** What the server answers: 400 with an error of `__type`, 200 otherwise; undefined for never. */
export type Reply = (sent: Sent) => object | undefined

/** Starts a stub. */
export const awsServer = (reply: Reply) =>
  Effect.gen(function* () {
    const sent: Array<Sent> = []
    const closed: Array<string> = []
    const server = createServer((request, response) => {
      void (async () => {
        const body = JSON.parse(await text(request)) as Sent["body"]
        const operation = String(request.headers["x-amz-target"]).split(".")[1]!
        const each = { authorization: request.headers.authorization ?? "", body, operation }
        sent.push(each)
        response.on("close", () => {
          if (!response.writableFinished) closed.push(operation)
        })
        const answer = reply(each)
        if (answer === undefined) return
        const status = "status" in answer ? Number(answer.status) : "__type" in answer ? 400 : 200
        response.writeHead(status, { "content-type": "application/x-amz-json-1.0" })
        response.end(JSON.stringify(answer))
      })()
    })
    const endpoint = yield* listening(server)
    /** `closed` has the operations whose connection was closed before the answer. */
    return { closed, endpoint, sent }
  })
