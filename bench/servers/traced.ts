/** `bare` of Flange; `TRACE_RATIO` is the share of requests that are traced, without it none is. */
import { App } from "flange"
import { bare } from "./effect/FlangeBare.ts"
import * as MemoryTracer from "./effect/MemoryTracer.ts"

const ratio = process.env["TRACE_RATIO"]
App.run(
  ratio === undefined
    ? bare
    : { ...bare, plugins: [MemoryTracer.plugin(Number(ratio)), ...bare.plugins] }
)
