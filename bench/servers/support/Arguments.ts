import { parseArgs } from "node:util"

const { values } = parseArgs({
  options: {
    "access-log": { type: "string" },
    listener: { default: "node", type: "string" },
    observed: { default: false, type: "boolean" },
    port: { default: "3000", type: "string" },
    routes: { default: "0", type: "string" },
    tier: { default: "bare", type: "string" }
  }
})

if (values.tier !== "bare" && values.tier !== "production") {
  throw new Error(`--tier ${values.tier}: write bare or production`)
}

if (values.listener !== "auto" && values.listener !== "node" && values.listener !== "proxied") {
  throw new Error(`--listener ${values.listener}: write auto, node or proxied`)
}

/** Only Flange listens to it: `on`, `off`, or what the tier has. */
export const accessLog = values["access-log"]
export const host = "127.0.0.1"
/** Only Flange has more than one. */
export const listener = values.listener
/** Whether the server has traces, metrics and an access log in JSON. */
export const observed = values.observed
export const port = Number(values.port)
/** How many groups with an endpoint each to add to `bare`. */
export const routes = Number(values.routes)
export const tier = values.tier

/** Tells the runner that the server listens. */
export const ready = () => process.stdout.write("ready\n")
