import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { postgres } from "../Layers/Database/backends.ts"
import { describeRedis, redisServer } from "../Layers/Redis/server.ts"
import { freePort, node, type Process, serving } from "./process.ts"

const main = "examples/realtime/main.ts"

interface Running {
  readonly process: Process
  readonly url: string
}

/** Opens the connection of a page, and returns what it receives. */
const enter = async (url: string, name: string) => {
  const socket = new WebSocket(`${url.replace("http", "ws")}/v1/rooms/lobby/chat?name=${name}`)
  const received: Array<unknown> = []
  socket.addEventListener("message", ({ data }) => received.push(JSON.parse(String(data))))
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve)
    socket.addEventListener("error", reject)
  })
  return { received, socket }
}

/** Reads the lists of members until one has these names. */
const members = async (response: Response, ...names: ReadonlyArray<string>): Promise<void> => {
  let text = ""
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const lists = [...text.matchAll(/^data: ?(\[.*\])$/gm)].map(
      ([, json]) => JSON.parse(json!) as ReadonlyArray<string>
    )
    if (lists.some((list) => list.toSorted().join() === names.join())) return
  }
  throw new Error(`The stream ended before the list was ${names.join()}: ${text}`)
}

const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}

const listed = async (url: string): Promise<string> => {
  const reply = await fetch(`${url}/v1/rooms/lobby/members`)
  return ((await reply.json()) as ReadonlyArray<string>).toSorted().join()
}

/** What two people on these replicas see of each other. */
const conversation = async (one: Running, two: Running) => {
  const page = await fetch(one.url)
  expect(page.headers.get("content-type")).toContain("text/html")
  expect(await page.text()).toContain("EventSource")

  const events = await fetch(`${one.url}/v1/rooms/lobby/members/events`)
  const [ada, bob] = [await enter(one.url, "Ada"), await enter(two.url, "Bob")]
  await members(events, "Ada", "Bob")
  await until(async () => (await listed(two.url)) === "Ada,Bob")

  bob.socket.send('{"text":"<b>Hello</b>"}')
  const said = { _tag: "said", said: { from: "Bob", text: "<b>Hello</b>" } }
  await until(() => ada.received.length > 0 && bob.received.length > 0)
  expect([ada.received, bob.received]).toEqual([[said], [said]])

  bob.socket.close()
  await until(async () => (await listed(one.url)) === "Ada")
  ada.socket.close()
  await until(async () => (await listed(one.url)) === "")
}

/** Starts replicas, and stops them after their use. */
const replicas = async (
  count: number,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
) => {
  const ports = await Promise.all(Array.from({ length: count }, freePort))
  const all: ReadonlyArray<Running> = ports.map((port) => ({
    process: node([main, ...args], { ...env, HOST: "127.0.0.1", PORT: String(port) }),
    url: `http://127.0.0.1:${port}`
  }))
  try {
    await Promise.all(all.map(({ process, url }) => serving(process, url)))
    await conversation(all[0]!, all.at(-1)!)
    for (const { process } of all) {
      process.child.kill("SIGTERM")
      expect(await process.exitCode).toBe(0)
      expect(process.output()).not.toContain("ERROR")
    }
  } finally {
    for (const { process } of all) process.child.kill("SIGKILL")
  }
}

describe("the chat", () => {
  it("shows in one process who is there and what they say", () => replicas(1, [], {}), 60_000)

  it.skipIf(postgres.unavailable !== undefined)(
    "shows the same rooms in replicas over PostgreSQL",
    () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.flatMap(postgres.fresh, (url) =>
            Effect.promise(() => replicas(2, ["database"], { DATABASE_URL: url }))
          )
        )
      ),
    60_000
  )
})

describeRedis("the chat", () => {
  it(
    "shows the same rooms in replicas over Redis",
    () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.flatMap(redisServer(), ({ url }) =>
            Effect.promise(() => replicas(2, ["redis"], { REDIS_URL: url }))
          )
        )
      ),
    60_000
  )
})
