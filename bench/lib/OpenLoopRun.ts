import { resolve } from "node:path"
import * as Cores from "./Cores.ts"
import { output } from "./Load.ts"
import type { OpenLoopOptions, OpenLoopResult } from "./OpenLoop.ts"
import type { Endpoint } from "./Workload.ts"

/** Sends requests at a constant rate, in a process of its own. */
export const run = async (
  port: number,
  endpoint: Endpoint,
  rate: number,
  seconds: number
): Promise<OpenLoopResult> => {
  const options: OpenLoopOptions = {
    connections: 256,
    port,
    rate,
    requests: endpoint.requests,
    seconds,
    warmUpSeconds: 1
  }
  const file = resolve(import.meta.dirname, "OpenLoop.ts")
  const command = Cores.on("client", process.execPath, [file, JSON.stringify(options)])
  return JSON.parse(await output(command)) as OpenLoopResult
}
