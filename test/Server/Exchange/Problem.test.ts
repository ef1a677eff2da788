import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { ApiError, Catalogue } from "flange"
import { Answer } from "../../../src/Server/Exchange/Answer.ts"
import * as Problem from "../../../src/Server/Exchange/Problem.ts"
import { both } from "../codecs.ts"
import { appWith, before } from "../codecsApi.ts"

class Expired extends ApiError.make<Expired>()(
  "Expired",
  {
    code: "EXPIRED",
    detail: "It is too late",
    meaning: "The offer has ended.",
    remedy: "Ask for a new one.",
    status: 410
  },
  { at: Schema.DateFromString, by: Schema.String }
) {}

const expired = new Expired({ at: new Date(0), by: "ada" })

const about: Problem.About = {
  bodyLimit: 10,
  requestId: "r-1",
  target: "/offers/7?verbose#top"
}

const expiredText =
  '{"type":"urn:problem:expired","title":"Expired","status":410,"detail":"It is too late","instance":"/offers/7","code":"EXPIRED","correlationId":"r-1","at":"1970-01-01T00:00:00.000Z","by":"ada"}'

const textOf = ({ body }: HttpServerResponse.HttpServerResponse) =>
  body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : body._tag

const written = (value: unknown, status = 400) =>
  HttpServerResponse.text(typeof value === "string" ? value : JSON.stringify(value), {
    contentType: "application/problem+json",
    status
  })

/** Runs an effect and collects the messages that it logs. */
const logged = <A>(effect: Effect.Effect<A>) => {
  const messages: Array<string> = []
  const logger = Logger.make<unknown, void>(({ cause }) => {
    messages.push(Cause.pretty(cause))
  })
  return Effect.map(Effect.provide(effect, Logger.layer([logger])), (value) => ({
    messages,
    value
  }))
}

describe("an ApiError class", () => {
  it("has what was declared of the error", () => {
    const { code, meaning, remedy, status } = Expired
    assert.deepStrictEqual(
      [code, meaning, remedy, status],
      ["EXPIRED", "The offer has ended.", "Ask for a new one.", 410]
    )
  })

  it("has an empty meaning and remedy if these were not declared", () => {
    class Bare extends ApiError.make<Bare>()("Bare", { code: "BARE", detail: "", status: 400 }) {}
    assert.deepStrictEqual([Bare.meaning, Bare.remedy], ["", ""])
  })
})

describe("a problem document", () => {
  it("has its members in the order of RFC 9457, then code, correlationId and the error's own", () => {
    const error = new Catalogue.PayloadTooLarge({ limit: 10 })
    assert.strictEqual(
      Problem.toText(Problem.document(error, about)),
      '{"type":"urn:problem:payload-too-large","title":"Payload too large","status":413,"detail":"The body is longer than 10 bytes","instance":"/offers/7","code":"PAYLOAD_TOO_LARGE","correlationId":"r-1","limit":10}'
    )
  })

  it("has no instance if the target could not be read", () => {
    const document = Problem.document(new Catalogue.RequestTimeout(), {
      requestId: "r-1",
      target: undefined
    })
    assert.notProperty(JSON.parse(Problem.toText(document)), "instance")
  })

  it("keeps the instance and correlationId that the error has", () => {
    const own = { correlationId: "r-0", instance: "/elsewhere" }
    assert.deepInclude(Problem.document(own, about), own)
  })

  it("is made of what a schema has encoded, and only of an object", () => {
    const encoded = Schema.encodeSync(Expired)(expired)
    assert.strictEqual(Problem.toText(Problem.completed(encoded, about)!), expiredText)
    for (const value of [undefined, null, "text", 7, ["list"]]) {
      assert.isUndefined(Problem.completed(value, about))
    }
  })

  it("is known by its media type", () => {
    assert.isTrue(Problem.isProblem("application/problem+json; charset=utf-8"))
    assert.isFalse(Problem.isProblem("application/json"))
    assert.isFalse(Problem.isProblem(undefined))
  })
})

