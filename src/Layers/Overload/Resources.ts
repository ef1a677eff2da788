/** The health check of the process: its heap, and its open handles. */
import { getHeapStatistics } from "node:v8"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import { OverloadConfig } from "./OverloadConfig.ts"

const bytes = (count: number) => ByteSize.format(ByteSize.fromInputUnsafe(Math.round(count)))

/** The largest heap that the runtime allows. Read once, because Bun walks all objects for it. */
const { heap_size_limit: heapLimit } = getHeapStatistics()

/** Returns why the process should get no more requests; undefined if it may. */
const exhausted = ({
  maxHandles,
  maxHeap
}: (typeof OverloadConfig)["Service"]): string | undefined => {
  const { heapUsed } = process.memoryUsage()
  if (heapUsed > maxHeap * heapLimit) {
    return `The heap holds ${bytes(heapUsed)} of ${bytes(heapLimit)}, which is above overload.maxHeap (${maxHeap})`
  }
  if (maxHandles === undefined) return undefined
  const handles = process.getActiveResourcesInfo().length
  return handles > maxHandles
    ? `The process has ${handles} open handles, more than overload.maxHandles (${maxHandles})`
    : undefined
}

/** Fails if the process is short of memory or has too many handles open. */
export const check = HealthCheck.make(
  Effect.flatMap(OverloadConfig, (config) => {
    const reason = exhausted(config)
    return reason === undefined ? Effect.void : Effect.fail(new Error(reason))
  }),
  // A heap may be full until the garbage collector has run.
  { class: "critical", failureThreshold: 3 }
)
