import { layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Upload } from "flange/Files/Contract"
import { TestApp } from "flange/Testing"
import { expect } from "vitest"
import { app } from "../../examples/uploads/app.ts"
import { FileForm } from "../../examples/uploads/files/FilesApi.ts"

const png = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(200_000, "x")])

const formOf = (content: string, name: string, type = "") => ({
  body: Buffer.from(
    `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n${type === "" ? "" : `Content-Type: ${type}\r\n`}\r\n${content}\r\n--b--\r\n`
  ),
  headers: { "content-type": "multipart/form-data; boundary=b" }
})

layer(TestApp.layer(app), { excludeTestServices: true })("the example of uploads", (it) => {
  it.effect("stores a file, lists it, and sends it back whole and in parts", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const payload = Upload.formData(FileForm, { file: new File([png], "../Éclair.png") })
      const { body, headers } = yield* api.client.files.add({ payload })
      expect(body).toMatchObject({
        contentType: "image/png",
        name: "Éclair.png",
        size: png.length
      })
      expect(headers.location).toBe(`/v1/files/${body.id}`)
      expect(yield* api.client.files.list()).toEqual([body])
      const whole = (yield* api.get(headers.location)).expectStatus(200)
      expect(whole.headers.get("content-disposition")).toContain("filename*=UTF-8''%C3%89clair.png")
      const part = yield* api.get(headers.location, { headers: { range: "bytes=-3" } })
      expect([part.status, part.text]).toEqual([206, "xxx"])
      const etag = whole.headers.get("etag")!
      const known = yield* api.get(headers.location, { headers: { "if-none-match": etag } })
      expect(known.status).toBe(304)
    })
  )

  it.effect("takes no file that is another one than its name and its header say", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const before = yield* api.client.files.list()
      const send = (content: string, name: string, type?: string) =>
        api.request("POST", "/v1/files", formOf(content, name, type))
      ;(yield* send("<html><script>", "a.png", "image/png")).expectProblem(
        "UPLOAD_TYPE_REFUSED",
        415
      )
      ;(yield* send("MZ\x90", "a.txt", "text/plain")).expectProblem("UPLOAD_TYPE_REFUSED", 415)
      ;(yield* send("", "", "application/octet-stream")).expectProblem("VALIDATION_FAILED", 400)
      expect(yield* api.client.files.list()).toEqual(before)
      ;(yield* send("# Notes", "notes.md", "text/markdown")).expectStatus(201)
    })
  )

  it.effect("has a page, whose files are sent again only if they have changed", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const page = (yield* api.get("/")).expectStatus(200)
      expect(page.text).toContain("<h1>Uploads</h1>")
      for (const path of ["/app.js", "/app.css"]) {
        const file = (yield* api.get(path)).expectStatus(200)
        const headers = { "if-none-match": file.headers.get("etag")! }
        ;(yield* api.get(path, { headers })).expectStatus(304)
      }
      ;(yield* api.get("/flange.toml")).expectProblem("ROUTE_NOT_FOUND", 404)
      const unknown = "00000000-0000-4000-8000-000000000000"
      ;(yield* api.get(`/v1/files/${unknown}`)).expectProblem("OBJECT_NOT_FOUND", 404)
    })
  )
})
