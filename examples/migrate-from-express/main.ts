/**
 * An Express app that moves to Flange route by route. Flange serves what has moved, and the Express
 * app everything else: behind the same access log and request ids, drained by the same signal, and
 * its administration behind the authentication of Flange.
 *
 * Run: npm run example examples/migrate-from-express/main.ts        (port 8080, or PORT=3000 before it)
 *
 * Try: curl localhost:8080/v1/orders/7                         (Flange)
 *      curl -i localhost:8080/v1/customers/7                   (Express, with Flange's X-Request-ID)
 *      curl localhost:8080/v1/customers -d '{"name":"Acme"}' -H 'content-type: application/json'
 *      curl -i localhost:8080/admin/report                     (401 by Flange)
 *      curl localhost:8080/admin/report -H 'authorization: Bearer local-token-of-ada'
 *      curl -i localhost:8080/v1/broken                        (500 by the error handler of Express)
 *      curl -N localhost:8080/v1/slow                         (Ctrl-C in the first terminal waits for it)
 */
import { App } from "flange"
import { app } from "./app.ts"

App.run(app)