describe("the reply that an ApiError makes of itself", () => {
  it.effect("is completed from the members of the error, not from its text", () =>
    Effect.gen(function* () {
      const response = yield* HttpServerRespondable.toResponse(expired)
      // The reply keeps its members when it is given headers, as batteries do.
      const incomplete = HttpServerResponse.setHeader(response, "retry-after", "1")
      const { parse } = JSON
      JSON.parse = () => assert.fail("JSON.parse was called")
      const whole = yield* Effect.ensuring(
        Problem.complete(incomplete, about),
        Effect.sync(() => (JSON.parse = parse))
      )
      assert.strictEqual(textOf(whole), expiredText)
      assert.deepInclude(whole.headers, {
        "content-length": String(expiredText.length),
        "content-type": "application/problem+json",
        "retry-after": "1"
      })
      assert.strictEqual(whole.status, 410)
    })
  )

  it("is completed with both codecs when a before answers with it", async () => {
    const reply = await both(
      () => appWith(before(() => HttpServerRespondable.toResponse(expired))),
      ({ send }) => send("/text/ada")
    )
    assert.strictEqual(reply.body, expiredText.replace("/offers/7", "/text/ada"))
  })

  it.effect("is the reply to a request that dies of the error", () =>
    Effect.gen(function* () {
      const reply = yield* Problem.fromCause(Cause.die(expired), about)
      assert.deepStrictEqual([reply.status, textOf(reply)], [410, expiredText])
    })
  )
})

describe("a problem document that a handler wrote itself", () => {
  it.effect("is completed once, whether it is text or bytes", () =>
    Effect.gen(function* () {
      const text = JSON.stringify({ status: 400, title: "Grüße" })
      for (const response of [
        written(text),
        HttpServerResponse.uint8Array(new TextEncoder().encode(text), {
          contentType: "application/problem+json",
          status: 400
        })
      ]) {
        assert.isTrue(Problem.isIncomplete(response))
        const whole = yield* Problem.complete(response, about)
        assert.strictEqual(
          textOf(whole),
          '{"title":"Grüße","status":400,"instance":"/offers/7","correlationId":"r-1"}'
        )
        assert.isFalse(Problem.isIncomplete(whole))
        assert.strictEqual(yield* Problem.complete(whole, about), whole)
      }
    })
  )

  it.effect("is answered with 500 if it is not a JSON object, and the log names it", () =>
    Effect.gen(function* () {
      for (const body of ["oops", "null", "[1]", '"text"', ""]) {
        const { messages, value } = yield* logged(Problem.complete(written(body), about))
        assert.strictEqual(value.status, 500, body)
        assert.strictEqual(JSON.parse(textOf(value)).code, "INTERNAL_ERROR", body)
        assert.lengthOf(messages, 1, body)
        assert.include(messages[0], "/offers/7?verbose#top with status 400", body)
      }
    })
  )

  it("is answered alike with both codecs if it is not JSON", async () => {
    const reply = await both(
      () => appWith(before(() => Effect.succeed(written("oops")))),
      ({ send }) => send("/text/ada")
    )
    const { code, correlationId, instance } = JSON.parse(reply.body)
    assert.deepStrictEqual(
      [reply.status, code, correlationId, instance],
      [500, "INTERNAL_ERROR", "r-1", "/text/ada"]
    )
  })
})

describe("an empty error reply", () => {
  it.effect("keeps its headers when it becomes a document", () =>
    Effect.gen(function* () {
      const empty = HttpServerResponse.empty({ headers: { "x-own": "yes" }, status: 404 })
      const whole = yield* Problem.complete(empty, about)
      assert.strictEqual(JSON.parse(textOf(whole)).code, "NOT_FOUND")
      assert.deepInclude(whole.headers, {
        "content-type": "application/problem+json",
        "x-own": "yes"
      })
      assert.isFalse(Problem.isIncomplete(whole))
    })
  )
})

describe("a request that dies of an Answer", () => {
  it.effect("is replied to with the error and headers of the answer, and not logged", () =>
    Effect.gen(function* () {
      const answer = new Answer({
        error: new Catalogue.ServiceUnavailable(),
        headers: { "retry-after": "1" }
      })
      const { messages, value } = yield* logged(Problem.fromCause(Cause.die(answer), about))
      assert.deepStrictEqual(messages, [])
      assert.strictEqual(value.status, 503)
      assert.strictEqual(value.headers["retry-after"], "1")
      assert.deepInclude(JSON.parse(textOf(value)), {
        code: "SERVICE_UNAVAILABLE",
        correlationId: "r-1",
        instance: "/offers/7"
      })
      assert.strictEqual(
        answer.message,
        "503 SERVICE_UNAVAILABLE: The service cannot take the request now"
      )
    })
  )
})
