/**
 * Users and their products: callers sign up and get a key, everybody with a key sees all products,
 * and a product can be changed by its owner alone.
 *
 * Run: npm run example examples/basic/main.ts        (port 8080, or PORT=3000 before it)
 *
 * Try: curl localhost:8080/v1/users -d '{"name":"alice"}' -H 'content-type: application/json'
 *      KEY=...                      (the key of the reply; it is shown once)
 *      curl localhost:8080/v1/me -H "x-api-key: $KEY"
 *      curl -i localhost:8080/v1/products -H "x-api-key: $KEY" \
 *        -d '{"name":"Lamp","price":1990}' -H 'content-type: application/json'
 *      curl localhost:8080/v1/products -H "x-api-key: $KEY"
 *      curl -X PATCH localhost:8080/v1/products/ID -H "x-api-key: $KEY" \
 *        -d '{"price":990}' -H 'content-type: application/json'
 *      curl -X DELETE localhost:8080/v1/products/ID -H "x-api-key: $KEY"
 *
 * With the key of another user, the last two answer 403 with the code PRODUCT_NOT_OWNED.
 *
 * Read: http://localhost:8080/docs
 */
import { App } from "flange"
import { app } from "./app.ts"

App.run(app)
