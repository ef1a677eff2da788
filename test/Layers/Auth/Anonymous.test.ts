/** Policies that decide about callers without credentials. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { App, Catalogue, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { TestApp } from "flange/Testing"

const { Policy } = Auth

const token = (subject: string) => ({
  identity: { subject },
  token: Redacted.make(`the-token-of-${subject}`)
})
const chain = Auth.chain([Auth.bearer([token("ada"), token("bob")])], {
  unauthenticated: "anonymous"
})
const as = (subject: string | undefined) =>
  subject === undefined ? {} : { headers: { authorization: `Bearer the-token-of-${subject}` } }

/** Everybody reads open posts; Ada reads all. */
const Readable = Policy.optional("readable", ({ identity, resource }) =>
  identity?.subject === "ada" || resource.params["id"] === "open"
    ? Policy.allow
    : Policy.deny(identity === undefined ? "an unknown caller" : "not Ada")
)

class Drafts extends Context.Service<Drafts, ReadonlyArray<string>>()("test/Drafts") {}

const Published = Policy.declareOptional("published")

const params = { id: Schema.String }
const success = Schema.String

const endpoints = (name: string) =>
  HttpApiGroup.make(name).add(
    HttpApiEndpoint.get("declared", `/${name}/declared/:id`, { params, success }).middleware(
      Published
    ),
    HttpApiEndpoint.get("read", `/${name}/posts/:id`, { params, success }).middleware(Readable)
  )

class OptionalApi extends endpoints("optional") {}
class ProtectedApi extends endpoints("protected") {}
class PublicApi extends endpoints("public") {}

const read = { declared: () => Effect.succeed("text"), read: () => Effect.succeed("text") }

const PostsPlugin = Plugin.make("app:posts", {
  layer: Policy.implement(Published, ({ identity, resource }) =>
    Effect.map(Drafts, (drafts) =>
      identity !== undefined || !drafts.includes(resource.params["id"] ?? "")
        ? Policy.allow
        : Policy.deny("a draft")
    )
  ).pipe(Layer.provide(Layer.succeed(Drafts, ["draft"]))),
  provides: [Published],
  routes: [
    Route.optional(OptionalApi, (handlers) => handlers.handleAll(read)),
    Route.protected(ProtectedApi, (handlers) => handlers.handleAll(read)),
    Route.public(PublicApi, (handlers) => handlers.handleAll(read))
  ]
})

const table: ReadonlyArray<readonly [path: string, subject: string | undefined, status: number]> = [
  ["/optional/posts/open", undefined, 200],
  ["/optional/posts/secret", undefined, 401],
  ["/optional/posts/open", "bob", 200],
  ["/optional/posts/secret", "bob", 403],
  ["/optional/posts/secret", "ada", 200],
  ["/optional/posts/open", "nobody", 401],
  ["/optional/declared/a", undefined, 200],
  ["/optional/declared/draft", undefined, 401],
  ["/optional/declared/draft", "bob", 200],
  ["/protected/posts/open", undefined, 401],
  ["/protected/posts/open", "bob", 200],
  ["/protected/posts/secret", "bob", 403],
  ["/protected/declared/draft", "bob", 200],
  ["/public/posts/open", undefined, 200],
  ["/public/posts/secret", undefined, 403],
  ["/public/posts/secret", "ada", 403],
  ["/public/declared/draft", undefined, 403]
]

describe.each([
  ["in memory", TestApp.make],
  ["through a socket", TestApp.listening]
] as const)("a policy about anybody, %s,", (_place, boot) => {
  it.live.each(table)("decides: %s as %s is answered with %i", ([path, subject, status]) =>
    Effect.gen(function* () {
      const audit = Auth.AuditLog.memory()
      const test = yield* boot(
        App.make("posts", [audit.plugin, Auth.plugin({ default: chain }), PostsPlugin])
      )
      const reply = yield* test.get(path, as(subject))
      reply.expectStatus(status)
      if (status === 401) reply.expectHeader("www-authenticate", /^Bearer realm="api"/)
      if (status === 403) {
        reply.expectProblem("FORBIDDEN", 403)
        assert.strictEqual(audit.events.at(-1)?.outcome, "denied")
      }
    })
  )
})

it("a policy about anybody declares 401 and 403", () => {
  assert.deepStrictEqual(
    [...(Readable as unknown as HttpApiMiddleware.AnyService).error],
    [Catalogue.Unauthenticated, Catalogue.Forbidden]
  )
})
