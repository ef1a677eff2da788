// Takes the `console` fences out of Markdown: `$ curl ...` with the reply below it, so that a test
// can send the request and compare. Ids and times differ from run to run and are blanked.

/** A request that a document shows, with the reply it promises. */
export interface Exchange {
  readonly command: string
  readonly init: { body?: string; headers: Record<string, string>; method: string }
  readonly reply: string
  readonly url: string
}

/** The words of a shell command: quotes keep them together. */
const words = (command: string): ReadonlyArray<string> =>
  [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? "")

const parse = (command: string, reply: string): Exchange => {
  const [program, ...rest] = words(command)
  if (program !== "curl") throw new Error(`Not a curl command: ${command}`)
  const init: Exchange["init"] = { headers: {}, method: "GET" }
  let url: string | undefined
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i]!
    if (word === "-X") init.method = rest[++i]!
    else if (word === "-H") {
      const [name, ...value] = rest[++i]!.split(":")
      init.headers[name!] = value.join(":").trim()
    } else if (word === "-d") {
      init.body = rest[++i]!
      if (init.method === "GET") init.method = "POST"
    } else if (word.startsWith("-")) throw new Error(`Unknown option ${word}: ${command}`)
    else url = word
  }
  if (url === undefined) throw new Error(`No URL: ${command}`)
  return { command, init, reply, url }
}

/** The exchanges of a document, in order. */
export const exchangesOf = (markdown: string): ReadonlyArray<Exchange> =>
  [...markdown.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, fence]) =>
    fence!
      .split(/^\$ /m)
      .slice(1)
      .map((entry) => {
        const end = entry.indexOf("\n")
        return parse(entry.slice(0, end), entry.slice(end + 1).trim())
      })
  )

/** The text without what differs from run to run. */
export const blanked = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<id>")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "<time>")

/** Sends what the document shows to another host, and gives the reply. */
export const send = async ({ init, url }: Exchange, host: string): Promise<string> => {
  const reply = await fetch(url.replace("http://localhost:8080", host), init)
  return (await reply.text()).trim()
}
