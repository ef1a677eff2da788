/**
 * Two services, one trace: the shop asks the stock through the client of its contract. Both write the
 * same trace id and the same request id into their logs, and send their spans to one collector.
 *
 * Run: npm run example examples/microservices/main.ts stock        (port 8081)
 *      npm run example examples/microservices/main.ts shop         (port 8080, in another terminal)
 *
 * Try: curl localhost:8080/v1/offers/lamp
 *      curl localhost:8080/v1/offers/nothing        (404 of the stock as an error of the shop)
 *      curl localhost:8080/v1/offers/lamp -H 'x-request-id: r-1' \
 *        -H 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
 *      and, after Ctrl-C in the terminal of the stock, curl localhost:8080/v1/offers/lamp        (503)
 *
 * Both make a trace if there is a collector to send it to:
 *      export OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 OTEL_TRACES_SAMPLER=always_on
 */
import { App } from "flange"

switch (process.argv[2]) {
  case "shop":
    App.run((await import("./shop/app.ts")).app)
    break
  case "stock":
    App.run((await import("./stock/app.ts")).app)
    break
  default:
    throw new Error("Name the service to run: shop or stock")
}
