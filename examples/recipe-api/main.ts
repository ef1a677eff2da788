/**
 * Orders behind authentication: tokens for people, a key for a service account, scopes in the
 * contract. Two endpoints are public.
 *
 * Run: npm run example:recipe        (port 8080, or PORT=3000 npm run example:recipe)
 *
 * Try: TOKEN=$(npm run -s example:recipe -- token alice --scopes orders:write)
 *      curl localhost:8080/status
 *      curl 'localhost:8080/v1/strings/upper?text=hello'
 *      curl -i localhost:8080/v1/me
 *      curl localhost:8080/v1/me -H "authorization: Bearer $TOKEN"
 *      curl localhost:8080/v1/me -H 'x-api-key: local-key-of-fulfilment'
 *      curl -i localhost:8080/v1/orders -H "authorization: Bearer $TOKEN" \
 *        -H 'content-type: application/json' -d '{"customer":"Acme","items":["lamp"]}'
 *      curl 'localhost:8080/v1/orders?customer=acme&limit=10' -H "authorization: Bearer $TOKEN"
 *      curl localhost:8080/v1/orders/ID -H "authorization: Bearer $TOKEN"
 *      curl localhost:8080/v1/orders -H "authorization: Bearer $TOKEN" \
 *        -H 'content-type: application/json' -d '{"customer":"","items":[" "]}'
 *
 * Read: http://localhost:8080/docs
 *
 * All endpoints through the typed client: node --conditions=flange-source
 * examples/recipe-api/client.ts
 *
 * If FLANGE_ENV is production, JWT_SECRET and FULFILMENT_API_KEY must be set, and the command
 * `token` refuses to run.
 */
import { App } from "flange"
import { app } from "./app.ts"

if (process.argv.length > 2) await import("./token.ts")
else App.run(app)
