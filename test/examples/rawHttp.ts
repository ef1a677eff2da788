/** A client that sends any bytes, as no well-behaved one would. */
import * as Net from "node:net"

/** A reply as it came. */
export interface RawReply {
  readonly body: string
  readonly headers: Headers
  readonly status: number
}

/** The length of a reply at the start of the bytes; undefined while it is incomplete. */
const lengthOf = (bytes: Buffer): number | undefined => {
  const end = bytes.indexOf("\r\n\r\n")
  if (end === -1) return undefined
  const length = /^content-length: *(\d+)/im.exec(bytes.subarray(0, end).toString("latin1"))?.[1]
  const whole = end + 4 + Number(length ?? 0)
  return bytes.length >= whole ? whole : undefined
}

const parse = (bytes: Buffer): RawReply => {
  const text = bytes.toString()
  const end = text.indexOf("\r\n\r\n")
  const [line, ...fields] = text.slice(0, end).split("\r\n")
  const headers = new Headers(
    fields.map((field): [string, string] => {
      const colon = field.indexOf(":")
      return [field.slice(0, colon), field.slice(colon + 1)]
    })
  )
  return { body: text.slice(end + 4), headers, status: Number(line!.split(" ")[1]) }
}

/**
 * Sends chunks on a new connection and waits for one reply with a content
 * length. The reply may come before all is sent; what cannot be sent after it
 * is not.
 */
export const send = (url: string, chunks: Iterable<Buffer | string>): Promise<RawReply> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const socket = Net.connect({ host: hostname, port: Number(port) })
    let received = Buffer.alloc(0)
    let broken: Error | undefined
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk])
      const length = lengthOf(received)
      if (length === undefined) return
      resolve(parse(received.subarray(0, length)))
      socket.destroy()
    })
    socket.on("error", (error) => (broken = error))
    socket.on("close", () =>
      reject(broken ?? new Error(`Closed without a reply: ${JSON.stringify(String(received))}`))
    )
    for (const chunk of chunks) socket.write(chunk)
  })
