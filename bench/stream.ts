// Peak memory of an endpoint that streams 1 000, 100 000 and 1 000 000 rows to a slow reader, on
// every database. The memory is flat if it does not grow with the rows.
// Run: node bench/stream.ts        Options: --quick (no million)
// The servers are those of TEST_POSTGRES_URL and TEST_MYSQL_URL, or on 127.0.0.1.
import { once } from "node:events"
import { get, type IncomingMessage } from "node:http"
import { setTimeout } from "node:timers/promises"
import { parseArgs } from "node:util"
import * as Server from "./lib/Server.ts"
import { table } from "./lib/Table.ts"

const { values } = parseArgs({ options: { quick: { default: false, type: "boolean" } } })

const databases = {
  MariaDB: process.env["TEST_MYSQL_URL"] ?? "mysql://root@127.0.0.1:3306/test",
  PGlite: "pglite://memory",
  PostgreSQL: process.env["TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/test"
}
const sizes = values.quick ? [1000, 100_000] : [1000, 100_000, 1_000_000]

/** Reads the lines of a reply, with a pause after each megabyte. Returns their number. */
const read = async (port: number): Promise<number> => {
  const [response] = (await once(get({ host: "127.0.0.1", path: "/rows", port }), "response")) as [
    IncomingMessage
  ]
  let lines = 0
  let unpaused = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    for (const byte of chunk) if (byte === 10) lines++
    unpaused += chunk.length
    if (unpaused < 2 ** 20) continue
    unpaused = 0
    await setTimeout(50)
  }
  return lines
}

const lines: Array<ReadonlyArray<string>> = []
for (const [title, url] of Object.entries(databases)) {
  for (const rows of sizes) {
    const server = await Server.start(
      { arguments: [], name: title, optional: false, script: "stream", title },
      {
        environment: { DATABASE_URL: url, FLANGE_ENV: "production", ROWS: String(rows) },
        tier: "bare",
        until: "/memory"
      }
    )
    try {
      const start = performance.now()
      const received = await read(server.port)
      if (received !== rows) throw new Error(`${title}: ${received} of ${rows} rows`)
      const seconds = (performance.now() - start) / 1000
      const reply = await fetch(`http://127.0.0.1:${server.port}/memory`)
      const { heap, resident } = (await reply.json()) as Readonly<Record<string, number>>
      lines.push([
        title,
        String(rows),
        resident!.toFixed(0),
        heap!.toFixed(0),
        seconds.toFixed(1),
        server.cpu().toFixed(1)
      ])
      console.log(lines.at(-1)!.join("  "))
    } finally {
      await server.stop()
    }
  }
}
const head = ["", "rows", "peak resident MiB", "peak heap MiB", "seconds", "CPU seconds"]
console.log(`\n${table(head, lines)}`)
