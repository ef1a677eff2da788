/** The metrics of a request with prom-client: its duration by method, route and status. */
import { collectDefaultMetrics, Histogram, register } from "prom-client"

collectDefaultMetrics()

export const duration = new Histogram({
  buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  help: "Duration of HTTP server requests",
  labelNames: ["method", "route", "status"],
  name: "http_server_request_duration_seconds"
})

/** Returns the text of all metrics. */
export const text = () => register.metrics()
