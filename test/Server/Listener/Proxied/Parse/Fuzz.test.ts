// Give it more time with FUZZ_SECONDS=600; repeat a failure with FUZZ_SEED=<the seed it prints>.
import * as Http from "node:http"
import { assert, describe, it } from "vitest"
import { bytesOf, cases } from "./cases.ts"
import { mutate, pieces } from "./mutate.ts"
import { nodeVerdict } from "./nodeVerdict.ts"
import { stricter } from "./stricter.ts"
import { byByte, generator, read, split } from "./verdict.ts"

const known: ReadonlySet<string> = new Set(Http.METHODS)
const seeds = cases.map(([, text]) => bytesOf(text)).filter(({ length }) => length < 600)

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
        const bytes = mutate(seeds, pieces, random)
        const found = await difference(bytes, random)
        assert.isUndefined(found, `FUZZ_SEED=${seed} ${JSON.stringify(bytes.toString("latin1"))}`)
      }
      if (seconds > 0) process.stdout.write(`${tried} mutations from seed ${base}\n`)
    },
    600_000 + Number(process.env["FUZZ_SECONDS"] ?? 0) * 1000
  )
})
