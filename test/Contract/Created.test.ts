import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, Created, Plugin, Route } from "flange"
import { TestApp } from "flange/Testing"

const File = Schema.Struct({ name: Schema.String })

class FilesApi extends HttpApiGroup.make("files").add(
  HttpApiEndpoint.post("create", "/files", { payload: File, success: Created(File) })
) {}

const app = App.make("files", [
  Plugin.make("app:files", {
    routes: [
      Route.public(FilesApi, (handlers) =>
        handlers.handleAll({
          create: ({ payload }) => Effect.succeed(Created.at(`/files/${payload.name}`, payload))
        })
      )
    ]
  })
])

it("an endpoint whose success is Created has a compiled codec", () => {
  expect(App.describe(app).routes.map(({ codec }) => codec)).toEqual(["compiled"])
})

it.live("Created replies with 201, the body and the location, and the client reads both", () =>
  Effect.gen(function* () {
    const api = yield* TestApp.service(app)
    const reply = yield* api.post("/files", { json: { name: "a" } })
    reply.expectStatus(201).expectHeader("location", "/files/a").expectJson({ name: "a" })
    const { body, headers } = yield* api.client.files.create({ payload: { name: "b" } })
    expect({ body, headers }).toEqual({ body: { name: "b" }, headers: { location: "/files/b" } })
    api.expectNoErrors()
  }).pipe(Effect.provide(TestApp.layer(app)))
)

it.live.each([
  ["a b", "/files/a%20b"],
  ["a\r\nset-cookie: b=c", "/files/a%0D%0Aset-cookie:%20b=c"],
  ["é😀", "/files/%C3%A9%F0%9F%98%80"],
  ["\ud800", "/files/%EF%BF%BD"],
  ["a%20b", "/files/a%20b"],
  ["100%", "/files/100%25"],
  ["a?b#c/d", "/files/a?b#c/d"]
])("Created.at encodes the location of %j as %s", ([name, location]) =>
  Effect.gen(function* () {
    const api = yield* TestApp.service(app)
    const reply = yield* api.post("/files", { json: { name } })
    reply.expectStatus(201).expectHeader("location", location!)
    api.expectNoErrors()
  }).pipe(Effect.provide(TestApp.layer(app)))
)
