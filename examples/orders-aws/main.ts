/**
 * Orders in DynamoDB, their invoices in S3, and the keys of customers in AWS Secrets Manager.
 *
 * Run: npm run example examples/orders-aws/local.ts        (port 8080, or PORT=3000 before it)
 *
 * That starts small servers for the three services of AWS in the same process. They lose everything at the end.
 * This file runs the app alone, on AWS: npm run example examples/orders-aws/main.ts
 * The table `shop-orders` (customer, id), the bucket and the secrets have to exist there.
 *
 * Try: KEY='x-api-key: local-key-of-acme'
 *      curl -i localhost:8080/v1/orders -H "$KEY" -d '{"total":1250}' -H 'content-type: application/json'
 *      curl 'localhost:8080/v1/orders?limit=10' -H "$KEY"
 *      curl localhost:8080/v1/orders/ID -H "$KEY"
 *      curl -X POST localhost:8080/v1/orders/ID/payment -H "$KEY"        (and once more: 409)
 *      curl -X PUT localhost:8080/v1/orders/ID/invoice -H "$KEY" --data-binary @invoice.pdf \
 *        -H 'content-type: application/octet-stream'
 *      curl -i localhost:8080/v1/orders/ID/invoice -H "$KEY" -r 0-99
 *      curl -i localhost:8080/v1/orders/ID -H 'x-api-key: local-key-of-globex'        (404)
 */
import { App } from "flange"
import { app } from "./app.ts"

App.run(app)
