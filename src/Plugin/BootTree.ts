/** The boot tree: the phases of an app with their durations, for each plugin. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** The phases of an app. */
export type Phase = "acquire" | "assemble" | "bind" | "configure" | "drain" | "ready" | "release"

/** One step: a phase of the whole app, or of one plugin. */
export interface Step {
  /** Milliseconds. */
  readonly duration: number
  /** Whether it failed. */
  readonly failed: boolean
  readonly phase: Phase
  /** The plugin's id; undefined for a step of the app itself. */
  readonly plugin: string | undefined
  /** Milliseconds since the app began to boot. */
  readonly start: number
}

/** The steps so far, in the order in which they began. */
export type BootTree = ReadonlyArray<Step>

/** Records the steps of one app. */
export interface Recorder {
  /** Records the duration of an effect, whatever its exit. */
  readonly measure: (
    phase: Phase,
    plugin?: string
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  readonly steps: Effect.Effect<BootTree>
}

/** Creates a recorder. Its steps start relative to `startedAt`, in Unix milliseconds. */
export const makeRecorder = (startedAt: number): Recorder => {
  const steps: Array<Step> = []
  return {
    measure: (phase, plugin) => (effect) =>
      Effect.flatMap(Clock.currentTimeMillis, (begin) => {
        const index = steps.push({
          duration: 0,
          failed: false,
          phase,
          plugin,
          start: begin - startedAt
        })
        return Effect.onExit(effect, (exit) =>
          Effect.map(Clock.currentTimeMillis, (end) => {
            steps[index - 1] = {
              ...steps[index - 1]!,
              duration: end - begin,
              failed: Exit.isFailure(exit)
            }
          })
        )
      }),
    steps: Effect.sync(() => steps.slice())
  }
}

/**
 * Returns the tree as text, one step on each line.
 *
 * @example
 * ```ts
 * import { BootTree } from "flange"
 *
 * BootTree.toText("shop", [
 *   { duration: 12, failed: false, phase: "acquire", plugin: undefined, start: 1 },
 *   { duration: 11, failed: false, phase: "acquire", plugin: "app:items", start: 2 }
 * ]) // => "shop\n└─ acquire 12ms\n   └─ app:items 11ms"
 * ```
 */
export const toText = (id: string, tree: BootTree): string => {
  const describe = ({ duration, failed }: Pick<Step, "duration" | "failed">, name: string) =>
    `${name} ${duration}ms${failed ? " FAILED" : ""}`
  const phases = [...Map.groupBy(tree, ({ phase }) => phase)]
  const lines = phases.flatMap(([phase, steps], i) => {
    const last = i === phases.length - 1
    const children = steps.filter(({ plugin }) => plugin !== undefined)
    // Plugins are released one by one as the scope closes: that phase has no step of its own.
    const whole = steps.find(({ plugin }) => plugin === undefined) ?? {
      duration: children.reduce((sum, { duration }) => sum + duration, 0),
      failed: children.some(({ failed }) => failed)
    }
    return [
      `${last ? "└─" : "├─"} ${describe(whole, phase)}`,
      ...children.map(
        (child, k) =>
          `${last ? "  " : "│ "} ${k === children.length - 1 ? "└─" : "├─"} ${describe(child, child.plugin!)}`
      )
    ]
  })
  return [id, ...lines].join("\n")
}
