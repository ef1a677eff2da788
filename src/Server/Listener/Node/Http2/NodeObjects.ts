/** Node's request and reply objects of an HTTP/2 stream, for Effect's own server. */
import type * as Http2 from "node:http2"
import * as Semantics from "../../../Exchange/Semantics.ts"
import type { Head } from "./Head.ts"
import * as Pieces from "./Pieces.ts"

/** Creates the classes: they extend those of `node:http2`, which is loaded only if it is used. */
const classes = (http2: typeof Http2) => {
  class OpenedRequest extends http2.Http2ServerRequest {
    #onRead: (() => void) | undefined

    constructor(stream: Http2.ServerHttp2Stream, head: Head, onRead: () => void) {
      // A field may have the name of a member of all objects.
      const joined: Record<string, string> = Object.create(null)
      for (const [name, value] of head.entries()) {
        joined[name] = Semantics.joined(name, joined[name], value)
      }
      super(
        stream,
        {
          ...joined,
          ":authority": head.authority!,
          ":method": head.method,
          ":path": head.target!,
          ":scheme": head.scheme!
        },
        {},
        [...head.entries()].flat()
      )
      this.#onRead = onRead
      // An empty body ends without a reader, and the stream does not tell it again.
      if (stream.readableEnded) this.push(null)
    }

    override _read(size: number): void {
      this.#onRead?.()
      this.#onRead = undefined
      super._read(size)
    }
  }

  class OpenedReply extends http2.Http2ServerResponse {
    // The parameters are those of the overridden method, which has overloads.
    override write(chunk: string | Uint8Array, ...rest: ReadonlyArray<unknown>): boolean {
      if (!Pieces.isLong(chunk) || !this.headersSent || this.stream.destroyed) {
        return super.write(chunk, ...(rest as []))
      }
      return Pieces.write(this.stream, chunk)
    }
  }

  return { OpenedReply, OpenedRequest }
}

let made: ReturnType<typeof classes> | undefined

/** Creates the objects of a stream. `onRead` is called when the body is first read. */
export const make = (
  stream: Http2.ServerHttp2Stream,
  head: Head,
  onRead: () => void
): { readonly reply: Http2.Http2ServerResponse; readonly request: Http2.Http2ServerRequest } => {
  made ??= classes(process.getBuiltinModule("node:http2"))
  const request = new made.OpenedRequest(stream, head, onRead)
  return { reply: new made.OpenedReply(stream), request }
}
