/** The Express app, as it was before the migration but for `context.ts`. */
import { setTimeout as sleep } from "node:timers/promises"
import express, { type ErrorRequestHandler } from "express"
import { callerOf, requestIdOf } from "./context.ts"

const customers = new Map([["7", { id: "7", name: "Acme" }]])

const answerErrors: ErrorRequestHandler = (error: unknown, request, response, next) => {
  // Express closes the connection if the reply has begun.
  if (response.headersSent) return next(error)
  const status = error instanceof Error && "status" in error ? Number(error.status) : 500
  response.status(status).json({ error: String(error), requestId: requestIdOf(request) })
}

export const legacyApp = express()
  .disable("x-powered-by")
  .use(express.json())
  .get("/v1/customers/:id", (request, response) => {
    const customer = customers.get(request.params.id)
    if (customer === undefined) response.status(404).json({ error: "no such customer" })
    else response.json(customer)
  })
  .post("/v1/customers", (request, response) => {
    const id = String(customers.size + 7)
    customers.set(id, { id, name: String(request.body.name) })
    response.status(201).location(`/v1/customers/${id}`).json(customers.get(id))
  })
  // Moved to orders/OrdersPlugin.ts, whose route comes first.
  .get("/v1/orders/:id", (_, response) => {
    response.json({ servedBy: "express" })
  })
  .get("/v1/broken", () => {
    throw new Error("This route is broken")
  })
  .get("/v1/slow", async (_, response) => {
    response.type("text/plain").write("begun\n")
    await sleep(3000)
    response.end("ended\n")
  })
  // Behind Flange's authentication: see LegacyPlugin.ts.
  .get("/admin/report", (request, response) => {
    response.json({ customers: customers.size, reportFor: callerOf(request) })
  })
  .use(answerErrors)
