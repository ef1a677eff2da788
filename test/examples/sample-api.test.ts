// The sample API on every database: PGlite in memory, and the servers that answer.
import { layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestApp } from "flange/Testing"
import { expect } from "vitest"
import { app } from "../../examples/sample-api/app.ts"
import { Item, ItemId } from "../../examples/sample-api/items/Item.ts"
import { ItemNotFound } from "../../examples/sample-api/items/ItemsApi.ts"
import { all, type Backend, onEach } from "../Layers/Database/backends.ts"

const missing = ItemId.make("0198c0de-0000-7000-8000-000000000000")

const createLamp = Effect.gen(function* () {
  const api = yield* TestApp.service(app)
  const reply = yield* api.post("/v1/items", { json: { description: "Brass", name: "Lamp" } })
  return reply.expectStatus(201).json as { readonly createdAt: string; readonly id: string }
})

/** The app on an empty place of a database, removed when the layer is closed. */
const appOn = ({ fresh }: Backend) =>
  Layer.unwrap(Effect.map(fresh, (url) => TestApp.layer(app, { config: { database: { url } } })))

/** Items are made at real times: a timestamp of MySQL cannot say when 1970 began. */
const live = { excludeTestServices: true }

const suite = (backend: Backend) => {
  layer(appOn(backend), live)("one item", (it) => {
    it.effect("creates an item and says where it is", () =>
      Effect.gen(function* () {
        const api = yield* TestApp.service(app)
        const reply = yield* api.post("/v1/items", { json: { description: "Brass", name: "Lamp" } })
        const item = reply.expectStatus(201).decode(Item)
        expect(item).toMatchObject({ description: "Brass", name: "Lamp" })
        reply.expectHeader("location", `/v1/items/${item.id}`)
        const read = yield* api.get(`/v1/items/${item.id}`)
        read.expectStatus(200).expectJson(reply.json)
      })
    )

    it.effect("creates an item without a description", () =>
      Effect.gen(function* () {
        const api = yield* TestApp.service(app)
        const { body, headers } = yield* api.client.items.create({ payload: { name: "Chair" } })
        expect(headers.location).toBe(`/v1/items/${body.id}`)
        expect("description" in body).toBe(false)
      })
    )

    it.effect("replaces an item: what the new one lacks is gone", () =>
      Effect.gen(function* () {
        const api = yield* TestApp.service(app)
        const { createdAt, id } = yield* createLamp
        const reply = yield* api.put(`/v1/items/${id}`, { json: { name: "Desk lamp" } })
        reply.expectStatus(200).expectJson({ createdAt, id, name: "Desk lamp" })
      })
    )

    it.effect("updates only the fields that are given; null takes the description away", () =>
      Effect.gen(function* () {
        const api = yield* TestApp.service(app)
        const { createdAt, id } = yield* createLamp
        const path = `/v1/items/${id}`
        const item = { createdAt, description: "Brass", id, name: "Lamp" }
        ;(yield* api.patch(path, { json: {} })).expectStatus(200).expectJson(item)
        const named = yield* api.patch(path, { json: { name: "Desk lamp" } })
        named.expectJson({ ...item, name: "Desk lamp" })
        const described = yield* api.patch(path, { json: { description: "Steel" } })
        described.expectJson({ ...item, description: "Steel", name: "Desk lamp" })
        const bare = yield* api.patch(path, { json: { description: null } })
        bare.expectJson({ createdAt, id, name: "Desk lamp" })
        ;(yield* api.get(path)).expectJson({ createdAt, id, name: "Desk lamp" })
      })
    )

    it.effect("gives back the characters that it was given, whatever they mean to SQL", () =>
      Effect.gen(function* () {
        const api = yield* TestApp.service(app)
        const name = `'; drop table items; -- "\\"\`$1 ? % \u0001 \u2028 \uffff é 漢 👩‍🚀 `
        const description = "👩".repeat(5000)
        const created = yield* api.post("/v1/items", { json: { description, name } })
        const { id } = created.expectStatus(201).expectJsonMatch({ description, name }).decode(Item)
        ;(yield* api.get(`/v1/items/${id}`)).expectStatus(200).expectJson(created.json)
      })
    )

    it.effect("removes an item once, also when many remove it", () =>
      Effect.gen(function* () {
        const api = yield* TestApp.service(app)
        const { id } = yield* createLamp
        const replies = yield* Effect.forEach(
          Array.from({ length: 8 }),
          () => api.delete(`/v1/items/${id}`),
          { concurrency: "unbounded" }
        )
        const statuses = replies.map(({ status }) => status).toSorted()
        expect(statuses).toEqual([204, ...Array.from({ length: 7 }, () => 404)])
      })
    )

    it.effect("answers 404 about an item that was removed", () =>
      Effect.gen(function* () {
        const api = yield* TestApp.service(app)
        const { id } = yield* createLamp
        const removed = yield* api.delete(`/v1/items/${id}`)
        expect([removed.expectStatus(204).text, removed.headers.get("content-type")]).toEqual([
          "",
          null
        ])
        ;(yield* api.delete(`/v1/items/${id}`)).expectProblem("ITEM_NOT_FOUND", 404)
        ;(yield* api.get(`/v1/items/${id}`)).expectProblem("ITEM_NOT_FOUND", 404)
      })
    )

    it.effect("answers 404 about an item that does not exist, whatever is asked of it", () =>
      Effect.gen(function* () {
        const api = yield* TestApp.service(app)
        const path = `/v1/items/${missing}`
        const members = { detail: `Item ${missing} does not exist`, id: missing, instance: path }
        for (const reply of [
          yield* api.get(path),
          yield* api.put(path, { json: { name: "Lamp" } }),
          yield* api.patch(path, { json: {} }),
          yield* api.delete(path)
        ]) {
          reply.expectProblem("ITEM_NOT_FOUND", 404, members)
        }
        const error = yield* Effect.flip(api.client.items.read({ params: { id: missing } }))
        expect(error).toBeInstanceOf(ItemNotFound)
      })
    )

    it.effect("answers 400 with the reason about an id that is no UUIDv7", () =>
      Effect.gen(function* () {
        const api = yield* TestApp.service(app)
        for (const id of ["7", "c73bcdcc-2669-4bf6-81d3-e4ae73fb11fd", `${missing}0`]) {
          for (const reply of [
            yield* api.get(`/v1/items/${id}`),
            yield* api.put(`/v1/items/${id}`, { json: { name: "Lamp" } }),
            yield* api.patch(`/v1/items/${id}`, { json: {} }),
            yield* api.delete(`/v1/items/${id}`)
          ]) {
            reply.expectProblem("VALIDATION_FAILED", 400, {
              errors: [{ detail: "Expected a UUID v7", location: "path", pointer: "/id" }]
            })
          }
        }
      })
    )

    it.effect("takes names of 1 to 200 characters", () =>
      Effect.gen(function* () {
        const api = yield* TestApp.service(app)
        const post = (name: unknown) => api.post("/v1/items", { json: { name } })
        ;(yield* post("n")).expectStatus(201)
        ;(yield* post("n".repeat(200))).expectStatus(201)
        for (const name of ["", "n".repeat(201), 7, null]) {
          ;(yield* post(name)).expectProblem("VALIDATION_FAILED", 400, {
            errors: [{ location: "body", pointer: "/name" }]
          })
        }
      })
    )

    it.effect("reports its health and documents itself", () =>
      Effect.gen(function* () {
        const api = yield* TestApp.service(app)
        for (const path of ["/livez", "/healthz", "/readyz"])
          (yield* api.get(path)).expectStatus(200)
        const health = yield* api.get("/healthcheck")
        health.expectStatus(200).expectJsonMatch({
          components: [{ class: "shared", name: "database", status: "up" }],
          name: "sample-api",
          version: "0.0.0"
        })
        const document = yield* api.get("/openapi.json")
        document.expectStatus(200).expectJsonMatch({
          paths: {
            "/v1/items": { get: {}, post: { responses: { 201: { headers: { location: {} } } } } },
            "/v1/items/{id}": {
              delete: { responses: { 204: {}, 404: {} } },
              get: { responses: { 200: {}, 400: {}, 404: {} } },
              patch: {},
              put: {}
            }
          }
        })
        for (const path of ["/docs", "/swagger-ui/"]) {
          ;(yield* api.get(path)).expectStatus(200).expectHeader("content-type", /^text\/html/)
        }
      })
    )

    it.effect("logs one line per request, with its id, and none of what orchestrators ask", () =>
      Effect.gen(function* () {
        const api = yield* TestApp.service(app)
        const lines = api.logs.length
        yield* api.get("/livez")
        yield* api.get("/v1/items", { headers: { "x-request-id": "mine" } })
        expect(api.logs.slice(lines)).toMatchObject([
          { annotations: { method: "GET", requestId: "mine", route: "/v1/items", status: 200 } }
        ])
      })
    )

    it.effect("logs no error about what callers do wrong", () =>
      Effect.map(TestApp.service(app), (api) => api.expectNoErrors())
    )
  })

  layer(appOn(backend), live)("the list", (it) => {
    it.effect("has pages of items, oldest first", () =>
      Effect.gen(function* () {
        const { client, get } = yield* TestApp.service(app)
        ;(yield* get("/v1/items"))
          .expectStatus(200)
          .expectJson({ items: [], limit: 50, page: 1, total: 0 })
        for (let i = 1; i <= 5; i++) yield* client.items.create({ payload: { name: `Item ${i}` } })
        const names = (items: ReadonlyArray<Item>) => items.map(({ name }) => name)
        const all = yield* client.items.list({ query: { limit: 500, page: 1 } })
        expect(names(all.items)).toEqual(["Item 1", "Item 2", "Item 3", "Item 4", "Item 5"])
        const ids = all.items.map(({ id }) => id)
        expect(ids).toEqual(ids.toSorted())
        const second = yield* client.items.list({ query: { limit: 2, page: 2 } })
        expect(names(second.items)).toEqual(["Item 3", "Item 4"])
        const last = yield* get("/v1/items", { query: { limit: 2, page: 3 } })
        last.expectJsonMatch({ items: [{ name: "Item 5" }], limit: 2, page: 3, total: 5 })
        const beyond = yield* get("/v1/items?page=9")
        beyond.expectStatus(200).expectJson({ items: [], limit: 50, page: 9, total: 5 })
        const last500 = { limit: 500, page: Number.MAX_SAFE_INTEGER }
        const farthest = yield* get("/v1/items", { query: last500 })
        farthest.expectStatus(200).expectJson({ items: [], ...last500, total: 5 })
      })
    )

    it.effect("refuses pages and limits out of range, and names all that is wrong", () =>
      Effect.gen(function* () {
        const { get } = yield* TestApp.service(app)
        const reply = yield* get("/v1/items?page=0&limit=501")
        reply.expectProblem("VALIDATION_FAILED", 400, {
          errors: [
            { detail: "Expected a value between 1 and 500", location: "query", pointer: "/limit" },
            { location: "query", pointer: "/page" }
          ]
        })
      })
    )
  })
}

onEach(all, "the sample API", suite)
