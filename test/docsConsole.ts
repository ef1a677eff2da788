// Takes the `console` fences out of Markdown: `$ curl ...` with the reply below it, so that a test
// can send the request and compare. Ids and times differ from run to run and are blanked.

/** A request that a document shows, with the reply it promises. */
export interface Exchange {
  readonly command: string
  readonly init: { body?: FormData | string; headers: Record<string, string>; method: string }
  /** Whether the reply begins with its status and headers, of which the document shows some. */
  readonly isWhole: boolean
  readonly reply: string
  readonly url: string
}

/** Adds a part of a form: `name=value`, or `name=content;filename=name;type=type` for a file. */
const append = (form: FormData, part: string): void => {
  const [, name, value, ...options] = /^([^=]+)=([^;]*)(?:;filename=([^;]+))?(?:;type=(.+))?$/.exec(
    part
  )!
  const [filename, type = "application/octet-stream"] = options
  if (filename === undefined) form.append(name!, value!)
  else form.append(name!, new Blob([value!], { type }), filename)
}

/** The words of a shell command: quotes keep them together. */
const words = (command: string): ReadonlyArray<string> =>
  [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? "")

const parse = (command: string, reply: string): Exchange => {
  const [program, ...rest] = words(command)
  if (program !== "curl") throw new Error(`Not a curl command: ${command}`)
  const init: Exchange["init"] = { headers: {}, method: "GET" }
  let isWhole = false
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
    } else if (word === "-F") {
      init.body ??= new FormData()
      append(init.body as FormData, rest[++i]!)
      init.method = "POST"
    } else if (word === "-i") isWhole = true
    else if (word === "-N") {
      // Shows a stream as it arrives.
    } else if (word.startsWith("-")) throw new Error(`Unknown option ${word}: ${command}`)
    else url = word
  }
  if (url === undefined) throw new Error(`No URL: ${command}`)
  return { command, init, isWhole, reply, url }
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

/** Sends what the document shows to another host. */
const sent = ({ init, url }: Exchange, host: string): Promise<Response> =>
  fetch(url.replace("http://localhost:8080", host), init)

/** Sends what the document shows to another host, and gives the body of the reply. */
export const send = async (exchange: Exchange, host: string): Promise<string> =>
  (await (await sent(exchange, host)).text()).trim()

/** Sends what the document shows. Returns both if the reply is not what it shows. */
export const mismatchOf = async (
  exchange: Exchange,
  host: string
): Promise<{ readonly received: string; readonly shown: string } | undefined> => {
  const response = await sent(exchange, host)
  const [head, body = ""] = exchange.isWhole
    ? exchange.reply.split(/\n\n|$/, 2)
    : ["", exchange.reply]
  const [status, ...fields] = head === "" ? [] : head!.split("\n")
  const line = (field: string) => {
    const name = field.slice(0, field.indexOf(":"))
    return `${name}: ${response.headers.get(name)}`
  }
  const received = [
    ...(status === undefined ? [] : [`HTTP/1.1 ${response.status} ${response.statusText}`]),
    ...fields.map(line),
    (await response.text()).trim()
  ].join("\n")
  const shown = [...(status === undefined ? [] : [status]), ...fields, body.trim()].join("\n")
  return blanked(received) === blanked(shown) ? undefined : { received, shown }
}
