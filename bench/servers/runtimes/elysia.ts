// `bare` with Elysia, on Bun.
import { Elysia, t } from "elysia"
import { host, port, ready } from "../support/Arguments.ts"
import { hello, user } from "../support/Contract.ts"

const Echo = t.Object({
  age: t.Integer(),
  name: t.String({ maxLength: 100, minLength: 1 }),
  tags: t.Array(t.String())
})

const User = t.Object({ id: t.Integer(), name: t.String(), verbose: t.Boolean() })

new Elysia()
  .get("/json", () => hello, { response: t.Object({ message: t.String() }) })
  .get("/users/:id", ({ params, query }) => user(params.id, query.verbose), {
    params: t.Object({ id: t.Integer() }),
    query: t.Object({ verbose: t.Optional(t.Boolean()) }),
    response: User
  })
  .post("/echo", ({ body }) => body, { body: Echo, response: Echo })
  .listen({ hostname: host, port }, () => void ready())
