// The client where wrk is not installed; a process of its own, so that it has a core of its own.
import autocannon, { type Options } from "autocannon"

const options = JSON.parse(process.argv[2]!) as Options
const result = await autocannon(options)
process.stdout.write(
  JSON.stringify({
    errors: result.errors + result.timeouts + result.non2xx,
    p99: result.latency.p99,
    rate: result.requests.total / result.duration,
    requests: result.requests.total
  })
)
