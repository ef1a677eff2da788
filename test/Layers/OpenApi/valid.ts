/** The document of an app, checked by a validator and by the rules that its schema cannot hold. */
import { Validator } from "@seriousme/openapi-schema-validator"
import * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { App, Plugin, Route } from "flange"
import { assert } from "vitest"
import { problemsOf } from "./document.ts"

/** A document in tests: any JSON. */
export type Json = Record<string, any>

/** A group of endpoints of any type. */
export const group = (
  name: string,
  ...endpoints: ReadonlyArray<HttpApiEndpoint.Constraint>
): HttpApiGroup.Constraint => {
  const [first, ...rest] = endpoints
  return HttpApiGroup.make(name).add(first!, ...rest)
}

/** Returns the build of a group with a handler for each endpoint. */
const unused =
  ({ endpoints }: HttpApiGroup.Constraint) =>
  (handlers: { readonly handleAll: (all: object) => unknown }) =>
    handlers.handleAll(
      Object.fromEntries(Object.keys(endpoints).map((name) => [name, () => Effect.die("unused")]))
    )

/** A plugin with groups whose handlers nothing calls. */
export const plugin = (id: string, ...groups: ReadonlyArray<HttpApiGroup.Constraint>): Plugin.Any =>
  Plugin.make(id, {
    routes: groups.map((each) => Route.public(each as never, unused(each) as never) as never)
  })

/** Fails with what is wrong with a document. */
export const assertValid = async (document: Json): Promise<void> => {
  const { errors, valid } = await new Validator().validate(structuredClone(document))
  assert.isTrue(valid, JSON.stringify(errors))
  assert.deepStrictEqual(problemsOf(document), [])
}

/** Boots an app in memory and returns its valid document. */
export const documentOf = async (
  app: Pick<App.Any, "id" | "plugins">,
  values: object = {}
): Promise<Json> => {
  const web = App.toWebHandler(
    App.make(app.id, app.plugins as never, {
      config: { values, variables: {} }
    }) as App.Any
  )
  try {
    const reply = await web.handler(new Request("http://app/openapi.json"))
    assert.strictEqual(reply.status, 200)
    const document = (await reply.json()) as Json
    await assertValid(document)
    return document
  } finally {
    await web.dispose()
  }
}
