// What an editor shows at a place of a program: hovers of the language server of the compiler.
import { spawn } from "node:child_process"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

const root = join(import.meta.dirname, "../../..")

interface Message {
  readonly id?: number
  readonly method?: string
  readonly result?: { readonly contents?: { readonly value?: string } } | null
}

/** Returns the hover at each `^` of a program; the mark stands before a name and is left out. */
export const hovers = async (marked: string): Promise<ReadonlyArray<string>> => {
  const text = marked.replaceAll("^", "")
  const positions = marked.split("\n").flatMap((line, number) =>
    [...line.matchAll(/\^/g)].map(({ index }, before) => ({
      character: index - before,
      line: number
    }))
  )
  const tsc = join(root, "node_modules/typescript/bin/tsc")
  const server = spawn(process.execPath, [tsc, "--lsp", "--stdio"], { cwd: root })
  const uri = pathToFileURL(join(root, "test/types/hovered.ts")).href
  const send = (message: object) => {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message })
    server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
  const waiting = new Map<number, (message: Message) => void>()
  let ids = 0
  const ask = (method: string, params: object) =>
    new Promise<Message>((resolve) => {
      waiting.set(++ids, resolve)
      send({ id: ids, method, params })
    })
  let received = Buffer.alloc(0)
  server.stdout.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    for (;;) {
      const head = /Content-Length: (\d+)\r\n\r\n/.exec(received.toString("latin1"))
      if (head === null) return
      const start = head.index + head[0].length
      const end = start + Number(head[1])
      if (received.length < end) return
      const message: Message = JSON.parse(received.subarray(start, end).toString("utf8"))
      received = received.subarray(end)
      if (message.method === undefined) waiting.get(message.id ?? 0)?.(message)
      // The server asks its client; it needs no answer to hover.
      else if (message.id !== undefined) send({ id: message.id, result: null })
    }
  })
  try {
    await ask("initialize", {
      capabilities: { textDocument: { hover: { contentFormat: ["markdown"] } } },
      processId: null,
      rootUri: pathToFileURL(root).href
    })
    send({ method: "initialized", params: {} })
    send({
      method: "textDocument/didOpen",
      params: { textDocument: { languageId: "typescript", text, uri, version: 1 } }
    })
    const found: Array<string> = []
    for (const position of positions) {
      const { result } = await ask("textDocument/hover", { position, textDocument: { uri } })
      found.push(result?.contents?.value ?? "")
    }
    return found
  } finally {
    server.kill()
  }
}
