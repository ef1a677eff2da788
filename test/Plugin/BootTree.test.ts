import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Config from "../../src/Config/index.ts"
import * as BootTree from "../../src/Plugin/BootTree.ts"
import type { Host } from "../../src/Plugin/Host.ts"
import * as Rig from "./Rig.ts"

describe("boot tree", () => {
  const section = Config.section("mail", { port: Schema.Int })

  const bootTree = (special: Rig.Special) =>
    Effect.gen(function* () {
      const rig = Rig.make()
      let tree: Effect.Effect<BootTree.BootTree> = Effect.succeed([])
      const host: Host = rig.host({
        mount: ({ context }) =>
          Effect.sync(() => {
            tree = Rig.runtimeOf(context).bootTree
          })
      })
      const fiber = yield* Effect.forkChild(
        rig.run(
          [rig.plugin("p2", special), rig.plugin("p1", { started: Effect.sleep("20 millis") })],
          { host }
        )
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      return yield* tree
    })

  const step = (
    phase: BootTree.Phase,
    plugin: string | undefined,
    start: number,
    duration: number,
    failed = false
  ): BootTree.Step => ({ duration, failed, phase, plugin, start })

  it.effect("holds phase, plugin, start and duration of every step", () =>
    Effect.gen(function* () {
      const tree = yield* bootTree({
        config: [section],
        defaults: { mail: { port: 25 } },
        ready: Effect.sleep("5 millis"),
        requires: ["p1"]
      })
      expect(tree).toEqual([
        step("assemble", undefined, 0, 0),
        step("configure", undefined, 0, 0),
        step("acquire", undefined, 0, 20),
        step("acquire", "p1", 0, 20),
        step("acquire", "p2", 20, 0),
        step("bind", undefined, 20, 0),
        step("ready", undefined, 20, 5),
        step("ready", "p1", 20, 0),
        step("ready", "p2", 20, 5),
        step("drain", undefined, 25, 0),
        step("release", "p2", 25, 0),
        step("release", "p1", 25, 0)
      ])
    })
  )

  it.effect("marks the steps that failed, also as text", () =>
    Effect.gen(function* () {
      const tree = yield* bootTree({
        during: Effect.andThen(Effect.sleep("30 millis"), Rig.end("failure", "p2")),
        requires: ["p1"]
      })
      expect(tree.filter(({ failed }) => failed)).toEqual([
        step("acquire", undefined, 0, 50, true),
        step("acquire", "p2", 20, 30, true)
      ])
      expect(BootTree.toText("rig", tree)).toBe(
        [
          "rig",
          "├─ assemble 0ms",
          "├─ configure 0ms",
          "├─ acquire 50ms FAILED",
          "│  ├─ p1 20ms",
          "│  └─ p2 30ms FAILED",
          "└─ release 0ms",
          "   ├─ p2 0ms",
          "   └─ p1 0ms"
        ].join("\n")
      )
    })
  )

  it.effect.each<[what: string, special: Rig.Special, last: string]>([
    ["boot succeeded", {}, "   └─ p1 0ms"],
    ["acquire failed", { during: Rig.end("failure", "p1") }, "   └─ p1 0ms FAILED"],
    ["ready failed", { ready: Rig.end("failure", "p1") }, "   └─ p1 0ms FAILED"]
  ])("is logged as text at debug level once %s", ([_what, special, last]) =>
    Effect.gen(function* () {
      const rig = Rig.make()
      yield* Effect.provideService(
        rig.run([rig.plugin("p1", special)]),
        References.MinimumLogLevel,
        "Debug"
      )
      expect(rig.logs.length).toBe(1)
      expect(rig.logs[0]).toMatch(/^Debug rig\n├─ assemble 0ms\n├─ configure 0ms\n/)
      expect(rig.logs[0]!.split("\n").at(-1)).toBe(last)
    })
  )
})
