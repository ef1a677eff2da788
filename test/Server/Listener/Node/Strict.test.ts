import * as Net from "node:net"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { socketListener } from "../../../matrix/combination.ts"
import { type Running, start } from "../../process.ts"

let running: Running
beforeAll(async () => {
  running = await start("test/Server/fixtures/slow.ts", {
    FLANGE__SERVER__HEADERS_TIMEOUT: "1 second",
    FLANGE__SERVER__REQUEST_TIMEOUT: "1 second"
  })
})
afterAll(() => running.child.kill("SIGKILL"))

/** Sends bytes as they are, and gives everything that comes until the connection closes. */
const send = (text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = Net.connect(Number(new URL(running.url).port), "127.0.0.1")
    let received = ""
    socket.on("data", (chunk) => (received += chunk))
    socket.on("end", () => resolve(received))
    socket.on("error", reject)
    socket.write(text)
  })

const cases: ReadonlyArray<readonly [name: string, request: string, status: number, code: string]> =
  [
    ["a missing Host", "GET /slow/0 HTTP/1.1\r\n\r\n", 400, "MALFORMED_REQUEST"],
    ["two Hosts", "GET /slow/0 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "MALFORMED_REQUEST"],
    [
      "two equal Hosts",
      "GET /slow/0 HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
      400,
      "MALFORMED_REQUEST"
    ],
    ["a Host with a path", "GET /slow/0 HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "MALFORMED_REQUEST"],
    ["a Host with a user", "GET /slow/0 HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, "MALFORMED_REQUEST"],
    ["an empty Host", "GET /slow/0 HTTP/1.1\r\nHost:\r\n\r\n", 400, "MALFORMED_REQUEST"],
    [
      "a Host with an address zone",
      "GET /slow/0 HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n",
      400,
      "MALFORMED_REQUEST"
    ],
    [
      "a Host with a port beyond 65535",
      "GET /slow/0 HTTP/1.1\r\nHost: a:65536\r\n\r\n",
      400,
      "MALFORMED_REQUEST"
    ],
    [
      "a version other than HTTP/1.x",
      "GET /slow/0 HTTP/2.0\r\nHost: a\r\n\r\n",
      505,
      "HTTP_VERSION_NOT_SUPPORTED"
    ],
    [
      "two Transfer-Encodings",
      "POST /slow/0 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
      "MALFORMED_REQUEST"
    ],
    [
      "Transfer-Encoding on HTTP/1.0",
      "POST /slow/0 HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
      "MALFORMED_REQUEST"
    ],
    [
      "a coding before chunked",
      "POST /slow/0 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      501,
      "UNSUPPORTED_CODING"
    ],
    [
      "Content-Length with Transfer-Encoding",
      "POST /slow/0 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
      "MALFORMED_REQUEST"
    ],
    ["a request line without version", "GET /slow/0\r\n\r\n", 400, "MALFORMED_REQUEST"],
    ["no HTTP at all", "hello there\r\n\r\n", 400, "MALFORMED_REQUEST"],
    [
      "a head over the limit",
      `GET /slow/0 HTTP/1.1\r\nHost: a\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`,
      431,
      "HEADERS_TOO_LARGE"
    ],
    ["a head that does not arrive", "GET /slow/0 HTTP/1.1\r\nHost:", 408, "REQUEST_TIMEOUT"]
  ]

describe(`the ${socketListener} listener refuses`, () => {
  for (const [name, request, status, code] of cases) {
    it(`${name} with ${status} ${code}, a date, an id, and a closed connection`, async () => {
      const reply = await send(request)
      const [head, body] = reply.split("\r\n\r\n") as [string, string]
      assert.match(head, new RegExp(`^HTTP/1.1 ${status} `))
      assert.match(head, /^date: /im)
      assert.match(head, /^connection: close$/im)
      assert.match(head, /^content-type: application\/problem\+json$/im)
      const problem = JSON.parse(body)
      assert.strictEqual(problem.code, code)
      const id = /^x-request-id: (.+)$/im.exec(head)?.[1]
      assert.isDefined(id)
      assert.strictEqual(problem.correlationId, id)
    })
  }

  it("with the id and the path of the request", async () => {
    const reply = await send("GET /slow/0?a HTTP/1.1\r\nHost: a/b\r\nX-Request-Id: mine\r\n\r\n")
    const [head, body] = reply.split("\r\n\r\n") as [string, string]
    assert.match(head, /^x-request-id: mine$/im)
    assert.deepInclude(JSON.parse(body), { correlationId: "mine", instance: "/slow/0" })
  })

  it("garbage only after the replies to the requests before it are out", async () => {
    const reply = await send("GET /slow/300 HTTP/1.1\r\nHost: a\r\n\r\nhello there\r\n\r\n")
    assert.deepStrictEqual(
      [...reply.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status),
      ["200", "400"]
    )
  })
})
