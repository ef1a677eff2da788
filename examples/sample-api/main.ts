/**
 * Items over HTTP: an example to copy for a new service.
 *
 * Run: npm start        (port 8080, or PORT=3000 npm start)
 *      DATABASE_URL=postgres://postgres@localhost/test npm start
 *
 * Without a URL the items are in .flange/data, in a PostgreSQL inside the process.
 *
 * Try: curl -i localhost:8080/v1/items -d '{"name":"Lamp"}' -H 'content-type: application/json'
 *      curl localhost:8080/v1/items?limit=10
 *      curl localhost:8080/v1/items/ID
 *      curl -X PUT localhost:8080/v1/items/ID -d '{"name":"Desk lamp"}' -H 'content-type: application/json'
 *      curl -X PATCH localhost:8080/v1/items/ID -d '{"description":"Brass"}' -H 'content-type: application/json'
 *      curl -i -X DELETE localhost:8080/v1/items/ID
 *      curl -i localhost:8080/v1/items -d '{"name":""}' -H 'content-type: application/json'
 *      curl localhost:8080/healthcheck
 *
 * Read: http://localhost:8080/docs, generated from the contract in items/ItemsApi.ts
 *
 * All endpoints through the typed client: node --conditions=flange-source
 * examples/sample-api/client.ts
 */
import { App } from "flange"
import { app } from "./app.ts"

App.run(app)
