// The server of the runtime itself, on Bun or Deno: `bare` without a framework and without a check.
import { host, port, ready } from "../support/Arguments.ts"
import { hello, user } from "../support/Contract.ts"
import { serve } from "./serve.ts"

const headers = { "content-type": "application/json" }

const reply = (value: unknown) => new Response(JSON.stringify(value), { headers })

serve(
  (request) => {
    const path = request.url.slice(request.url.indexOf("/", 8))
    if (path === "/json") return reply(hello)
    if (path === "/echo") return request.json().then(reply)
    const [id, verbose] = path.slice("/users/".length).split("?verbose=")
    return reply(user(Number(id), verbose === "true"))
  },
  host,
  port
)
ready()
