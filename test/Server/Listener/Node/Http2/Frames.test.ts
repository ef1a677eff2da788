// The cases of h2spec, written anew: frames that a client may send, and the answer of the server.
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestApp from "../../../../../src/Testing/TestApp.ts"
import * as app from "./app.ts"
import { type Case, cases, type Expected } from "./frameCases.ts"
import { Connection, flags, type Frame, ping, preface, types } from "./frames.ts"

const made = app.make()
const service = TestApp.service(made.app)

/** A mark of the PING behind the frames of a case: its answer comes after every error of a frame. */
const last = Buffer.from("the last")

const isLast = ({ payload, type }: Frame) => type === types.ping && payload.equals(last)

const fits = (expected: Expected, { flags: flag, payload, stream, type }: Frame): boolean => {
  if (expected === "closed") return false
  if (expected === "pong") return type === types.ping && flag === flags.ack && !payload.equals(last)
  if (expected === "reply") return type === types.headers && stream === 1
  // The first acknowledgement is that of the settings of the beginning.
  if (expected === "settings") return type === types.settings && flag === flags.ack
  return "goaway" in expected
    ? type === types.goaway && payload.readUInt32BE(4) === expected.goaway
    : type === types.rstStream && stream === 1 && payload.readUInt32BE(0) === expected.rst
}

const run = async (url: string, { expected, sent }: Case) => {
  const connection = new Connection(url).begin()
  // The server knows the settings, and has acknowledged them.
  await connection.find((frame) => frame.type === types.settings && frame.flags === flags.ack)
  connection.frames.length = 0
  connection.send(...sent, ping(last.toString()))
  const waits = expected.includes("reply")
  const isExpected = (frame: Frame) => expected.some((each) => fits(each, frame))
  await connection.find(
    (frame) => isExpected(frame) || (!waits && isLast(frame)) || frame.type === types.goaway
  )
  const found = connection.frames.some(isExpected)
  const isRight = found || (connection.isClosed && expected.includes("closed"))
  const got = connection.frames.map(
    ({ flags, payload, stream, type }) => `${type}/${flags}/${stream}:${payload.toString("hex")}`
  )
  connection.close()
  assert.isTrue(
    isRight,
    `expected ${JSON.stringify(expected)}, got ${got.join(" ")}${connection.isClosed ? " closed" : ""}`
  )
}

layer(TestApp.layerListening(made.app, { config: { server: { h2c: true, listener: "node" } } }))(
  "HTTP/2, section",
  (it) => {
    for (const each of cases) {
      it.effect(each.name, () =>
        Effect.flatMap(service, ({ url }) => Effect.promise(() => run(url, each)))
      )
    }

    it.effect("3.4: a preface that is not right gets no frame", () =>
      Effect.flatMap(service, ({ url }) =>
        Effect.promise(async () => {
          const connection = new Connection(url)
          connection.send(Buffer.from("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"))
          await connection.closed()
          assert.isFalse(connection.frames.some(({ type }) => type === types.settings))
        })
      )
    )

    it.effect("3.4: a first frame that is not SETTINGS ends the connection", () =>
      Effect.flatMap(service, ({ url }) =>
        Effect.promise(async () => {
          const connection = new Connection(url).send(preface, ping("early"))
          await connection.closed()
          assert.isTrue(connection.frames.some(({ type }) => type === types.goaway))
        })
      )
    )

    it.effect("3.4: the preface may come byte by byte", () =>
      Effect.flatMap(service, ({ url }) =>
        Effect.promise(async () => {
          const connection = new Connection(url)
          for (const byte of preface) {
            connection.send(Buffer.from([byte]))
            await new Promise((resolve) => setImmediate(resolve))
          }
          const found = await connection.find(({ type }) => type === types.settings)
          connection.close()
          assert.isDefined(found)
        })
      )
    )
  }
)
