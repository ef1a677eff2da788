/**
 * What a reply or a payload costs that is not plain JSON: typed headers, text, forms, several content
 * types for one payload. Ratios are to plain JSON on the same listener.
 * Run: node bench/codecs.ts        Options: --rounds --seconds --client --quick
 */
import * as Options from "./lib/Options.ts"
import * as Paired from "./lib/Paired.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import type { Endpoint } from "./lib/Workload.ts"

const options = Options.parse({ quick: { rounds: 2, seconds: 1 }, rounds: 5, seconds: 2 })
const noise = new Report.Noise()

const numbers = Array.from({ length: 100 }, (_, i) => i + 1)

const get = (name: string): Endpoint => ({
  name,
  requests: [{ headers: {}, method: "GET", path: `/codecs/${name}` }]
})

const post = (name: string, type: string, body: (i: number) => string): Endpoint => ({
  name,
  requests: numbers.map((i) => ({
    body: body(i),
    headers: { "content-type": type },
    method: "POST",
    path: `/codecs/${name}`
  }))
})

const item = (i: number) => JSON.stringify({ name: `Engine ${i}`, price: i, tags: ["brass"] })

/** The first of each is what the others are divided by. */
const sets: Readonly<Record<string, ReadonlyArray<readonly [title: string, Endpoint]>>> = {
  payload: [
    ["JSON", post("payload", "application/json", item)],
    ["form", post("form", "application/x-www-form-urlencoded", (i) => `name=Engine&price=${i}`)],
    ["JSON of three types", post("types", "application/merge-patch+json", item)]
  ],
  reply: [
    ["JSON", get("json")],
    ["JSON, typed header", get("located")],
    ["text", get("text")]
  ]
}

const results: Record<string, ReadonlyArray<Paired.Result>> = {}
for (const listener of ["node", "proxied"]) {
  const peer = {
    arguments: ["--listener", listener],
    name: `codecs, ${listener}`,
    optional: false,
    script: "codecs",
    title: listener
  }
  const server = await Server.start(peer, { tier: "bare", until: "/codecs/json" })
  try {
    for (const [set, endpoints] of Object.entries(sets)) {
      results[`${listener}, ${set}`] = await Paired.measure(
        endpoints.map(([name, endpoint]) => ({ endpoint, name, server })),
        options,
        noise
      )
    }
  } finally {
    await server.stop()
  }
}

Paired.print("Forms of one item, ratio to plain JSON", results)
const circumstances = Report.circumstances(options, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("codecs", options)}.json`, { circumstances, results })
