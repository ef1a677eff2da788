/**
 * One service for several tenants: whoever has the key of a tenant sees and changes the notes of this
 * tenant alone, and cannot find out which notes others have.
 *
 * Run: npm run example examples/multi-tenant/main.ts        (port 8080, or PORT=3000 before it)
 *
 * Try: curl -i localhost:8080/v1/notes -H 'x-api-key: local-key-of-acme' \
 *        -d '{"title":"Plans"}' -H 'content-type: application/json'
 *      curl localhost:8080/v1/notes -H 'x-api-key: local-key-of-acme'
 *      curl localhost:8080/v1/notes -H 'x-api-key: local-key-of-globex'
 *      curl -i localhost:8080/v1/notes/ID -H 'x-api-key: local-key-of-globex'        (404)
 *      curl -i localhost:8080/v1/notes                                               (401)
 *
 * The tenant comes from the key, never from a header or a path: a caller could write any tenant there.
 */
import { App } from "flange"
import { app } from "./app.ts"

App.run(app)
