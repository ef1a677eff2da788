/**
 * Durable orders in a cluster: a server takes them, and workers carry out their workflow. The processes share
 * a PostgreSQL database and nothing else. README.md has the whole tour.
 *
 * Run: npm run example examples/cluster-jobs/local.ts        (with DATABASE_URL=postgres://localhost/shop)
 *
 * That starts three processes: a server on port 8080 (or PORT=3000 before it), a worker on the next port, and a
 * scheduler on the one after. This file runs one process, in the role FLANGE_ROLE or in all roles.
 *
 * Try: curl -i localhost:8080/v1/orders -H 'content-type: application/json' \
 *        -d '{"id":"a-1","price":1999,"product":"lamp","quantity":1}'
 *      curl localhost:8080/v1/orders/a-1
 *      curl -i localhost:8081/v1/orders/a-1        (404: the worker serves probes and metrics only)
 */
import { App } from "flange"
import { app } from "./app.ts"

App.run(app)
