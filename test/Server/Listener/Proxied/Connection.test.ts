import { setTimeout as sleep } from "node:timers/promises"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { afterEach, assert, describe, it } from "vitest"
import * as RequestId from "../../../../src/Server/Exchange/RequestId.ts"
import type { BodyFailure, Wire } from "../../../../src/Server/Exchange/Wire.ts"
import { bytesOf, cases } from "./Parse/cases.ts"
import { byByte, generator, read, split } from "./Parse/verdict.ts"
import { type Client, type Given, replies, type Rig, start } from "./rig.ts"

let rig: Rig | undefined
afterEach(async () => {
  await rig?.close()
  rig = undefined
})

const serve = async (given: Given): Promise<Client> => {
  rig = await start(given)
  return rig.connect()
}

const bytes = (text: string) => text.replaceAll("^", "\r\n")
const get = (target: string, fields = "") => bytes(`GET ${target} HTTP/1.1^Host: a^${fields}^`)
const post = (target: string, fields: string, body: string) =>
  bytes(`POST ${target} HTTP/1.1^Host: a^${fields}^^${body}`)

/** Answers at once with what it was asked; to a body that cannot be read as an exchange does. */
const echo = (wire: Wire): boolean => {
  wire.body(1_000_000, (body) => {
    if (typeof body === "string") {
      const status = body === "TooLarge" ? 413 : 400
      const problem = { code: "BODY", correlationId: RequestId.make(), status }
      wire.send(status, ["content-type", "application/problem+json"], JSON.stringify(problem))
    } else {
      wire.send(
        200,
        ["x-method", wire.method],
        `${wire.target} ${Buffer.from(body).toString("latin1")}`
      )
    }
  })
  return true
}

