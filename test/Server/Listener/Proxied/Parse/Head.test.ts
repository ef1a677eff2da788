import { assert, describe, it } from "vitest"
import type { Limits } from "../../../../../src/Server/Listener/Proxied/Parse/FieldSection.ts"
import { type Head } from "../../../../../src/Server/Listener/Proxied/Parse/Head.ts"
import { ParseEvent, Parser } from "../../../../../src/Server/Listener/Proxied/Parse/Parser.ts"
import { bytesOf } from "./cases.ts"
import { limits, verdict } from "./verdict.ts"

const headOf = (text: string): Head => {
  const parser = new Parser(limits)
  parser.push(bytesOf(text))
  assert.strictEqual(parser.next(), ParseEvent.Head)
  return parser.head!
}

const fields = (text: string) => headOf(`GET / HTTP/1.1^Host: a^${text}^^`)

describe("fields of a head", () => {
  it("are found in any case, without the white space around them", () => {
    const head = fields("X-Name: \t b c \t^x-empty:")
    assert.strictEqual(head.header("x-name"), "b c")
    assert.strictEqual(head.header("x-empty"), "")
    assert.isUndefined(head.header("x-nam"))
    assert.isUndefined(head.header("y-name"))
  })

  it("that are lists are joined, cookies with a semicolon", () => {
    const head = fields("Accept: a^accept: b^Cookie: c=d^Cookie: e=f")
    assert.strictEqual(head.header("accept"), "a, b")
    assert.strictEqual(head.header("cookie"), "c=d; e=f")
  })

  it("that take one value are joined too, so that whoever reads them sees that there are two", () => {
    assert.strictEqual(fields("User-Agent: a^User-Agent: b").header("user-agent"), "a, b")
  })

  it("are given raw as they came", () => {
    assert.deepStrictEqual(fields("X-A:b^x-a: c").rawHeaders(), [
      "Host",
      "a",
      "X-A",
      "b",
      "x-a",
      "c"
    ])
  })
})

describe("Connection", () => {
  it.each([
    ["close", false],
    ["keep-alive \t,\t CLOSE \t", false],
    ["x-a,close,", false],
    ["x-close", true]
  ])("%j keeps the connection: %s", (value, expected) => {
    assert.strictEqual(fields(`Connection: ${value}`).keepAlive, expected)
  })

  it("with blanks inside an option is refused", () => {
    const blanks = " ".repeat(200)
    assert.strictEqual(
      verdict([bytesOf(`GET / HTTP/1.1^Host: a^Connection: a${blanks}b^^`)], limits),
      "400 Connection"
    )
  })
})

describe("an upgrade", () => {
  const handshake = "Sec-WebSocket-Version: 13^Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
  it.each([
    [`Connection: Upgrade^Upgrade: websocket^${handshake}`, true],
    [`Upgrade: WebSocket^Connection: keep-alive, upgrade^${handshake}`, true],
    ["Connection: upgrade^Upgrade: echo/1", true],
    ["Connection: upgrade^Upgrade: a, b", false],
    ["Connection: upgrade^Upgrade: a^Upgrade: b", false],
    ["Connection: Upgrade^Upgrade: websocket", false],
    [`Connection: Upgrade^Upgrade: websocket^${handshake.replace("13", "7")}`, false],
    [`Connection: Upgrade^Upgrade: websocket^${handshake.replace("==", "=")}`, false],
    [`Connection: Upgrade^Upgrade: websocket^${handshake}^Sec-WebSocket-Protocol: a, a`, false],
    ["Upgrade: websocket", false],
    ["Connection: upgrade", false],
    ["Connection: upgrade^Upgrade: h2c", false],
    ["Connection: upgrade^Upgrade: websocket^Content-Length: 1", false]
  ])("is offered by %s: %s", (text, expected) => {
    assert.strictEqual(fields(text).upgrade, expected)
  })

  it("is not offered in HTTP/1.0", () => {
    assert.isFalse(headOf("GET / HTTP/1.0^Connection: upgrade^Upgrade: websocket^^").upgrade)
  })
})

describe("limits", () => {
  const small: Limits = { maxHeaderBytes: 60, maxHeaders: 2, maxLineBytes: 40 }
  it.each([
    ["GET / HTTP/1.1^Host: a^B: c^^", "GET /; clean"],
    ["GET / HTTP/1.1^Host: a^B: c^D: e^^", "431 TooManyFields"],
    [`GET /${"a".repeat(25)} HTTP/1.1^Host: a^^`, "414 RequestLineTooLong"],
    [`GET /${"a".repeat(24)} HTTP/1.1^Host: a^^`, `GET /${"a".repeat(24)}; clean`],
    [`GET / HTTP/1.1^Host: a^B: ${"c".repeat(40)}^^`, "431 FieldsTooLarge"],
    [`GET /${"a".repeat(20)} HTTP/1.1^Host: a^B: cccccccc^^`, `GET /${"a".repeat(20)}; clean`],
    [`GET /${"a".repeat(20)} HTTP/1.1^Host: a^B: ccccccccc^^`, "431 FieldsTooLarge"]
  ])("%j is %s", (text, expected) => {
    assert.strictEqual(verdict([bytesOf(text)], small), expected)
  })
})
