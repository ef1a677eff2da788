import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { node, root, whileServing } from "./process.ts"
import { apiKey, bearer, challenge, draft, jwtSecret, signed } from "./recipeTokens.ts"

const main = "examples/recipe-api/main.ts"
const past = 1_000_000_000

describe("the recipe API as a process", () => {
  const localOf = (key: string) =>
    new RegExp(`^${key} = "(.*)"$`, "m").exec(
      readFileSync(join(root, "examples/recipe-api/flange.toml"), "utf8")
    )![1]!

  const ended = async (args: ReadonlyArray<string>, env: Record<string, string> = {}) => {
    const child = node([main, ...args], env)
    return { code: await child.exitCode, output: child.output() }
  }

  const reply = async (url: string, init: RequestInit = {}) => {
    const response = await fetch(url, init)
    const { headers, status } = response
    return {
      body: (await response.json()) as unknown,
      challenge: headers.get("www-authenticate"),
      status
    }
  }

  const post = (headers: Record<string, string>): RequestInit => ({
    body: JSON.stringify(draft),
    headers: { ...headers, "content-type": "application/json" },
    method: "POST"
  })

  it("says at start how to get a token, and serves whoever has one", async () => {
    await whileServing(main, {}, async (url, server) => {
      expect(server.output()).toContain(
        "npm run -s example:recipe -- token alice --scopes orders:write"
      )
      const made = await ended(["token", "alice", "--scopes", "orders:write"])
      expect(made).toEqual({ code: 0, output: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/) })
      const token = made.output.trim()

      const me = await reply(`${url}/v1/me`, { headers: bearer(token) })
      expect(me).toMatchObject({
        body: { scopes: ["orders:write"], subject: "alice" },
        status: 200
      })
      const created = await reply(`${url}/v1/orders`, post(bearer(token)))
      expect(created).toMatchObject({ body: { order: { createdBy: "alice" } }, status: 201 })
      const key = { "x-api-key": localOf("apiKey") }
      expect(await reply(`${url}/v1/orders`, { headers: key })).toMatchObject({
        body: { orders: [{ createdBy: "alice" }], total: 1 },
        status: 200
      })
      expect(await reply(`${url}/v1/orders`, post(key))).toMatchObject({ status: 201 })

      const invalid = challenge(', error="invalid_token"')
      const secret = localOf("jwtSecret")
      for (const headers of [
        bearer(await signed("alice")),
        bearer(await signed("alice", { expires: past, secret })),
        bearer(`${token}x`)
      ]) {
        const refused = await reply(`${url}/v1/me`, { headers })
        expect(refused).toMatchObject({ challenge: invalid, status: 401 })
      }
      expect(await reply(`${url}/v1/me`)).toMatchObject({ challenge: challenge(), status: 401 })

      const bob = (await ended(["token", "bob"])).output.trim()
      const forbidden = await reply(`${url}/v1/orders`, post(bearer(bob)))
      expect(forbidden).toMatchObject({ body: { code: "FORBIDDEN" }, status: 403 })
      expect(forbidden.challenge).toContain('scope="orders:write"')

      const client = node(["examples/recipe-api/client.ts", url], { TOKEN: token })
      expect(await client.exitCode, client.output()).toBe(0)
      expect(client.output()).toMatch(
        /status.*upper.*me.*created.*listed +2 of 2.*read.*missing.*refused/s
      )
      for (const credential of [token, bob, localOf("apiKey"), secret]) {
        expect(server.output()).not.toContain(credential)
      }
    })
  })

  it("does not start in production without secrets, and says which are missing", async () => {
    const { code, output } = await ended([], { FLANGE_ENV: "production" })
    expect(code).toBe(1)
    expect(output).toContain("set the variable JWT_SECRET")
    expect(output).toContain("set the variable FULFILMENT_API_KEY")
  })

  it("knows nothing of local credentials in production, and makes no tokens there", async () => {
    const env = {
      FLANGE_ENV: "production",
      FULFILMENT_API_KEY: apiKey,
      HOST: "127.0.0.1",
      JWT_SECRET: jwtSecret
    }
    const made = await ended(["token", "alice"], env)
    expect(made).toEqual({
      code: 1,
      output: expect.stringContaining("Tokens are made in the environment local")
    })
    await whileServing(main, env, async (url, server) => {
      expect(server.output()).not.toContain("Get a token")
      const local = bearer(await signed("alice", { secret: localOf("jwtSecret") }))
      for (const headers of [local, { "x-api-key": localOf("apiKey") }]) {
        expect(await reply(`${url}/v1/me`, { headers })).toMatchObject({ status: 401 })
      }
      const headers = bearer(await signed("alice"))
      expect(await reply(`${url}/v1/me`, { headers })).toMatchObject({ status: 200 })
    })
  })
})
