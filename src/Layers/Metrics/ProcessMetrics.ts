/** The metrics of the process: processor, memory, event loop, garbage collection and handles. */
import { readdirSync } from "node:fs"
import { constants, monitorEventLoopDelay, performance, PerformanceObserver } from "node:perf_hooks"
import { getHeapSpaceStatistics, getHeapStatistics, type HeapSpaceInfo } from "node:v8"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as Metering from "../../Plugin/Metering.ts"

const nanoseconds = 1e9

const cpu = (mode: "system" | "user"): Metering.Reading => ({
  attributes: { "cpu.mode": mode },
  description: "Processor time of the process",
  id: "process.cpu.time",
  read: () => process.cpuUsage()[mode] / 1e6,
  type: "counter",
  unit: "s"
})

/** Returns the number of open files; undefined where the system does not list them. */
const openFiles = (): number | undefined => {
  try {
    return readdirSync("/proc/self/fd").length
  } catch {
    return undefined
  }
}

/** Returns the spaces of the heap. Bun would walk all objects to count those of the one space that it has. */
const spaces = (): ReadonlyArray<
  Pick<HeapSpaceInfo, "space_name" | "space_size" | "space_used_size">
> => {
  if (!("Bun" in globalThis)) return getHeapSpaceStatistics()
  const { heapTotal, heapUsed } = process.memoryUsage()
  return [{ space_name: "old_space", space_size: heapTotal, space_used_size: heapUsed }]
}

const heap = (name: string, kind: "limit" | "used"): Metering.Reading => ({
  attributes: { "v8js.heap.space.name": name },
  description: kind === "used" ? "Heap memory in use" : "Heap memory that is reserved",
  id: `v8js.memory.heap.${kind}`,
  read: () => {
    const space = spaces().find(({ space_name }) => space_name === name)
    return (kind === "used" ? space?.space_used_size : space?.space_size) ?? 0
  },
  type: "gauge",
  unit: "By"
})

const readings = (
  delay: ReturnType<typeof monitorEventLoopDelay>
): ReadonlyArray<Metering.Reading> => {
  let before = performance.eventLoopUtilization()
  const { heap_size_limit: limit } = getHeapStatistics()
  const percentile = (percent: 50 | 90 | 99): Metering.Reading => ({
    description: `${percent}th percentile of the delay of the event loop since the last reading`,
    id: `nodejs.eventloop.delay.p${percent}`,
    read: () => delay.percentile(percent) / nanoseconds,
    type: "gauge",
    unit: "s"
  })
  return [
    cpu("system"),
    cpu("user"),
    {
      description: "Memory of the process that is in RAM",
      id: "process.memory.usage",
      read: () => process.memoryUsage.rss(),
      type: "gauge",
      unit: "By"
    },
    {
      description: "Time since the start of the process",
      id: "process.uptime",
      read: () => process.uptime(),
      type: "gauge",
      unit: "s"
    },
    ...(openFiles() === undefined
      ? []
      : [
          {
            description: "Open files, sockets among them",
            id: "process.open_file_descriptors",
            read: () => openFiles() ?? 0,
            type: "gauge"
          } satisfies Metering.Reading
        ]),
    {
      description: "Timers, sockets and requests that keep the process running",
      id: "nodejs.active_resources",
      read: () => process.getActiveResourcesInfo().length,
      type: "gauge"
    },
    percentile(50),
    percentile(90),
    percentile(99),
    {
      description: "Longest delay of the event loop since the last reading",
      id: "nodejs.eventloop.delay.max",
      read: () => {
        const longest = delay.max / nanoseconds
        // It is the last of the delays in a reading.
        delay.reset()
        return longest
      },
      type: "gauge",
      unit: "s"
    },
    {
      description: "Share of the time in which the event loop was busy since the last reading",
      id: "nodejs.eventloop.utilization",
      read: () => {
        const now = performance.eventLoopUtilization()
        const { utilization } = performance.eventLoopUtilization(now, before)
        before = now
        return utilization
      },
      type: "gauge"
    },
    {
      description: "The largest heap that V8 allows, from --max-old-space-size",
      id: "flange.process.heap.limit",
      read: () => limit,
      type: "gauge",
      unit: "By"
    },
    ...spaces().flatMap(({ space_name }) => [heap(space_name, "limit"), heap(space_name, "used")])
  ]
}

const collections: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: "incremental",
  [constants.NODE_PERFORMANCE_GC_MAJOR]: "major",
  [constants.NODE_PERFORMANCE_GC_MINOR]: "minor",
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: "weakcb"
}

/** Measures each garbage collection in the current scope. */
const garbage = (context: Context.Context<never>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const durations = new Map(
        Object.entries(collections).map(([kind, name]) => [
          Number(kind),
          Metric.histogram("v8js.gc.duration", {
            attributes: { unit: "s", "v8js.gc.type": name },
            boundaries: [0.01, 0.1, 1, 10],
            description: "Duration of garbage collections"
          })
        ])
      )
      const observer = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          // The type of entries has no detail.
          const { detail } = entry as unknown as { readonly detail: { readonly kind: number } }
          durations.get(detail.kind)?.updateUnsafe(entry.duration / 1000, context)
        }
      })
      observer.observe({ entryTypes: ["gc"] })
      return observer
    }),
    (observer) => Effect.sync(() => observer.disconnect())
  )

/**
 * Registers the metrics of the process until the scope closes.
 *
 * Source: OpenTelemetry semantic conventions for processes, Node.js and V8.
 */
export const register = (
  context: Context.Context<never>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const delay = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const delay = monitorEventLoopDelay({ resolution: 10 })
        delay.enable()
        return delay
      }),
      (delay) => Effect.sync(() => delay.disable())
    )
    yield* garbage(context)
    for (const reading of readings(delay)) Metering.register(reading, context)
  })
