/** Answers are checked before they are timed: a server that does less is not faster. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict"
import { createItem, findItem, hello, origin, user } from "../servers/support/Contract.ts"
import { secureHeaders } from "../servers/support/SecureHeaders.ts"
import { type Answer, ask } from "./Answer.ts"
import type { Peer } from "./Peers.ts"
import * as Server from "./Server.ts"
import * as Token from "./Token.ts"
import type { Tier } from "./Workload.ts"

const json = { "content-type": "application/json" }

const isJson = (answer: Answer, status: number, body: unknown) => {
  strictEqual(answer.status, status)
  match(answer.headers["content-type"] ?? "", /^application\/json(;|$)/)
  deepStrictEqual(JSON.parse(answer.body), body)
}

const isProblem = (answer: Answer, status: number) => {
  strictEqual(answer.status, status)
  match(answer.headers["content-type"] ?? "", /^application\/problem\+json(;|$)/)
  const problem = JSON.parse(answer.body) as Record<string, unknown>
  strictEqual(problem["status"], status)
  ok(typeof problem["title"] === "string" && problem["title"] !== "", "a problem has a title")
}

const bare = async (port: number) => {
  const get = (path: string) => ask(port, { method: "GET", path })
  const post = (body: string) => ask(port, { body, headers: json, method: "POST", path: "/echo" })
  const person = { name: "Ada", age: 36, tags: ["maths"] }

  isJson(await get("/json"), 200, hello)
  isJson(await get("/users/42"), 200, user(42, undefined))
  isJson(await get("/users/42?verbose=true"), 200, user(42, true))
  isJson(await get("/users/7?verbose=false"), 200, user(7, false))
  isJson(await post(JSON.stringify(person)), 200, person)
  const refused = [
    await get("/users/forty-two"),
    await get("/users/4.2"),
    await get("/users/42?verbose=perhaps"),
    await post(JSON.stringify({ ...person, name: "" })),
    await post(JSON.stringify({ ...person, name: "a".repeat(101) })),
    await post(JSON.stringify({ ...person, age: 36.5 })),
    await post(JSON.stringify({ name: "Ada", tags: [] })),
    await post("{")
  ]
  deepStrictEqual(
    refused.map(({ status }) => status),
    refused.map(() => 400)
  )
  strictEqual((await get("/nowhere")).status, 404)
}

const withoutSpaces = (value: string | undefined) => value?.replaceAll("; ", ";")

const production = async (port: number): Promise<ReadonlyArray<string>> => {
  const ids: Array<string> = []
  const call = async (
    path: string,
    options: { readonly body?: unknown; readonly token?: string | undefined }
  ) => {
    const id = `check-${ids.length}`
    ids.push(id)
    const answer = await ask(port, {
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      headers: {
        ...(options.body === undefined ? {} : json),
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        origin,
        "x-request-id": id
      },
      method: options.body === undefined ? "GET" : "POST",
      path
    })
    strictEqual(answer.headers["x-request-id"], id)
    strictEqual(answer.headers["access-control-allow-origin"], origin)
    for (const [name, value] of Object.entries(secureHeaders)) {
      strictEqual(withoutSpaces(answer.headers[name]), withoutSpaces(value), name)
    }
    return answer
  }
  const token = Token.make("checker")
  const item = { name: "Engine", price: 12.5, tags: ["brass"] }

  const read = await call("/v1/items/7", { token })
  isJson(read, 200, findItem(7))
  const remaining = () =>
    call("/v1/items/7", { token }).then(({ headers }) =>
      Number(
        // Some peers have the fields of older drafts.
        headers["ratelimit-remaining"] ??
          headers["x-ratelimit-remaining"] ??
          /;r=(\d+)/.exec(headers["ratelimit"] ?? "")?.[1]
      )
    )
  ok((await remaining()) > 0, "a reply says how many requests are left")
  isJson(await call("/v1/items", { body: item, token }), 201, createItem(item))

  isProblem(await call("/v1/items/seven", { token }), 400)
  isProblem(await call("/v1/items", { body: { ...item, name: "" }, token }), 400)
  isProblem(await call("/v1/items", { body: { ...item, price: -1 }, token }), 400)
  isProblem(await call("/v1/items", { body: { ...item, tags: "brass" }, token }), 400)
  isProblem(await call("/v1/items/5000", { token }), 404)

  const refused: Readonly<Record<string, string | undefined>> = {
    "a signature by another secret": Token.make("checker", { secret: "x".repeat(40) }),
    "an expired token": Token.make("checker", { claims: { exp: 1_000_000_000 } }),
    "no token": undefined,
    "the wrong audience": Token.make("checker", { claims: { aud: "another" } }),
    "the wrong issuer": Token.make("checker", { claims: { iss: "another" } })
  }
  for (const [what, wrong] of Object.entries(refused)) {
    const answer = await call("/v1/items/7", { token: wrong })
    strictEqual(answer.status, 401, what)
    isProblem(answer, 401)
  }
  const stranger = Token.make("checker", { claims: { scope: "other" } })
  isProblem(await call("/v1/items/7", { token: stranger }), 403)
  isProblem(await call("/v1/items", { body: item, token: stranger }), 403)

  const preflight = await ask(port, {
    headers: {
      "access-control-request-headers": "authorization,content-type",
      "access-control-request-method": "POST",
      origin
    },
    method: "OPTIONS",
    path: "/v1/items"
  })
  ok([200, 204].includes(preflight.status), `a preflight is answered with ${preflight.status}`)
  strictEqual(preflight.headers["access-control-allow-origin"], origin)
  match(preflight.headers["access-control-allow-methods"] ?? "", /POST/)

  const anonymous = await ask(port, { method: "GET", path: "/v1/items/7" })
  match(anonymous.headers["x-request-id"] ?? "", /^[\w-]{16,}$/)
  return ids
}

/** One line of JSON for each request, with its id. */
const accessLog = (stdout: string, ids: ReadonlyArray<string>) => {
  const lines = stdout
    .split("\n")
    // Denials may have further lines; the one with a status is the request's.
    .filter((line) => line.includes("check-") && /"status(Code)?":\d/.test(line))
    .map((line) => JSON.stringify(JSON.parse(line)))
  deepStrictEqual(
    ids.map((id) => lines.filter((line) => line.includes(`"${id}"`)).length),
    ids.map(() => 1),
    "each request has one access line"
  )
}