/** Keeps requests until the test answers them. */
const held = () => {
  const wires: Array<Wire> = []
  const waiting: Array<() => void> = []
  return {
    dispatch: (wire: Wire) => {
      wires.push(wire)
      for (const wake of waiting.splice(0)) wake()
      return true
    },
    until: async (count: number) => {
      while (wires.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
      return wires
    },
    wires
  }
}

/** Until the event loop has seen what is under way on loopback. */
const settle = () => sleep(50)

/**
 * The status that a refusal should have. Trailers are part of the body, and an exchange answers
 * every malformed body with 400.
 */
const statusOf = (name: string, end: string): number | undefined => {
  const status = /^(\d+) /.exec(end)?.[1]
  return status === "431" && name.includes("trailer")
    ? 400
    : status === undefined
      ? undefined
      : Number(status)
}

describe("a refused request on a real connection", () => {
  it("gets its status after the replies to those before it, and the connection ends", async () => {
    rig = await start({ dispatch: echo })
    for (const [name, text] of cases) {
      const expected = read([bytesOf(text)])
      const status = statusOf(name, expected.end)
      if (status === undefined) continue
      const client = await rig.connect()
      client.send(bytesOf(text))
      const got = replies(
        await client.end(),
        expected.requests.map(({ method }) => method)
      )
      assert.deepStrictEqual(
        got.map((reply) => reply.status),
        [...expected.requests.map(() => 200), status],
        name
      )
      const { body, headers } = got.at(-1)!
      assert.strictEqual(headers["content-type"], "application/problem+json", name)
      assert.strictEqual(headers["connection"], "close", name)
      assert.match(headers["date"]!, / GMT$/, name)
      const problem = JSON.parse(body)
      assert.strictEqual(problem.status, status, name)
      assert.match(problem.code, /^[A-Z_]+$/, name)
      assert.match(problem.correlationId, /^[0-9a-f-]{36}$/, name)
      client.destroy()
    }
  })

  it("is refused alike however its bytes are cut", async () => {
    rig = await start({ dispatch: echo })
    const random = generator(7)
    for (const [name, text] of cases.filter(([, text]) => text.length < 200)) {
      const expected = read([bytesOf(text)])
      const status = statusOf(name, expected.end)
      if (status === undefined) continue
      const client = await rig.connect()
      for (const piece of random() < 0.3 ? byByte(bytesOf(text)) : split(bytesOf(text), random)) {
        client.send(piece)
        await new Promise(setImmediate)
      }
      const got = replies(
        await client.end(),
        expected.requests.map(({ method }) => method)
      )
      assert.strictEqual(got.at(-1)!.status, status, name)
      client.destroy()
    }
  })

  it("waits for replies that are still owed, in order", async () => {
    const hold = held()
    const client = await serve({ dispatch: hold.dispatch })
    client.send(get("/a") + get("/b") + bytes("GET / HTTP/1.1^Host: a b^^"))
    const [a, b] = await hold.until(2)
    b!.send(200, [], "b")
    await settle()
    assert.strictEqual(client.text, "")
    a!.send(200, [], "a")
    const all = replies(await client.end())
    assert.deepStrictEqual(
      all.map(({ body, status }) => (status === 200 ? body : status)),
      ["a", "b", 400]
    )
  })
})

describe("replies", () => {
  it("come in the order of the requests, whichever is ready first", async () => {
    const hold = held()
    const client = await serve({ dispatch: hold.dispatch })
    client.send(get("/a") + get("/b") + get("/c"))
    const [a, b, c] = await hold.until(3)
    c!.send(200, [], "c")
    a!.send(200, [], "a")
    assert.strictEqual((await client.reply()).body, "a")
    b!.send(200, [], "b")
    assert.strictEqual((await client.reply()).body, "b")
    assert.strictEqual((await client.reply()).body, "c")
  })

  it("mix opened requests and others in order", async () => {
    const hold = held()
    const client = await serve({
      dispatch: (wire) => wire.target !== "/general" && hold.dispatch(wire),
      exchange: Effect.succeed(HttpServerResponse.text("general"))
    })
    client.send(get("/a") + get("/general") + get("/b"))
    const [a, b] = await hold.until(2)
    b!.send(200, [], "b")
    await settle()
    assert.strictEqual(client.text, "")
    a!.send(200, [], "a")
    assert.strictEqual((await client.reply()).body, "a")
    assert.strictEqual((await client.reply()).body, "general")
    assert.strictEqual((await client.reply()).body, "b")
  })

  it("carry length, date and no body where HTTP says so", async () => {
    const client = await serve({
      dispatch: (wire) => {
        wire.send(Number(wire.target.slice(1)), [], "hello")
        return true
      }
    })
    client.send(bytes("HEAD /200 HTTP/1.1^Host: a^^"))
    const head = await client.reply("HEAD")
    assert.strictEqual(head.headers["content-length"], "5")
    assert.match(head.headers["date"]!, /GMT$/)
    client.send(get("/204") + get("/304") + get("/200"))
    const noContent = await client.reply()
    assert.strictEqual(noContent.status, 204)
    assert.notProperty(noContent.headers, "content-length")
    const notModified = await client.reply()
    assert.strictEqual(notModified.status, 304)
    assert.strictEqual((await client.reply()).body, "hello")
  })

  it("keep text beyond ASCII and bytes of every size", async () => {
    const text = "h\u00e9llo \u{1f600} \u4e16"
    const big = Buffer.alloc(3_000_000, "0123456789")
    const client = await serve({
      dispatch: (wire) => {
        if (wire.target === "/text") wire.send(200, ["x-latin", "caf\xe9"], text)
        else wire.send(200, [], big.subarray(0, Number(wire.target.slice(1))))
        return true
      }
    })
    client.send(get("/text"))
    const reply = await client.reply()
    assert.strictEqual(reply.body, text)
    assert.strictEqual(reply.headers["x-latin"], "caf\xe9")
    for (const size of [0, 1, 16_384, 16_385, 3_000_000]) {
      client.send(get(`/${size}`))
      assert.strictEqual((await client.reply()).body.length, size)
    }
  })

  it("are not written with a field that would end its line", async () => {
    const errors: Array<string> = []
    const client = await serve({
      dispatch: (wire) => {
        for (const [name, value] of [
          ["x", "a\r\nb: c"],
          ["x y", "a"],
          ["", "a"],
          ["x", "\u4e16"]
        ]) {
          try {
            wire.send(200, [name!, value!], "")
          } catch (error) {
            errors.push((error as Error).message)
          }
        }
        wire.send(200, [], "ok")
        return true
      }
    })
    client.send(get("/"))
    assert.strictEqual((await client.reply()).body, "ok")
    assert.strictEqual(errors.length, 4)
  })

  it("that a handler sends twice count once", async () => {
    const client = await serve({
      dispatch: (wire) => {
        wire.send(200, [], "first")
        wire.send(200, [], "second")
        return true
      }
    })
    client.send(get("/") + get("/"))
    assert.strictEqual((await client.reply()).body, "first")
    assert.strictEqual((await client.reply()).body, "first")
    assert.strictEqual(client.text, "")
  })
})

describe("backpressure", () => {
  it("handles no more pipelined requests at once than configured", async () => {
    const hold = held()
    const client = await serve({ config: { maxPipelined: 3 }, dispatch: hold.dispatch })
    client.send(Array.from({ length: 10 }, (_, i) => get(`/${i}`)).join(""))
    await hold.until(3)
    await settle()
    assert.strictEqual(hold.wires.length, 3)
    hold.wires[0]!.send(200, [], "0")
    await hold.until(4)
    await settle()
    assert.strictEqual(hold.wires.length, 4)
    for (let i = 1; i < 10; i++) (await hold.until(i + 1))[i]!.send(200, [], String(i))
    for (let i = 0; i < 10; i++) assert.strictEqual((await client.reply()).body, String(i))
  })

  it("reads no request while the client does not read replies", async () => {
    let served = 0
    const body = Buffer.alloc(1_000_000)
    const client = await serve({
      dispatch: (wire) => {
        served++
        wire.send(200, [], body)
        return true
      }
    })
    client.socket.pause()
    client.send(get("/").repeat(100))
    await sleep(300)
    assert.isBelow(served, 100)
    client.socket.resume()
    for (let i = 0; i < 100; i++) assert.strictEqual((await client.reply()).status, 200)
    assert.strictEqual(served, 100)
  })

  it("reads no body that nobody asks for", async () => {
    const hold = held()
    const client = await serve({ dispatch: hold.dispatch })
    const length = 20_000_000
    client.send(post("/", `Content-Length: ${length}`, ""))
    const written = new Promise<void>((resolve) =>
      client.socket.write(Buffer.alloc(length, "x"), () => resolve())
    )
    const [wire] = await hold.until(1)
    await sleep(200)
    assert.isAbove(client.socket.writableLength, 0)
    const body = await new Promise<BodyFailure | Uint8Array>((resolve) =>
      wire!.body(length, resolve)
    )
    assert.strictEqual((body as Uint8Array).length, length)
    await written
    wire!.send(200, [], "ok")
    assert.strictEqual((await client.reply()).body, "ok")
  })

  it("streams the large body of an opened request at the pace of its reader", async () => {
    const client = await serve({
      exchange: Effect.flatMap(HttpServerRequest, (request) =>
        Effect.map(
          Stream.runFoldEffect(
            request.stream,
            () => 0,
            (total: number, chunk) => Effect.as(Effect.yieldNow, total + chunk.length)
          ),
          (total) => HttpServerResponse.text(String(total))
        )
      ).pipe(Effect.orDie)
    })
    client.send(post("/", "Content-Length: 5000000", ""))
    client.send(Buffer.alloc(5_000_000))
    assert.strictEqual((await client.reply()).body, "5000000")
    client.send(get("/"))
    assert.strictEqual((await client.reply()).body, "0")
  })
})

describe("the connection", () => {
  const persistence: ReadonlyArray<readonly [string, string, string | undefined, boolean]> = [
    ["HTTP/1.1 stays", "GET / HTTP/1.1^Host: a^^", undefined, true],
    ["HTTP/1.1 with close ends", "GET / HTTP/1.1^Host: a^Connection: close^^", "close", false],
    [
      "HTTP/1.1 with CLOSE in a list ends",
      "GET / HTTP/1.1^Host: a^Connection: TE, CLOSE^^",
      "close",
      false
    ],
    [
      "HTTP/1.1 with close and keep-alive ends",
      "GET / HTTP/1.1^Host: a^Connection: close^Connection: keep-alive^^",
      "close",
      false
    ],
    ["HTTP/1.0 ends", "GET / HTTP/1.0^^", "close", false],
    [
      "HTTP/1.0 with keep-alive stays",
      "GET / HTTP/1.0^Connection: Keep-Alive^^",
      "keep-alive",
      true
    ]
  ]
  for (const kind of ["whole", "opened"]) {
    it.each(persistence)(`${kind} request: %s`, async (_, request, expected, stays) => {
      const client = await serve({
        dispatch: (wire) => kind === "whole" && echo(wire),
        exchange: Effect.succeed(HttpServerResponse.text("ok"))
      })
      client.send(bytes(request))
      const reply = await client.reply()
      assert.strictEqual(reply.headers["connection"], expected)
      if (stays) {
        client.send(get("/"))
        assert.strictEqual((await client.reply()).status, 200)
      } else assert.strictEqual(await client.end(), "")
    })
  }

  it("answers nothing after a request that closes", async () => {
    const client = await serve({ dispatch: echo })
    client.send(get("/a", "Connection: close^") + get("/b"))
    assert.deepStrictEqual(
      replies(await client.end()).map(({ body }) => body),
      ["/a "]
    )
  })

  it("ends where a handler says so", async () => {
    const client = await serve({
      dispatch: (wire) => {
        wire.send(200, ["connection", "close"], "")
        return true
      }
    })
    client.send(get("/"))
    assert.strictEqual((await client.reply()).headers["connection"], "close")
    assert.strictEqual(await client.end(), "")
  })

  it("skips a short body that nobody read", async () => {
    const client = await serve({
      dispatch: (wire) => {
        wire.send(200, [], wire.target)
        return true
      }
    })
    client.send(post("/a", "Content-Length: 5", "hello") + get("/b"))
    assert.strictEqual((await client.reply()).body, "/a")
    assert.strictEqual((await client.reply()).body, "/b")
    client.send(post("/c", "Transfer-Encoding: chunked", "5^hello^0^^") + get("/d"))
    assert.strictEqual((await client.reply()).body, "/c")
    assert.strictEqual((await client.reply()).body, "/d")
  })

  it("ends after the reply where a long body was not read", async () => {
    const client = await serve({
      dispatch: (wire) => {
        wire.send(413, [], "no")
        return true
      }
    })
    client.send(post("/a", "Content-Length: 10000000", "hello"))
    const reply = await client.reply()
    assert.strictEqual(reply.headers["connection"], "close")
    client.send(Buffer.alloc(2_000_000))
    assert.strictEqual(await client.end(), "")
  })

  it("ends where a chunked body that nobody reads does not", async () => {
    const client = await serve({
      dispatch: (wire) => {
        wire.send(200, [], "no")
        return true
      }
    })
    client.send(post("/a", "Transfer-Encoding: chunked", "100000^"))
    await client.reply()
    client.send(Buffer.alloc(600_000))
    assert.strictEqual(await client.end(), "")
  })
})

describe("bodies", () => {
  const bodyOf = (limit: number) => ({
    dispatch: (wire: Wire) => {
      wire.body(limit, (body) =>
        wire.send(
          typeof body === "string" ? 400 : 200,
          [],
          typeof body === "string" ? body : Buffer.from(body)
        )
      )
      return true
    }
  })

  it("are given at once where they came with the head", async () => {
    let inTime = false
    const client = await serve({
      dispatch: (wire) => {
        let given = false
        wire.body(100, () => (given = true))
        inTime = given
        wire.send(200, [], "")
        return true
      }
    })
    client.send(post("/", "Content-Length: 5", "hello"))
    await client.reply()
    assert.isTrue(inTime)
  })

  it.each([
    ["too long by its chunks", "Transfer-Encoding: chunked", "3^abc^3^def^0^^", "TooLarge"],
    ["malformed", "Transfer-Encoding: chunked", "3^abcd^", "Malformed"]
  ])("that are %s say so, and the connection ends", async (_, fields, body, failure) => {
    const client = await serve(bodyOf(5))
    client.send(post("/", fields, body))
    const [reply] = replies(await client.end())
    assert.strictEqual(reply!.body, failure)
    assert.strictEqual(reply!.headers["connection"], "close")
  })

  it("that are too long by their length say so at once, and the connection stays", async () => {
    const client = await serve(bodyOf(5))
    client.send(post("/", "Content-Length: 6", "hell"))
    assert.strictEqual((await client.reply()).body, "TooLarge")
    client.send(`o!${get("/")}`)
    assert.strictEqual((await client.reply()).status, 200)
  })

  it("come whole however they are cut", async () => {
    const client = await serve(bodyOf(100))
    const random = generator(3)
    for (let i = 0; i < 50; i++) {
      const request = Buffer.from(
        i % 2 === 0
          ? post("/", "Content-Length: 11", "hello world")
          : post("/", "Transfer-Encoding: chunked", "6^hello ^5;a=b^world^0^X: y^^"),
        "latin1"
      )
      for (const piece of split(request, random)) {
        client.send(piece)
        await new Promise(setImmediate)
      }
      assert.strictEqual((await client.reply()).body, "hello world")
    }
  })

  it("that are malformed fail the reader of an opened request too", async () => {
    const client = await serve({
      exchange: Effect.flatMap(HttpServerRequest, (request) =>
        Effect.match(request.text, {
          onFailure: (error) => HttpServerResponse.text(error.reason._tag, { status: 400 }),
          onSuccess: (text) => HttpServerResponse.text(text)
        })
      )
    })
    client.send(post("/", "Transfer-Encoding: chunked", "3^abcd^"))
    const [reply] = replies(await client.end())
    assert.strictEqual(reply!.status, 400)
    assert.strictEqual(reply!.body, "RequestParseError")
  })
})

describe("Expect: 100-continue", () => {
  const fields = "Content-Length: 5^Expect: 100-continue"
  for (const kind of ["whole", "opened"]) {
    const given: Given = {
      dispatch: (wire) => kind === "whole" && echo(wire),
      exchange: Effect.flatMap(HttpServerRequest, (request) =>
        Effect.map(Effect.orDie(request.text), (text) =>
          HttpServerResponse.text(`${request.url} ${text}`)
        )
      )
    }
    it(`${kind} request: asks for the body when it is first read`, async () => {
      const client = await serve(given)
      client.send(post("/", fields, ""))
      assert.strictEqual((await client.reply()).status, 100)
      client.send("hello")
      assert.strictEqual((await client.reply()).body, "/ hello")
      client.send(get("/b"))
      assert.strictEqual((await client.reply()).body, "/b ")
    })

    it(`${kind} request: does not ask, and closes, where the body is not read`, async () => {
      const client = await serve({
        dispatch: (wire) => {
          if (kind === "whole") wire.send(401, [], "")
          return kind === "whole"
        },
        exchange: Effect.succeed(HttpServerResponse.empty({ status: 401 }))
      })
      client.send(post("/", fields, ""))
      const reply = await client.reply()
      assert.strictEqual(reply.status, 401)
      assert.strictEqual(reply.headers["connection"], "close")
      assert.strictEqual(await client.end(), "")
    })
  }

  it("asks only after the replies before it", async () => {
    const hold = held()
    const client = await serve({
      dispatch: (wire) => (wire.method === "GET" ? hold.dispatch(wire) : echo(wire))
    })
    client.send(get("/a") + post("/b", fields, ""))
    const [a] = await hold.until(1)
    await settle()
    assert.strictEqual(client.text, "")
    a!.send(200, [], "a")
    assert.strictEqual((await client.reply()).body, "a")
    assert.strictEqual((await client.reply()).status, 100)
    client.send("hello")
    assert.strictEqual((await client.reply()).body, "/b hello")
  })

  it("is nothing to HTTP/1.0", async () => {
    const client = await serve({ dispatch: echo })
    client.send(bytes(`POST / HTTP/1.0^${fields}^^hello`))
    assert.strictEqual((await client.reply()).body, "/ hello")
  })
})
