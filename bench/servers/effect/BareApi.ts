/** The contract of `bare`, for stock HttpApi and for Flange. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { resources } from "../support/Contract.ts"

const Echo = Schema.Struct({
  name: Schema.String.check(Schema.isBetweenLength(1, 100)),
  age: Schema.Int,
  tags: Schema.Array(Schema.String)
})

export class BareApi extends HttpApiGroup.make("bare").add(
  HttpApiEndpoint.get("json", "/json", { success: Schema.Struct({ message: Schema.String }) }),
  HttpApiEndpoint.get("user", "/users/:id", {
    params: { id: Schema.Int },
    query: { verbose: Schema.optionalKey(Schema.Boolean) },
    success: Schema.Struct({ id: Schema.Int, name: Schema.String, verbose: Schema.Boolean })
  }),
  HttpApiEndpoint.post("echo", "/echo", { payload: Echo, success: Echo })
) {}

// How many there are only the command line knows, so all of a kind have one name for the compiler.
const list = (path: string, i: number) =>
  HttpApiEndpoint.get(`list${i}` as "list", path as "/list", {
    success: Schema.Struct({ path: Schema.String })
  })

const read = (path: string, i: number) =>
  HttpApiEndpoint.get(`read${i}` as "read", `${path}/:id` as "/read/:id", {
    params: { id: Schema.String },
    success: Schema.Struct({ id: Schema.String })
  })

/** The extra routes of `--routes N`. */
export const resourcesApi = (routes: number) =>
  HttpApiGroup.make("resources").add(
    ...(resources(routes).flatMap((path, i) => [list(path, i), read(path, i)]) as unknown as [
      ReturnType<typeof list>,
      ReturnType<typeof read>
    ])
  )

/** Their handlers. */
export const resourceHandlers = (routes: number) =>
  Object.fromEntries(
    resources(routes).flatMap((path, i) => [
      [`list${i}`, () => Effect.succeed({ path })],
      [
        `read${i}`,
        ({ params }: { readonly params: { readonly id: string } }) =>
          Effect.succeed({ id: params.id })
      ]
    ])
  ) as unknown as {
    readonly list: () => Effect.Effect<{ readonly path: string }>
    readonly read: (request: {
      readonly params: { readonly id: string }
    }) => Effect.Effect<{ readonly id: string }>
  }
