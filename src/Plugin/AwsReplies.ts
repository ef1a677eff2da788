/** Bounds the replies of AWS services, which the SDK reads into memory. */
import { Readable } from "node:stream"
import { hasProperty } from "effect/Predicate"

/** The longest reply in bytes. DynamoDB sends 16 MiB of items at most, which are longer in its JSON. */
const limit = 32 * 2 ** 20

/** What a middleware of the SDK knows of a request. */
interface Context {
  readonly commandName?: string | undefined
}

const tooLong = () => new Error(`the server sent a reply of more than ${limit} bytes`)

async function* counted(body: Readable): AsyncGenerator<Buffer> {
  let length = 0
  for await (const piece of body as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > limit) throw tooLong()
    yield piece
  }
}

const isFailure = (response: object): boolean =>
  hasProperty(response, "statusCode") && Number(response.statusCode) >= 300

/** Whether the parser of the connection enforces a length that is short enough. */
const isShort = (response: object): boolean =>
  hasProperty(response, "headers") &&
  hasProperty(response.headers, "content-length") &&
  Number(response.headers["content-length"]) <= limit

/** Returns the middleware for the step `deserialize`. The content of a command that is `streamed` has no limit. */
export const bounded =
  (streamed: string | undefined) =>
  <Args, Result extends { readonly response: unknown }>(
    next: (args: Args) => Promise<Result>,
    { commandName }: Context
  ) =>
  async (args: Args): Promise<Result> => {
    const result = await next(args)
    const { response } = result
    if (!hasProperty(response, "body") || !(response.body instanceof Readable)) return result
    const isStreamed = commandName === streamed && !isFailure(response)
    if (!isStreamed && !isShort(response)) {
      response.body = Readable.from(counted(response.body), { objectMode: false })
    }
    return result
  }

/** Where the middleware is: next to the connection. */
export const place = { name: "flangeBounded", priority: "low", step: "deserialize" } as const
