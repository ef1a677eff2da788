// `bare` with Hono, on Bun or Deno.
import { zValidator } from "@hono/zod-validator"
import { Hono } from "hono"
import { host, port, ready } from "../support/Arguments.ts"
import { hello, user } from "../support/Contract.ts"
import { Echo, Id, Verbose } from "../support/Zod.ts"
import { serve } from "./serve.ts"

const app = new Hono()
app.get("/json", (c) => c.json(hello))
app.get("/users/:id", zValidator("param", Id), zValidator("query", Verbose), (c) =>
  c.json(user(c.req.valid("param").id, c.req.valid("query").verbose))
)
app.post("/echo", zValidator("json", Echo), (c) => c.json(c.req.valid("json")))

serve((request) => app.fetch(request), host, port)
ready()