/** With a limit of two a third request is refused; another caller is not. */
const limits = async (port: number) => {
  const call = (subject: string) =>
    ask(port, {
      headers: { authorization: `Bearer ${Token.make(subject)}`, origin },
      method: "GET",
      path: "/v1/items/7"
    })
  strictEqual((await call("first")).status, 200)
  strictEqual((await call("first")).status, 200)
  isProblem(await call("first"), 429)
  strictEqual((await call("second")).status, 200)
}

const using = async (
  peer: Peer,
  options: Parameters<typeof Server.start>[1],
  use: (server: Server.Server) => Promise<void>
) => {
  const server = await Server.start(peer, options)
  try {
    await use(server)
  } catch (error) {
    throw new Error(`${peer.name} does not answer as tier ${options.tier} says: ${String(error)}`, {
      cause: error
    })
  } finally {
    await server.stop()
  }
}

/** Starts the peer, asks it everything, and stops it. Throws where an answer is not as it must be. */
export const check = async (peer: Peer, tier: Tier): Promise<void> => {
  if (tier === "bare") return using(peer, { tier }, ({ port }) => bare(port))
  await using(peer, { stdout: "pipe", tier }, async ({ port, stdout }) => {
    const ids = await production(port)
    // Lines may be written a moment after the reply.
    await new Promise((resolve) => setTimeout(resolve, 300))
    accessLog(stdout(), ids)
  })
  await using(peer, { environment: { BENCH_LIMIT: "2" }, tier }, ({ port }) => limits(port))
}
