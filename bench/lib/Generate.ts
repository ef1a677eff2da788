/** Source text of the same API for Flange and for plain HttpApi, in groups of ten endpoints. */

const perGroup = 10

type Files = Readonly<Record<string, string>>

const endpoint = (i: number) => {
  switch (i % 3) {
    case 0:
      return `HttpApiEndpoint.get("read${i}", "/v1/things${i}/:id", {
    error: NotFound${i},
    params: { id: Schema.Int },
    success: Thing${i}
  })`
    case 1:
      return `HttpApiEndpoint.get("list${i}", "/v1/things${i}", {
    query: { limit: Schema.optionalKey(Schema.Int), search: Schema.optionalKey(Schema.String) },
    success: Schema.Array(Thing${i})
  })`
    default:
      return `HttpApiEndpoint.post("create${i}", "/v1/things${i}", {
    payload: Schema.Struct({ name: Schema.String, tags: Schema.Array(Schema.String) }),
    success: Thing${i}
  })`
  }
}

const handler = (i: number) => {
  const thing = (id: string, name: string) =>
    `{ createdAt: "2026-01-01", id: ${id}, name: ${name}, price: 1 }`
  switch (i % 3) {
    case 0:
      return `read${i}: ({ params }) =>
        params.id > 9 ? Effect.fail(new NotFound${i}({ id: params.id })) : Effect.succeed(${thing("params.id", '"thing"')})`
    case 1:
      return `list${i}: ({ query }) => Effect.succeed([${thing("query.limit ?? 1", 'query.search ?? "thing"')}])`
    default:
      return `create${i}: ({ payload }) => Effect.succeed(${thing("payload.tags.length", "payload.name")})`
  }
}

const schemas = (i: number, error: string) => `export const Thing${i} = Schema.Struct({
  createdAt: Schema.String,
  id: Schema.Int,
  name: Schema.String,
  price: Schema.Finite
})
${i % 3 === 0 ? error : ""}`

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

const contract = (group: number, imports: string, error: (i: number) => string) => {
  const endpoints = range(group * perGroup, (group + 1) * perGroup)
  return `import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
${imports}
${endpoints.map((i) => schemas(i, error(i))).join("\n")}
export class Group${group} extends HttpApiGroup.make("group${group}").add(
  ${endpoints.map(endpoint).join(",\n  ")}
) {}
`
}

const handlers = (group: number) =>
  range(group * perGroup, (group + 1) * perGroup)
    .map(handler)
    .join(",\n      ")

const notFound = (group: number) =>
  `import { ${range(group * perGroup, (group + 1) * perGroup)
    .filter((i) => i % 3 === 0)
    .map((i) => `NotFound${i}`)
    .join(", ")}, Group${group} } from "./contract${group}.ts"`

const files = (groups: number, file: (group: number) => Files, main: string): Files =>
  Object.assign({ "main.ts": main }, ...range(0, groups).map(file)) as Files

export const flange = (endpoints: number): Files => {
  const groups = endpoints / perGroup
  return files(
    groups,
    (group) => ({
      [`contract${group}.ts`]: contract(
        group,
        'import { ApiError } from "flange"',
        (i) => `export class NotFound${i} extends ApiError.make<NotFound${i}>()(
  "NotFound${i}",
  { code: "NOT_FOUND_${i}", detail: ({ id }) => \`No \${id}\`, status: 404 },
  { id: Schema.Int }
) {}`
      ),
      [`plugin${group}.ts`]: `import * as Effect from "effect/Effect"
import { Plugin, Route } from "flange"
${notFound(group)}

export const Plugin${group} = Plugin.make("app:group${group}", {
  routes: [
    Route.public(Group${group}, (handlers) => handlers.handleAll({
      ${handlers(group)}
    }))
  ]
})
`
    }),
    `import { App } from "flange"
${range(0, groups)
  .map((group) => `import { Plugin${group} } from "./plugin${group}.ts"`)
  .join("\n")}

export const app = App.make("generated", [
  ${range(0, groups)
    .map((group) => `Plugin${group}`)
    .join(",\n  ")}
])
App.run(app)
`
  )
}

export const httpapi = (endpoints: number): Files => {
  const groups = endpoints / perGroup
  return files(
    groups,
    (group) => ({
      [`contract${group}.ts`]: contract(
        group,
        'import * as HttpApiError from "effect/http-api/HttpApiError"',
        (i) => `export class NotFound${i} extends HttpApiError.Problem<NotFound${i}>()(
  "NotFound${i}",
  { status: 404, title: "Not found", type: "urn:problem:not-found-${i}" },
  { id: Schema.Int }
) {}`
      ),
      [`handlers${group}.ts`]: `import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "./api.ts"
${notFound(group).replace(`, Group${group}`, "")}

export const Handlers${group} = HttpApiBuilder.group(Api, "group${group}", (handlers) => handlers.handleAll({
      ${handlers(group)}
    }))
`,
      "api.ts": `import * as HttpApi from "effect/http-api/HttpApi"
${range(0, groups)
  .map((group) => `import { Group${group} } from "./contract${group}.ts"`)
  .join("\n")}

export const Api = HttpApi.make("generated")
${range(0, groups)
  .map((group) => `  .add(Group${group})`)
  .join("\n")}
`
    }),
    `import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { Api } from "./api.ts"
${range(0, groups)
  .map((group) => `import { Handlers${group} } from "./handlers${group}.ts"`)
  .join("\n")}

const routes = HttpApiBuilder.layer(Api).pipe(
  Layer.provide([
    ${range(0, groups)
      .map((group) => `Handlers${group}`)
      .join(",\n    ")}
  ])
)
NodeRuntime.runMain(
  Layer.launch(Layer.provide(HttpRouter.serve(routes), NodeHttpServer.layer(createServer, { port: 0 })))
)
`
  )
}
