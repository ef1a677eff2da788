/** Static files, in memory and on each listener. */
import { execFileSync } from "node:child_process"
import {
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile
} from "node:fs/promises"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { brotliCompressSync, gzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as Files from "flange/Files"
import { TestApp } from "flange/Testing"

const script = "export const answer = 42\n"

/** A directory with the files of a site, and a secret beside it. */
const site = Effect.acquireRelease(
  Effect.promise(async () => {
    const folder = await mkdtemp(join(tmpdir(), "flange-site-"))
    const root = join(folder, "public")
    const files: Readonly<Record<string, string | Uint8Array>> = {
      ".env": "SECRET=1",
      ".git/config": "secret",
      ".well-known/security.txt": "Contact: mailto:ada@example.org",
      "a b.txt": "blank",
      "app.js": script,
      "app.js.br": "brotli",
      "app.js.gz": "gzip",
      "app.js.zst": "zstd",
      "assets/main-8e0d1f2a.js": script,
      "assets/main.8e0d1f2a.min.js": script,
      "assets/report-20261126.txt": "may",
      "big.bin": Buffer.alloc(1_000_000, "0123456789"),
      "docs/index.html": "<h1>docs</h1>",
      "empty.txt": "",
      "index.html": "<h1>home</h1>",
      "old.css": "a{}",
      "old.css.br": "stale",
      "picture.png": "png",
      "picture.png.br": "never",
      "unknown.qqq": "?",
      "é.txt": "accent"
    }
    await mkdir(join(root, "empty"), { recursive: true })
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(root, name, ".."), { recursive: true })
      await writeFile(join(root, name), content)
    }
    await utimes(join(root, "old.css.br"), new Date(0), new Date(0))
    await writeFile(join(folder, "secret.txt"), "secret")
    await symlink(join(folder, "secret.txt"), join(root, "out.txt"))
    await symlink(folder, join(root, "up"))
    await symlink(join(root, "app.js"), join(root, "in.js"))
    await symlink(join(root, "loop"), join(root, "loop"))
    execFileSync("mkfifo", [join(root, "pipe")])
    return { folder, root }
  }),
  ({ folder }) => Effect.promise(() => rm(folder, { force: true, recursive: true }))
)

class ShopApi extends HttpApiGroup.make("shop").add(
  HttpApiEndpoint.get("read", "/v1/shop", { success: Schema.String })
) {}

/** What the clock of build tools shows. */
const stamp = new Date("1980-01-01T00:00:01Z")

const appOf = (directory: string) =>
  App.make("site", [
    Plugin.make("app:site", {
      routes: [
        Route.public(ShopApi, (handlers) =>
          handlers.handleAll({ read: () => Effect.succeed("tea") })
        ),
        Files.serve("/", { access: "public", directory, fallback: "index.html" }),
        Files.serve("/plain", {
          access: "public",
          directory,
          immutable: /^assets\//,
          index: false,
          maxAge: "1 hour",
          precompressed: false,
          types: { qqq: "text/x-question" }
        })
      ]
    })
  ])

/** `fetch` would ask for codings, and decode what is none. */
const plain = { "accept-encoding": "identity" }

const navigation = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" }

const listener = (name: string) => (app: ReturnType<typeof appOf>) =>
  TestApp.listening(app, { config: { server: { listener: name } } })

const places = [
  ["in memory", (app: ReturnType<typeof appOf>) => TestApp.make(app)],
  ["on the node listener", listener("node")],
  ["on the proxied listener", listener("proxied")]
] as const

