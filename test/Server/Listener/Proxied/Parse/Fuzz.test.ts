// Give it more time with FUZZ_SECONDS=600; repeat a failure with FUZZ_SEED=<the seed it prints>.
import * as Http from "node:http"
import { assert, describe, it } from "vitest"
import type { Name } from "../../../../../src/Server/Listener/Refusal.ts"
import { bytesOf, cases } from "./cases.ts"
import { nodeVerdict } from "./nodeVerdict.ts"
import { byByte, generator, read, split } from "./verdict.ts"

/** What this listener refuses and `node:http` reads, with the reason. */
const stricter: Partial<Record<Name, string>> = {
  AbsoluteTargetAndHost: "two names for one host: a proxy and a server may each believe another",
  ChunkExtension: "node takes an extension with = and no value, which the grammar has not",
  ChunkExtensionsTooLong: "the limit is counted per body without gaps",
  ChunkSize: "node takes any number of zeros before a size, and sizes that no number holds",
  Connection: "a broken list may be read in several ways",
  ContentLength: "node takes any number of zeros before a length, and lengths that no number holds",
  Expect: "node looks for 100-continue anywhere in the field",
  FieldsTooLarge: "there is a limit for each line, not only for all",
  HostInvalid: "node does not look at what Host says",
  HostMissing: "node's server looks for it, its parser, which is compared here, does not",
  Method: "node skips empty lines before a request",
  RepeatedField: "node takes the first of them, and others the last",
  RequestLineTooLong: "there is a limit for each line, not only for all",
  Target: "node takes characters that no URL has, and * and URLs for any method",
  TooManyFields: "node drops what is too much without a word",
  TransferCoding: "node gives the handler a body that is still compressed",
  TransferEncoding: "an empty element, or white space at the end, may hide the field",
  TransferEncodingOn10: "a proxy of that age does not know the field and sees another body",
  Version: "node reads a request line with several spaces or without version",
  VersionUnknown: "node answers HTTP/0.9 and HTTP/2.0 as if they were HTTP/1.1"
}

const known: ReadonlySet<string> = new Set(Http.METHODS)
const seeds = cases.map(([, text]) => bytesOf(text)).filter(({ length }) => length < 600)
const pieces = [
  "\r\n",
  "\n",
  "\r",
  " ",
  "\t",
  "\0",
  ":",
  ",",
  ";",
  "0",
  "1",
  "a",
  "\x7f",
  "\x80",
  "\xff",
  "GET / HTTP/1.1\r\n",
  "HTTP/1.0\r\n",
  "Host: a\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 0\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip\r\n",
  "Connection: close\r\n",
  "Connection: keep-alive\r\n",
  "Expect: 100-continue\r\n",
  "0\r\n\r\n",
  "5\r\nhello\r\n",
  "\r\n\r\n",
  " chunked",
  "http://a"
].map((text) => Buffer.from(text, "latin1"))

const mutate = (random: () => number): Buffer => {
  const below = (n: number) => Math.floor(random() * n)
  let bytes = Buffer.from(seeds[below(seeds.length)]!)
  for (let i = below(4); i >= 0; i--) {
    const at = below(bytes.length + 1)
    const end = Math.min(bytes.length, at + below(12))
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
    switch (below(7)) {
      case 0:
        if (at < bytes.length) bytes[at] = below(256)
        break
      case 1:
        if (at < bytes.length) bytes[at] = bytes[at]! ^ 0x20
        break
      case 2:
        bytes = Buffer.concat([before, bytes.subarray(end)])
        break
      case 3:
        bytes = Buffer.concat([before, bytes.subarray(at, end), after])
        break
      case 4:
        bytes = Buffer.concat([before, pieces[below(pieces.length)]!, after])
        break
      case 5: {
        const other = seeds[below(seeds.length)]!
        bytes = Buffer.concat([before, other.subarray(below(other.length))])
        break
      }
      case 6:
        bytes = Buffer.concat([bytes, seeds[below(seeds.length)]!])
    }
  }
  return bytes
}

