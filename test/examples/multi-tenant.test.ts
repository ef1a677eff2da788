import { describe, expect, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import { app } from "../../examples/multi-tenant/app.ts"
import { Note } from "../../examples/multi-tenant/notes/Note.ts"
import { node, whileServing } from "./process.ts"

const main = "examples/multi-tenant/main.ts"

const tenants = ["acme", "globex", "initech"] as const

const tenantKeys = Object.fromEntries(tenants.map((tenant) => [tenant, `test-key-of-${tenant}`]))

const as = (tenant: string) => ({ headers: { "x-api-key": tenantKeys[tenant]! } })

const createFor = Effect.fnUntraced(function* (tenant: string, title: string) {
  const api = yield* TestApp.service(app)
  const reply = yield* api.post("/v1/notes", { ...as(tenant), json: { title } })
  return reply.expectStatus(201).decode(Note)
})

const booted = TestApp.layer(app, { config: { auth: { tenantKeys } } })

layer(booted, { excludeTestServices: true })("the multi-tenant example", (it) => {
  it.effect("no tenant reads, changes or removes the notes of another", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      for (const owner of tenants) {
        const note = yield* createFor(owner, `Plans of ${owner}`)
        const path = `/v1/notes/${note.id}`
        for (const other of tenants.filter((tenant) => tenant !== owner)) {
          for (const reply of [
            yield* api.get(path, as(other)),
            yield* api.put(path, { ...as(other), json: { title: "Stolen" } }),
            yield* api.delete(path, as(other))
          ]) {
            reply.expectProblem("NOTE_NOT_FOUND", 404, { id: note.id })
          }
          const listed = yield* api.get("/v1/notes?limit=100", as(other))
          expect(listed.expectStatus(200).text).not.toContain(note.id)
        }
        ;(yield* api.get(path, as(owner))).expectStatus(200).expectJson(note)
      }
      api.expectNoErrors()
    })
  )

  it.effect("the same title may be in two tenants, and once in each", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      yield* createFor("acme", "Minutes")
      yield* createFor("globex", "Minutes")
      const again = yield* api.post("/v1/notes", { ...as("acme"), json: { title: "Minutes" } })
      again.expectProblem("NOTE_TITLE_TAKEN", 409)
    })
  )

  it.effect("a list counts the notes of its tenant", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const totalOf = (tenant: string) =>
        Effect.map(api.get("/v1/notes?limit=1", as(tenant)), (reply) => {
          const { items, total } = reply.json as { items: Array<unknown>; total: number }
          expect(items).toHaveLength(1)
          return total
        })
      const before = yield* totalOf("initech")
      yield* createFor("acme", "Budget")
      expect(yield* totalOf("initech")).toBe(before)
      yield* createFor("initech", "Budget")
      expect(yield* totalOf("initech")).toBe(before + 1)
    })
  )

  it.effect("an owner replaces and removes a note", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const { id } = yield* createFor("acme", "Draft")
      const path = `/v1/notes/${id}`
      const replaced = yield* api.put(path, { ...as("acme"), json: { title: "Final" } })
      replaced.expectStatus(200).expectJson({ id, title: "Final" })
      ;(yield* api.delete(path, as("acme"))).expectStatus(204)
      ;(yield* api.get(path, as("acme"))).expectProblem("NOTE_NOT_FOUND", 404)
    })
  )

  it.effect("nothing that a caller writes names the tenant", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const { id } = yield* createFor("acme", "Secret")
      const forged = {
        headers: { ...as("globex").headers, tenant: "acme", "x-tenant": "acme" },
        json: { tenant: "acme", title: "Forged" }
      }
      const made = yield* api.post("/v1/notes?tenant=acme", forged)
      const { id: own } = made.expectStatus(201).decode(Note)
      ;(yield* api.get(`/v1/notes/${own}`, as("acme"))).expectProblem("NOTE_NOT_FOUND", 404)
      const { headers } = forged
      const read = yield* api.get(`/v1/notes/${id}?tenant=acme`, { headers })
      read.expectProblem("NOTE_NOT_FOUND", 404)
      ;(yield* api.get("/v1/notes")).expectProblem("UNAUTHENTICATED", 401)
    })
  )
})

describe("the multi-tenant example as a process", () => {
  it("has a local key for each tenant", async () => {
    await whileServing(main, { DATABASE_URL: "" }, async (url) => {
      for (const [tenant, status] of [
        ["acme", 200],
        ["globex", 200],
        ["initech", 401]
      ] as const) {
        const headers = { "x-api-key": `local-key-of-${tenant}` }
        expect((await fetch(`${url}/v1/notes`, { headers })).status).toBe(status)
      }
    })
  })

  it("does not start elsewhere without keys, and says which variable is missing", async () => {
    const server = node([main], { FLANGE_ENV: "production" })
    expect(await server.exitCode).toBe(1)
    expect(server.output()).toContain("AUTH_TENANT_KEYS")
  })
})
