import { describe, expect, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import { app } from "../../examples/basic/app.ts"
import { Product, ProductId } from "../../examples/basic/products/Product.ts"
import { NewUser } from "../../examples/basic/users/User.ts"
import { whileServing } from "./process.ts"

const missing = ProductId.make("0198c0de-0000-7000-8000-000000000000")

/** A user of the app, and requests with the key of the user. */
const signUp = Effect.fnUntraced(function* (name: string) {
  const api = yield* TestApp.service(app)
  const reply = yield* api.post("/v1/users", { json: { name } })
  const { id, key } = reply.expectStatus(201).decode(NewUser)
  return { headers: { "x-api-key": key }, id }
})

const lamp = { name: "Lamp", price: 1990 }

layer(TestApp.layer(app), { excludeTestServices: true })("the basic example", (it) => {
  it.effect("a new user gets a key that identifies the user", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const { headers, id } = yield* signUp("ada")
      ;(yield* api.get("/v1/me", { headers })).expectStatus(200).expectJson({ id, name: "ada" })
      ;(yield* api.get("/v1/me")).expectProblem("UNAUTHENTICATED", 401)
      ;(yield* api.get("/v1/me", { headers: { "x-api-key": id } })).expectProblem(
        "UNAUTHENTICATED",
        401
      )
    })
  )

  it.effect("a name is taken once", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      yield* signUp("bob")
      const reply = yield* api.post("/v1/users", { json: { name: "bob" } })
      reply.expectProblem("USER_NAME_TAKEN", 409, { name: "bob" })
      ;(yield* api.post("/v1/users", { json: { name: "Bob's" } })).expectProblem(
        "VALIDATION_FAILED",
        400
      )
    })
  )

  it.effect("a user changes and removes own products only", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const carol = yield* signUp("carol")
      const dave = yield* signUp("dave")
      const created = yield* api.post("/v1/products", { headers: carol.headers, json: lamp })
      const product = created.expectStatus(201).decode(Product)
      expect(product).toEqual({ ...lamp, id: product.id, ownerId: carol.id })
      const path = `/v1/products/${product.id}`
      created.expectHeader("location", path)

      ;(yield* api.get(path, { headers: dave.headers })).expectStatus(200).expectJson(product)
      const stolen = yield* api.patch(path, { headers: dave.headers, json: { price: 1 } })
      stolen.expectProblem("PRODUCT_NOT_OWNED", 403, { id: product.id })
      ;(yield* api.delete(path, { headers: dave.headers })).expectProblem("PRODUCT_NOT_OWNED", 403)
      ;(yield* api.get(path, { headers: dave.headers })).expectJson(product)

      const cheaper = yield* api.patch(path, { headers: carol.headers, json: { price: 990 } })
      cheaper.expectStatus(200).expectJson({ ...product, price: 990 })
      // The owner is not a field of the body.
      const given = yield* api.patch(path, { headers: carol.headers, json: { ownerId: dave.id } })
      expect(given.expectStatus(200).decode(Product).ownerId).toBe(carol.id)
      ;(yield* api.delete(path, { headers: carol.headers })).expectStatus(204)
      ;(yield* api.get(path, { headers: carol.headers })).expectProblem("PRODUCT_NOT_FOUND", 404)
    })
  )

  it.effect("a product that does not exist is nobody's", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const { headers } = yield* signUp("erin")
      const path = `/v1/products/${missing}`
      for (const reply of [
        yield* api.get(path, { headers }),
        yield* api.patch(path, { headers, json: { price: 1 } }),
        yield* api.delete(path, { headers })
      ]) {
        reply.expectProblem("PRODUCT_NOT_FOUND", 404, { id: missing })
      }
      ;(yield* api.get("/v1/products")).expectProblem("UNAUTHENTICATED", 401)
      api.expectNoErrors()
    })
  )
})

describe("the basic example as a process", () => {
  it("keeps its tables in memory, and lists products by age", async () => {
    await whileServing("examples/basic/main.ts", { DATABASE_URL: "" }, async (url, server) => {
      const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
        const reply = await fetch(`${url}${path}`, {
          body: JSON.stringify(body),
          headers: { ...headers, "content-type": "application/json" },
          method: "POST"
        })
        return (await reply.json()) as { readonly key: string }
      }
      const { key } = await post("/v1/users", { name: "ada" })
      const headers = { "x-api-key": key }
      await post("/v1/products", lamp, headers)
      await post("/v1/products", { ...lamp, name: "Chair" }, headers)
      const list = await fetch(`${url}/v1/products`, { headers })
      expect(await list.json()).toMatchObject({
        items: [{ name: "Lamp" }, { name: "Chair" }],
        total: 2
      })
      expect(server.output()).not.toContain(key)
    })
  })
})
