// node:http and nothing else: what a careful person would write by hand.
import { createHmac, createSecretKey, randomUUID, timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { host, port, ready, routes, tier } from "./support/Arguments.ts"
import {
  createItem,
  findItem,
  hello,
  jwt,
  type NewItem,
  origin,
  rateLimit,
  resource,
  resources,
  scopes,
  user
} from "./support/Contract.ts"
import { secureHeaders } from "./support/SecureHeaders.ts"

type Headers = Record<string, number | string>
interface Claims {
  readonly scope: string
  readonly sub: string
}

const json = (response: ServerResponse, status: number, body: unknown, headers: Headers = {}) => {
  const text = JSON.stringify(body)
  headers["content-length"] = Buffer.byteLength(text)
  headers["content-type"] ??= "application/json"
  response.writeHead(status, headers)
  response.end(text)
}

const titles: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  429: "Too Many Requests"
}

const problem = (
  response: ServerResponse,
  status: number,
  detail: string,
  headers: Headers = {}
) => {
  headers["content-type"] = "application/problem+json"
  json(response, status, { detail, status, title: titles[status], type: "about:blank" }, headers)
}

const isText = (value: unknown, min: number, max: number): value is string =>
  typeof value === "string" && value.length >= min && value.length <= max

const isTags = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((tag) => typeof tag === "string")

const int = /^-?\d{1,15}$/

const readJson = (request: IncomingMessage, use: (body: unknown) => void) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    let body: unknown
    try {
      body = JSON.parse((chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString("utf8"))
    } catch {
      body = undefined
    }
    use(body)
  })
}

const table = new Map(resources(routes).map((one) => [one.path, one]))

const bare = (request: IncomingMessage, response: ServerResponse) => {
  const url = request.url!
  const mark = url.indexOf("?")
  const path = mark === -1 ? url : url.slice(0, mark)
  if (request.method === "GET") {
    if (path === "/json") return json(response, 200, hello)
    if (path.startsWith("/users/")) {
      const id = path.slice(7)
      const verbose =
        mark === -1 ? undefined : (new URLSearchParams(url.slice(mark)).get("verbose") ?? undefined)
      if (!int.test(id) || (verbose !== undefined && verbose !== "true" && verbose !== "false")) {
        return problem(response, 400, "id is an integer, verbose true or false")
      }
      return json(
        response,
        200,
        user(Number(id), verbose === undefined ? undefined : verbose === "true")
      )
    }
    if (table.size > 0) {
      const slash = path.lastIndexOf("/")
      const one = table.get(path.slice(0, slash))
      if (one !== undefined) {
        const id = path.slice(slash + 1)
        if (!int.test(id)) return problem(response, 400, "id is an integer")
        return json(response, 200, resource(one, Number(id)))
      }
    }
  } else if (request.method === "POST" && path === "/echo") {
    return readJson(request, (body) => {
      const { age, name, tags } = (body ?? {}) as Record<string, unknown>
      if (!isText(name, 1, 100) || !Number.isInteger(age) || !isTags(tags)) {
        return problem(response, 400, "name, age or tags is not as declared")
      }
      json(response, 200, {
        // In this order: every server of the benchmark writes the same bytes.
        name,
        age,
        tags
      })
    })
  }
  problem(response, 404, "No such route")
}

const key = createSecretKey(Buffer.from(jwt.secret))

/** Source: RFC 7515, RFC 7519; HS256 only. */
const verify = (authorization: string | undefined): Claims | undefined => {
  if (authorization === undefined || !authorization.startsWith("Bearer ")) return undefined
  const [header, payload, signature] = authorization.slice(7).split(".")
  if (header === undefined || payload === undefined || signature === undefined) return undefined
  try {
    if (JSON.parse(Buffer.from(header, "base64url").toString()).alg !== "HS256") return undefined
    const expected = createHmac("sha256", key).update(`${header}.${payload}`).digest()
    const given = Buffer.from(signature, "base64url")
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString())
    return claims.exp > Date.now() / 1000 &&
      claims.iss === jwt.issuer &&
      claims.aud === jwt.audience
      ? claims
      : undefined
  } catch {
    return undefined
  }
}

const windows = new Map<string, { count: number; resetAt: number }>()

const consume = (subject: string, now: number) => {
  let window = windows.get(subject)
  if (window === undefined || window.resetAt <= now) {
    window = { count: 0, resetAt: now + rateLimit.windowMillis }
    windows.set(subject, window)
  }
  window.count++
  return window
}

const accepted = /^[A-Za-z0-9._-]{1,128}$/

const production = (request: IncomingMessage, response: ServerResponse) => {
  const start = performance.now()
  const { method, url } = request
  const given = request.headers["x-request-id"]
  const requestId = typeof given === "string" && accepted.test(given) ? given : randomUUID()
  const headers: Headers = {
    ...secureHeaders,
    "access-control-allow-origin": origin,
    vary: "Origin",
    "x-request-id": requestId
  }
  response.on("finish", () => {
    process.stdout.write(
      `${JSON.stringify({
        level: "info",
        time: Date.now(),
        requestId,
        method,
        url,
        status: response.statusCode,
        ms: performance.now() - start
      })}\n`
    )
  })
  if (method === "OPTIONS") {
    headers["access-control-allow-methods"] = "GET,POST"
    headers["access-control-allow-headers"] = "authorization,content-type"
    response.writeHead(204, headers)
    response.end()
    return
  }
  const claims = verify(request.headers.authorization)
  if (claims === undefined) {
    headers["www-authenticate"] = "Bearer"
    return problem(response, 401, "Authentication is required", headers)
  }
  const now = Date.now()
  const window = consume(claims.sub, now)
  headers["ratelimit-limit"] = rateLimit.max
  headers["ratelimit-remaining"] = Math.max(0, rateLimit.max - window.count)
  headers["ratelimit-reset"] = Math.ceil((window.resetAt - now) / 1000)
  if (window.count > rateLimit.max) return problem(response, 429, "Too many requests", headers)
  const has = (scope: string) => claims.scope.split(" ").includes(scope)

  if (method === "GET" && url!.startsWith("/v1/items/")) {
    if (!has(scopes.read)) return problem(response, 403, `Needs ${scopes.read}`, headers)
    const id = url!.slice(10)
    if (!int.test(id)) return problem(response, 400, "id is an integer", headers)
    const item = findItem(Number(id))
    if (item === undefined) return problem(response, 404, `Item ${id} does not exist`, headers)
    return json(response, 200, item, headers)
  }
  if (method === "POST" && url === "/v1/items") {
    if (!has(scopes.write)) return problem(response, 403, `Needs ${scopes.write}`, headers)
    return readJson(request, (body) => {
      const { name, price, tags } = (body ?? {}) as Record<string, unknown>
      if (!isText(name, 1, 100) || !(typeof price === "number" && price >= 0) || !isTags(tags)) {
        return problem(response, 400, "name, price or tags is not as declared", headers)
      }
      json(response, 201, createItem({ name, price, tags } satisfies NewItem), headers)
    })
  }
  problem(response, 404, "No such route", headers)
}

createServer(tier === "bare" ? bare : production).listen(port, host, ready)
