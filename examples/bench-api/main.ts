/**
 * Endpoints that do nothing, for a load generator: what is left is the cost of the framework.
 *
 * Run: npm run example examples/bench-api/main.ts        (port 8080, or PORT=3000 before it)
 *      FLANGE__LOGGING__LEVEL=warn npm run example examples/bench-api/main.ts        (no access line)
 *
 * Try: curl -i localhost:8080/bench/noop
 *      curl localhost:8080/bench/json
 *      curl localhost:8080/bench/echo -d '{"count":1,"message":"hi"}' -H 'content-type: application/json'
 *      npx autocannon -c 64 -d 10 http://localhost:8080/bench/json
 *
 * Without a socket, and without a load generator: npm run example examples/bench-api/measure.ts
 *
 * The folder `bench` of Flange's repository compares Flange with other frameworks.
 */
import { App } from "flange"
import { app } from "./app.ts"

App.run(app)