/** What is wrong with how the listener reads the bytes; undefined where nothing is. */
const difference = async (bytes: Buffer, random: () => number): Promise<string | undefined> => {
  const whole = read([bytes])
  const byteWise = bytes.length < 1000 ? byByte(bytes) : split(bytes, random)
  for (const cut of [byteWise, split(bytes, random), split(bytes, random)]) {
    const again = read(cut)
    if (JSON.stringify(again) !== JSON.stringify(whole)) {
      return `cut in ${cut.map(({ length }) => length).join()}: ${JSON.stringify([whole, again])}`
    }
  }
  const last = whole.requests.findIndex(({ keepAlive }) => !keepAlive)
  const requests = last === -1 ? whole.requests : whole.requests.slice(0, last + 1)
  const refusal = last === -1 ? /^\d+ (\w+)$/.exec(whole.end)?.[1] : undefined
  const node = await nodeVerdict(bytes)
  // There node's parser waits for HTTP/2 and forgets the request before it.
  if (node.refused === undefined && bytes.includes("PRI *")) return undefined
  for (const [i, { body, method, rawHeaders, target }] of requests.entries()) {
    const other = node.requests[i]
    if (other === undefined) {
      // Any token is a method; which of them a route takes is the app's to say. PRI is known to
      // node only in the preface of HTTP/2.
      const isUnknown = method === "PRI" || !known.has(method)
      if (isUnknown && /^HPE_INVALID_(?:METHOD|VERSION)$/.test(node.refused ?? "")) return undefined
      // Node obeys Connection: close in trailers, which here are dropped.
      const previous = requests[i - 1]?.rawHeaders.join().toLowerCase()
      if (node.refused === "HPE_CLOSED_CONNECTION" && previous?.includes("chunked") === true) {
        return undefined
      }
      return `node refused request ${i}: ${node.refused}`
    }
    const origin = /^https?:\/\/[^/?]*(.*)$/i.exec(other.target)?.[1]
    const otherTarget =
      origin === undefined
        ? other.target
        : origin === "" && method === "OPTIONS"
          ? "*"
          : origin.startsWith("/")
            ? origin
            : `/${origin}`
    const ours = JSON.stringify({ body, method, rawHeaders, target })
    const theirs = JSON.stringify({
      body: other.body,
      method: other.method,
      rawHeaders: other.rawHeaders,
      target: otherTarget
    })
    if (ours !== theirs) return `request ${i} is ${ours}, for node ${theirs}`
  }
  if (refusal === undefined) {
    if (node.requests.length > requests.length) return "node read more requests"
    if (node.refused !== undefined && last === -1 && whole.end === "clean") {
      return `node refused: ${node.refused}`
    }
    return undefined
  }
  const agreed = node.refused !== undefined && node.requests.length === requests.length
  return agreed || refusal in stricter
    ? undefined
    : `refused with ${whole.end}; node read ${node.requests.length} requests: ${node.refused}`
}

describe("the parser against node:http", () => {
  it("agrees on every case of the table, or is stricter for a reason that is written down", async () => {
    for (const [name, text] of cases) {
      assert.isUndefined(await difference(bytesOf(text), generator(1)), name)
    }
  })

  it(
    "agrees on mutations of them",
    async () => {
      const seconds = Number(process.env["FUZZ_SECONDS"] ?? 0)
      const base = Number(process.env["FUZZ_SEED"] ?? (seconds > 0 ? Date.now() % 2 ** 31 : 1))
      const end = performance.now() + seconds * 1000
      let tried = 0
      for (let seed = base; tried < 4000 || performance.now() < end; seed++, tried++) {
        const random = generator(seed)
        const bytes = mutate(random)
        const found = await difference(bytes, random)
        assert.isUndefined(found, `FUZZ_SEED=${seed} ${JSON.stringify(bytes.toString("latin1"))}`)
      }
      if (seconds > 0) process.stdout.write(`${tried} mutations from seed ${base}\n`)
    },
    60_000 + Number(process.env["FUZZ_SECONDS"] ?? 0) * 1000
  )
})
