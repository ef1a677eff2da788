import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { assert, describe, it } from "vitest"
import * as Config from "../../src/Config/index.ts"

const load = (section: Config.AnySection, values: object = {}) =>
  Config.load({ sections: [section], values }).pipe(Effect.provide(NodeServices.layer))

/** The published values of a section. */
const published = (section: Config.AnySection, values?: object) =>
  Effect.runPromise(
    Effect.map(load(section, values), ({ context }) =>
      JSON.parse(JSON.stringify(Context.get(context, Config.Published)))
    )
  )

describe("a public key", () => {
  it("is published as in a file, whether it is set or has a default; others are not", async () => {
    const section = Config.section("shop", {
      currency: Schema.String.pipe(Config.withDefault("EUR"), Config.public),
      margin: Schema.Finite.pipe(Config.withDefault(0.2)),
      password: Schema.optionalKey(Config.Secret),
      phone: Schema.optionalKey(Schema.String.pipe(Config.public)),
      plans: Schema.Array(Schema.Struct({ id: Schema.String })).pipe(
        Config.public,
        Config.withDefault([{ id: "free" }])
      ),
      session: Config.Duration.pipe(Config.withDefault("5 minutes"), Config.public),
      since: Schema.optionalKey(Schema.Date.pipe(Config.public))
    })
    assert.deepStrictEqual(await published(section), {
      shop: { currency: "EUR", plans: [{ id: "free" }], session: 300_000 }
    })
    const shop = { password: "hunter2", phone: "1", session: "2s", since: "2026-01-01" }
    assert.deepStrictEqual(await published(section, { shop }), {
      shop: {
        currency: "EUR",
        phone: "1",
        plans: [{ id: "free" }],
        session: 2000,
        since: "2026-01-01T00:00:00.000Z"
      }
    })
  })

  it("may be an object or inside one", async () => {
    const section = Config.section("shop", {
      inside: Schema.Struct({ open: Schema.Int.pipe(Config.public), shut: Schema.Int }),
      labels: Schema.Record(Schema.String, Schema.String).pipe(Config.public),
      whole: Schema.Struct({ a: Schema.Int, b: Schema.Int }).pipe(Config.public)
    })
    const shop = { inside: { open: 1, shut: 2 }, labels: { x: "y" }, whole: { a: 1, b: 2 } }
    assert.deepStrictEqual(await published(section, { shop }), {
      shop: { inside: { open: 1 }, labels: { x: "y" }, whole: { a: 1, b: 2 } }
    })
  })

  it("cannot be a secret: the compiler refuses it, and so does loading", async () => {
    const problems = (section: Config.AnySection, values: object) =>
      Effect.runPromise(
        Effect.map(Effect.flip(load(section, values)), ({ problems }) =>
          problems.map(({ message }) => message)
        )
      )
    const field = Schema.Struct({ key: Config.Secret, name: Schema.String })
    assert.deepStrictEqual(
      await problems(Config.section("shop", { mail: field.pipe(Config.public) }), {
        shop: { mail: { key: "hunter2", name: "x" } }
      }),
      [
        "shop.mail is public and has a secret in it: remove Config.public, or mark the keys inside it that are no secrets."
      ]
    )
    // @ts-expect-error A secret cannot be public
    const secret = Config.Secret.pipe(Config.public)
    assert.include(
      (await problems(Config.section("shop", { secret }), { shop: { secret: "hunter2" } }))[0],
      "shop.secret is public and has a secret in it"
    )
  })

  it("of a schema that contains itself is found", async () => {
    interface Tree {
      readonly children: ReadonlyArray<Tree>
      readonly name: string
    }
    const Tree = Schema.Struct({
      children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree)),
      name: Schema.String
    })
    const section = Config.section("shop", { open: Schema.Int.pipe(Config.public), tree: Tree })
    const shop = { open: 1, tree: { children: [{ children: [], name: "b" }], name: "a" } }
    assert.deepStrictEqual(await published(section, { shop }), { shop: { open: 1 } })
  })
})