for (const [place, boot] of places) {
  const served = <E>(
    rule: string,
    run: (test: Effect.Success<ReturnType<typeof boot>>, root: string) => Effect.Effect<unknown, E>
  ) =>
    it.live(rule, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { root } = yield* site
          const test = yield* boot(appOf(root))
          yield* run(test, root)
        })
      )
    )

  describe(`static files ${place}`, () => {
    served("are sent with type, validators and rules for caches", (test) =>
      Effect.gen(function* () {
        const reply = (yield* test.get("/app.js", { headers: plain })).expectStatus(200)
        expect(reply.text).toBe(script)
        for (const [name, value] of Object.entries({
          "accept-ranges": "bytes",
          "cache-control": "public, no-cache",
          "content-length": "25",
          "content-type": "text/javascript; charset=utf-8",
          vary: "Accept-Encoding",
          "x-content-type-options": "nosniff"
        })) {
          expect(reply.headers.get(name), name).toBe(value)
        }
        expect(reply.headers.get("etag")).toMatch(/^"[\da-z]+-[\da-z]+"$/)
        expect(Date.parse(reply.headers.get("last-modified")!)).toBeGreaterThan(0)
        const head = (yield* test.request("HEAD", "/app.js", { headers: plain })).expectStatus(200)
        expect(head.text).toBe("")
        expect(head.headers.get("content-length")).toBe("25")
      })
    )

    served("have the rules of their names", (test) =>
      Effect.gen(function* () {
        const rule = (path: string) =>
          Effect.map(test.get(path), (reply) => reply.headers.get("cache-control"))
        const year = "public, max-age=31536000, immutable"
        expect(yield* rule("/assets/main.8e0d1f2a.min.js")).toBe(year)
        expect(yield* rule("/assets/main.8e0d1f2a.min.js")).toBe(year)
        expect(yield* rule("/assets/report-20261126.txt")).toBe("public, no-cache")
        expect(yield* rule("/plain/assets/report-20261126.txt")).toBe(year)
        expect(yield* rule("/plain/app.js")).toBe("public, max-age=3600")
        expect(yield* rule("/index.html")).toBe("public, no-cache")
        const type = yield* test.get("/plain/unknown.qqq")
        expect(type.headers.get("content-type")).toBe("text/x-question; charset=utf-8")
        const unknown = yield* test.get("/unknown.qqq")
        expect(unknown.headers.get("content-type")).toBe("application/octet-stream")
      })
    )

    served("are sent again only if they have changed", (test, root) =>
      Effect.gen(function* () {
        const first = yield* test.get("/app.js", { headers: plain })
        const etag = first.headers.get("etag")!
        const modified = first.headers.get("last-modified")!
        const cases: ReadonlyArray<readonly [Record<string, string>, number]> = [
          [{ "if-none-match": etag }, 304],
          [{ "if-none-match": `"x", W/${etag}` }, 304],
          [{ "if-none-match": "*" }, 304],
          [{ "if-none-match": '"x"' }, 200],
          [{ "if-modified-since": modified }, 304],
          [{ "if-modified-since": "soon" }, 200],
          [{ "if-modified-since": new Date(0).toUTCString() }, 200],
          [{ "if-modified-since": modified, "if-none-match": '"x"' }, 200],
          [{ "if-match": etag }, 200],
          [{ "if-match": `W/${etag}` }, 412],
          [{ "if-match": '"x"' }, 412],
          [{ "if-unmodified-since": new Date(0).toUTCString() }, 412],
          [{ "if-match": "*", "if-unmodified-since": new Date(0).toUTCString() }, 200]
        ]
        for (const [headers, status] of cases) {
          const reply = yield* test.get("/app.js", { headers: { ...plain, ...headers } })
          expect([headers, reply.status]).toEqual([headers, status])
          if (status === 304) expect(reply.headers.get("etag")).toBe(etag)
        }
        yield* Effect.promise(() => writeFile(join(root, "app.js"), "export {}"))
        ;(yield* test.get("/app.js", {
          headers: { ...plain, "if-none-match": etag }
        })).expectStatus(200)
      })
    )

    served("with the one time of a build tool are told apart", (test, root) =>
      Effect.gen(function* () {
        const build = (text: string) =>
          Effect.promise(async () => {
            // A new build has new files, of the same length and time.
            await writeFile(join(root, "next.html"), text)
            await utimes(join(root, "next.html"), stamp, stamp)
            await rename(join(root, "next.html"), join(root, "built.html"))
          })
        yield* build("main-1")
        const first = yield* test.get("/built.html", { headers: plain })
        const etag = first.headers.get("etag")!
        expect(first.headers.has("last-modified")).toBe(false)
        // It does not show the number of the file, nor when it came to the machine.
        expect(etag).toMatch(/^"6-[\w-]{16}"$/)
        const again = { headers: { ...plain, "if-none-match": etag } }
        ;(yield* test.get("/built.html", again)).expectStatus(304)
        // The clock of a file system has steps.
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
        yield* build("main-2")
        const since = { "if-modified-since": stamp.toUTCString() }
        for (const headers of [{ "if-none-match": etag }, since]) {
          const reply = yield* test.get("/built.html", { headers: { ...plain, ...headers } })
          expect([reply.status, reply.text]).toEqual([200, "main-2"])
        }
      })
    )

    served("have the precompressed forms that are on disk", (test, root) =>
      Effect.gen(function* () {
        const path = join(root, "forms", "a.js")
        const old = new Date(Date.now() - 60_000)
        const read = Effect.map(
          test.get("/forms/a.js", { headers: { "accept-encoding": "gzip, br" } }),
          (reply) => [reply.headers.get("content-encoding"), reply.headers.get("vary")]
        )
        yield* Effect.promise(async () => {
          await mkdir(join(root, "forms"))
          await writeFile(path, script)
          await utimes(path, old, old)
          // A folder that was changed just now may be changed again without another time.
          await new Promise((resolve) => setTimeout(resolve, 2100))
        })
        const none = [null, "Accept-Encoding"]
        expect(yield* Effect.all([read, read, read], { concurrency: 3 })).toEqual([
          none,
          none,
          none
        ])
        yield* Effect.promise(() => writeFile(`${path}.gz`, gzipSync(script)))
        expect(yield* read).toEqual(["gzip", "Accept-Encoding"])
        yield* Effect.promise(() => writeFile(`${path}.br`, brotliCompressSync(script)))
        expect(yield* read).toEqual(["br", "Accept-Encoding"])
        yield* Effect.promise(() => rm(`${path}.br`))
        expect(yield* read).toEqual(["gzip", "Accept-Encoding"])
      })
    )

    served("that are kept in memory are those on disk", (test, root) =>
      Effect.gen(function* () {
        const path = join(root, "kept.txt")
        const old = new Date(Date.now() - 60_000)
        const write = (text: string) =>
          Effect.promise(async () => {
            await writeFile(path, text)
            await utimes(path, old, old)
          })
        const read = Effect.map(test.get("/kept.txt"), (reply) => reply.text)
        yield* write("new")
        expect([yield* read, yield* read]).toEqual(["new", "new"])
        yield* write("one")
        expect([yield* read, yield* read]).toEqual(["one", "one"])
        // A file that was written just now may be written again without another time: it is kept later.
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 2100)))
        expect([yield* read, yield* read]).toEqual(["one", "one"])
        const part = yield* test.get("/kept.txt", { headers: { range: "bytes=1-1" } })
        expect([part.status, part.text]).toEqual([206, "n"])
        // The same length and the same time of change.
        yield* write("two")
        expect([yield* read, yield* read]).toEqual(["two", "two"])
        yield* Effect.promise(async () => {
          await rm(path)
          await symlink(join(root, "..", "secret.txt"), path)
        })
        ;(yield* test.get("/kept.txt")).expectStatus(404)
        yield* Effect.promise(() => rm(path))
        ;(yield* test.get("/kept.txt")).expectStatus(404)
        yield* write("three")
        expect(yield* read).toBe("three")
      })
    )

    served("are sent in parts", (test) =>
      Effect.gen(function* () {
        const etag = (yield* test.get("/big.bin")).headers.get("etag")!
        const part = (range: string, headers: Record<string, string> = {}) =>
          test.get("/big.bin", { headers: { range, ...headers } })
        const cases: ReadonlyArray<readonly [string, number, string | null, number]> = [
          ["bytes=0-4", 206, "bytes 0-4/1000000", 5],
          ["bytes=999998-", 206, "bytes 999998-999999/1000000", 2],
          ["bytes=-3", 206, "bytes 999997-999999/1000000", 3],
          ["bytes=0-9999999", 206, "bytes 0-999999/1000000", 1_000_000],
          ["bytes=5-4", 200, null, 1_000_000],
          ["bytes=0-1,3-4", 200, null, 1_000_000],
          ["lines=0-1", 200, null, 1_000_000],
          ["bytes=0-99999999999999999999", 200, null, 1_000_000]
        ]
        for (const [range, status, header, length] of cases) {
          const reply = yield* part(range)
          expect([range, reply.status, reply.headers.get("content-range")]).toEqual([
            range,
            status,
            header
          ])
          expect(reply.text.length).toBe(length)
        }
        expect((yield* part("bytes=12-15")).text).toBe("2345")
        const outside = (yield* part("bytes=1000000-")).expectProblem(
          "DOWNLOAD_RANGE_NOT_SATISFIABLE",
          416
        )
        expect(outside.headers.get("content-range")).toBe("bytes */1000000")
        expect((yield* part("bytes=0-4", { "if-range": etag })).status).toBe(206)
        expect((yield* part("bytes=0-4", { "if-range": '"x"' })).status).toBe(200)
        expect((yield* part("bytes=0-4", { "if-range": `W/${etag}` })).status).toBe(200)
        ;(yield* test.get("/empty.txt", { headers: { range: "bytes=0-" } })).expectStatus(416)
        expect((yield* test.get("/empty.txt")).expectStatus(200).text).toBe("")
      })
    )

    served("are sent precompressed if the client likes it", (test) =>
      Effect.gen(function* () {
        const coded = (accept: string, path = "/app.js") =>
          Effect.map(
            test.request("HEAD", path, { headers: { "accept-encoding": accept } }),
            ({ headers }) => [headers.get("content-encoding"), headers.get("vary")] as const
          )
        const vary = "Accept-Encoding"
        expect(yield* coded("gzip, deflate, br, zstd")).toEqual(["br", vary])
        expect(yield* coded("gzip;q=1, br;q=0.5, zstd;q=0.9")).toEqual(["gzip", vary])
        expect(yield* coded("zstd, br;q=0")).toEqual(["zstd", vary])
        expect(yield* coded("*;q=0.1")).toEqual(["br", vary])
        expect(yield* coded("identity, br;q=0.5")).toEqual([null, vary])
        expect(yield* coded("deflate")).toEqual([null, vary])
        // It is older than the file.
        expect(yield* coded("br", "/old.css")).toEqual([null, vary])
        expect(yield* coded("br", "/picture.png")).toEqual([null, null])
        expect(yield* coded("br", "/plain/app.js")).toEqual([null, null])
        const whole = yield* test.request("HEAD", "/app.js", { headers: plain })
        const brotli = yield* test.request("HEAD", "/app.js", {
          headers: { "accept-encoding": "br" }
        })
        expect(brotli.headers.get("etag")).not.toBe(whole.headers.get("etag"))
        expect(brotli.headers.get("content-type")).toBe("text/javascript; charset=utf-8")
        expect(brotli.headers.get("content-length")).toBe("6")
      })
    )

    served("answer folders with their index, and pages of an application with its page", (test) =>
      Effect.gen(function* () {
        expect((yield* test.get("/")).expectStatus(200).text).toBe("<h1>home</h1>")
        expect((yield* test.get("/docs/")).expectStatus(200).text).toBe("<h1>docs</h1>")
        const moved = yield* test.get("/docs?a=1")
        expect([moved.status, moved.headers.get("location")]).toEqual([308, "/docs/?a=1"])
        const page = (yield* test.get("/users/ada.lovelace", {
          headers: navigation
        })).expectStatus(200)
        expect(page.text).toBe("<h1>home</h1>")
        expect(page.headers.get("vary")).toBe("Accept, Accept-Encoding")
        for (const [path, headers] of [
          ["/assets/gone.js", navigation],
          ["/users/7", { accept: "*/*" }],
          ["/users/7", { accept: "application/json" }],
          ["/users/7", { accept: "text/html;q=0, */*" }],
          ["/users/7", {}],
          ["/plain/users/7", navigation],
          ["/plain/", navigation],
          ["/plain/docs", navigation],
          ["/empty/", {}],
          ["/app.js/", {}]
        ] as const) {
          const reply = yield* test.get(path, { headers })
          reply.expectProblem("ROUTE_NOT_FOUND", 404)
          // A cache must not answer a browser with it.
          const varies = headers !== navigation && !path.startsWith("/app.js")
          expect([path, reply.headers.get("vary")]).toEqual([path, varies ? "Accept" : null])
        }
        // An endpoint comes first.
        expect((yield* test.get("/v1/shop")).json).toBe("tea")
      })
    )

    served("leave other methods to nobody", (test) =>
      Effect.gen(function* () {
        for (const method of ["POST", "PUT", "DELETE"]) {
          const reply = yield* test.request(method, "/app.js")
          reply.expectProblem("METHOD_NOT_ALLOWED", 405)
          expect(reply.headers.get("allow")).toBe("GET, HEAD, OPTIONS")
        }
        const options = yield* test.request("OPTIONS", "/app.js")
        expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"])
      })
    )

    served("never lead out of the directory, and hide what begins with a dot", (test) =>
      Effect.gen(function* () {
        const {
          correlationId: _,
          instance: __,
          ...unknown
        } = (yield* test.get("/unknown.css")).json as Record<string, unknown>
        const long = "a".repeat(300)
        for (const path of [
          "/.env",
          "/.git/config",
          "/%2eenv",
          "/docs/.well-known/x",
          "/..%2fsecret.txt",
          "/%2e%2e%2fsecret.txt",
          "/..%5csecret.txt",
          "/%252e%252e%252fsecret.txt",
          "/docs/%2e%2e%2f%2e%2e%2fsecret.txt",
          "/docs%2findex.html",
          "/docs//index.html",
          "/app.js%00.png",
          "/app.js%0a",
          "/C:%5cwindows",
          "/con.txt",
          "/nul",
          "/app.js.",
          "/app.js%20",
          "/app.js::$DATA",
          "/out.txt",
          "/up/secret.txt",
          "/up/public/app.js",
          "/loop",
          "/pipe",
          `/${long}`,
          `/${`${"a".repeat(100)}/`.repeat(9)}x`
        ]) {
          const reply = yield* test.get(path, {
            headers: path === "/pipe" ? { ...navigation, ...plain } : plain
          })
          if (path === "/up/public/app.js") {
            // The link leads out, and its end is in the directory again.
            expect(reply.status, path).toBe(200)
            continue
          }
          if (path === "/pipe") {
            expect(reply.text).toBe("<h1>home</h1>")
            continue
          }
          reply.expectProblem("ROUTE_NOT_FOUND", 404)
          const { correlationId, instance, ...rest } = reply.json as Record<string, unknown>
          expect([typeof correlationId, instance, rest]).toEqual(["string", instance, unknown])
        }
        expect((yield* test.get("/in.js", { headers: plain })).text).toBe(script)
        expect((yield* test.get("/.well-known/security.txt")).text).toMatch(/^Contact/)
        expect((yield* test.get("/a%20b.txt")).text).toBe("blank")
        expect((yield* test.get("/%C3%A9.txt")).text).toBe("accent")
        ;(yield* test.get("/%ff.txt")).expectStatus(400)
      })
    )

    if (place === "in memory") return

    served("answer the exact bytes of a target", (test) =>
      Effect.promise(async () => {
        for (const target of [
          "/../secret.txt",
          "/docs/../../secret.txt",
          "/./.env",
          "/%2e%2e/secret.txt",
          "/.%2e/secret.txt",
          "/docs/..",
          "//etc/passwd",
          "/..\\secret.txt",
          "/app.js;x",
          "/plain/../.env",
          "/plain..%2f.env"
        ]) {
          const status = await new Promise<string>((resolve, reject) => {
            const socket = connect(Number(new URL(test.url).port), "127.0.0.1")
            let text = ""
            socket.on("data", (piece) => (text += piece))
            socket.on("error", reject)
            socket.on("close", () => resolve(text.slice(9, 12)))
            socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
          })
          expect(["400", "404"], `${target} ${status}`).toContain(status)
        }
      })
    )

    served("that become shorter while they are sent are cut", (test, root) =>
      Effect.promise(async () => {
        await writeFile(join(root, "huge.bin"), Buffer.alloc(30_000_000))
        const reader = (await fetch(`${test.url}/huge.bin`)).body!.getReader()
        await reader.read()
        await truncate(join(root, "huge.bin"), 1000)
        const rest = async () => {
          while (!(await reader.read()).done);
        }
        await expect(rest()).rejects.toThrow()
      })
    )

    served("are closed when their client leaves", (test, root) =>
      Effect.promise(async () => {
        const path = join(root, "huge.bin")
        await writeFile(path, Buffer.alloc(30_000_000))
        const openOnes = async () => {
          const names = await readdir("/proc/self/fd")
          const links = await Promise.all(
            names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => ""))
          )
          return links.filter((link) => link === path).length
        }
        // A reply of the test before may have one yet.
        await expect.poll(openOnes, { timeout: 60_000 }).toBe(0)
        const leave = new AbortController()
        const replies = await Promise.all(
          Array.from({ length: 8 }, () => fetch(`${test.url}/huge.bin`, { signal: leave.signal }))
        )
        await Promise.all(replies.map(({ body }) => body!.getReader().read()))
        expect(await openOnes()).toBe(8)
        leave.abort()
        await expect.poll(openOnes, { timeout: 60_000 }).toBe(0)
      })
    )
  })
}

describe("a directory of static files", () => {
  it.effect("that does not exist, or is a file, fails the boot", () =>
    Effect.gen(function* () {
      for (const directory of ["/nowhere/at/all", import.meta.filename]) {
        const error = yield* Effect.flip(Effect.scoped(TestApp.make(appOf(directory))))
        expect(String(error)).toContain(JSON.stringify(directory))
      }
    })
  )

  it("is refused with a path that is no prefix", () => {
    for (const path of ["/assets/", "/a//b", "/a/*", "/:a", "//"] as const) {
      expect(() => Files.serve(path, { access: "public", directory: "." })).toThrow(
        /Write "\/" or a path/
      )
    }
  })
})
