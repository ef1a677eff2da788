/** Sends bytes to a listener, and reads the replies. */
import type { Client } from "../Listener/Proxied/rig.ts"

/** One reply, as far as two listeners must agree about it. */
export interface Reply {
  /** The body of a success, and the code of a problem. */
  readonly content: string
  readonly status: number
}

/** What came back on a connection. */
export interface Answer {
  /** Whether the server ended the connection in time. */
  readonly isEnded: boolean
  readonly replies: ReadonlyArray<Reply>
}

/** Sends pieces on a new connection, and reads until the server ends it. */
export const send = async (
  client: Client,
  pieces: ReadonlyArray<Buffer>,
  patience: number
): Promise<Answer> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, patience, undefined)
  })
  for (const piece of pieces) {
    client.send(piece)
    await new Promise(setImmediate)
  }
  const text = await Promise.race([client.end(), late])
  clearTimeout(timer)
  client.destroy()
  return { isEnded: text !== undefined, replies: repliesOf(text ?? client.text) }
}

/** Splits what came at each status line. The handlers send none inside a body. */
const repliesOf = (text: string): Array<Reply> => {
  const replies: Array<Reply> = []
  if (text === "") return replies
  for (const part of text.split(/(?=HTTP\/1\.1 \d{3} )/)) {
    const status = Number(part.slice(9, 12))
    // Whether a client is told to send depends on how much has come already.
    if (status === 100) continue
    // What follows is not HTTP.
    if (status === 101) return [...replies, { content: "", status }]
    const body = part.slice(part.indexOf("\r\n\r\n") + 4)
    replies.push({ content: status < 300 ? body : codeOf(body), status })
  }
  return replies
}

const codeOf = (body: string): string => /"code":"(\w+)"/.exec(body)?.[1] ?? ""
